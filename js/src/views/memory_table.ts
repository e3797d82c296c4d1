import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { ActButton, Acts, Toolbar, useActs } from "../acts";
import { ignored, useBlocks } from "../blocks";
import { Chips, Copy, Search } from "../controls";
import { text, type Cell, type Frame } from "../frame";
import { BLOCK, Grid, type Bars, type Column, type Place } from "../grid";
import { html } from "../html";
import { whenIdle } from "../idle";
import { Details } from "../memory_details";
import { usePicks } from "../picks";
import { Shell } from "../shell";
import type { View } from "../view";

interface State {
  version: number;
  rows: number;
  count: number;
  columns: Column[];
  hidden: string[];
  key: string;
  sort: [string, "asc" | "desc"][];
  search: string;
  filters: Record<string, string>;
  python: string;
}
const MOST_PICKED = 10_000;
const WIDTHS: Record<string, [string, number]> = {
  content: ["minmax(240px, 3fr)", 240], kind: ["110px", 110], tier: ["80px", 80], persona: ["minmax(110px, 1fr)", 110],
  recalls: ["80px", 80], links: ["72px", 72], tags: ["minmax(110px, 1fr)", 110],
  occurred_at: ["172px", 172], last_recalled_at: ["172px", 172],
};
/** As much of a time as is shown; the whole of it filters and sorts. */
const SECONDS = 19;
/** Nearly every text differs, so there is nothing to sum up. */
const UNSUMMED = new Set(["content", "tags"]);

/** What personas remember: sorted, filtered, searched, picked, and acted on. */
export default function MemoryTable({ view }: { view: View }): VNode {
  const state = view.part<State>("state").value;
  if (!state) return html`<${Shell} view=${view}><div class="pj-empty">Waiting for the memories…</div><//>`;
  return html`<${Body} view=${view} state=${state} />`;
}

/** What lies in the columns; one round after the other, so that no column waits while many commits come. */
function useSummaries(view: View, names: string[], version: number): Record<string, Bars> {
  const [summaries, setSummaries] = useState<Record<string, Bars>>({});
  const wanted = useRef(version);
  const isRunning = useRef(false);
  wanted.current = version;
  const ask = async (): Promise<void> => {
    for (let done = -1; done !== wanted.current; ) {
      done = wanted.current;
      for (const name of names) {
        const found = await view.request<Bars>("summary", { column: name }, `summary ${name}`);
        setSummaries((held) => ({ ...held, [name]: found }));
      }
    }
  };
  const forget = useRef<(() => void) | undefined>(undefined);
  useEffect(() => {
    if (isRunning.current) return;
    isRunning.current = true;
    forget.current = whenIdle(() => void ask().catch(ignored).finally(() => (isRunning.current = false)));
  }, [version]);
  useEffect(() => () => forget.current?.(), []);
  return summaries;
}

function Body({ view, state }: { view: View; state: State }): VNode {
  const acts = useActs(view);
  const [picked, pickKeys] = usePicks(view);
  const sight = useRef<[number, number]>([0, 0]);
  const anchor = useRef<{ row: number; key: string } | null>(null);
  const blocks = useBlocks(String(state.version), (start, name) => view.request<Frame>("rows", { start, count: BLOCK }, name));
  const shown = useMemo(
    () => state.columns.flatMap((c, n) => (state.hidden.includes(c.name) ? [] : [{ ...c, at: n, width: WIDTHS[c.name]?.[0], least: WIDTHS[c.name]?.[1] }])),
    [JSON.stringify(state.columns), state.hidden.join()],
  );
  const summaries = useSummaries(view, shown.map((c) => c.name).filter((n) => !UNSUMMED.has(n)), state.version);
  const keyAt = state.columns.findIndex((c) => c.name === state.key);
  const keyOf = (row: number): string | undefined => {
    const found = blocks.cell(row, keyAt);
    return typeof found === "string" ? found : undefined;
  };
  const act = (op: string, args: Record<string, unknown>): void => void view.request(op, args).catch(ignored);
  const pick = (row: number, isMore: boolean, isRange = false): void => {
    const key = keyOf(row);
    if (key === undefined) return;
    const from = anchor.current;
    if (isRange && from && keyOf(from.row) === from.key) {
      const [first, last] = [Math.min(from.row, row), Math.max(from.row, row)];
      const seen = Array.from({ length: last - first + 1 }, (_, n) => keyOf(first + n));
      if (seen.length <= MOST_PICKED && seen.every((k) => k !== undefined)) pickKeys(seen);
      else act("pick", { keys: [], span: [first, last] });
      return;
    }
    anchor.current = { row, key };
    const isIn = picked.includes(key);
    if (isMore) pickKeys(isIn ? picked.filter((k) => k !== key) : [...picked, key]);
    else pickKeys(isIn && picked.length === 1 ? [] : [key]);
  };
  const sort = (name: string, isMore: boolean): void => {
    const now = state.sort.find(([n]) => n === name)?.[1];
    const next: [string, string][] = now === "asc" ? [[name, "desc"]] : now === "desc" ? [] : [[name, "asc"]];
    act("sort", { by: isMore ? [...state.sort.filter(([n]) => n !== name), ...next] : next });
  };
  const filter = (column: string, predicates: Record<string, unknown>[]): void => act("filter", { column, predicates });
  const see = (first: number, last: number): void => {
    sight.current = [first, last];
    blocks.see(first, last);
  };
  const cell = (row: number, n: number): Cell => {
    const value = blocks.cell(row, shown[n]?.at ?? -1);
    return shown[n]?.kind === "timestamp" && typeof value === "string" ? value.slice(0, SECONDS) : value;
  };
  const place: Place = { see, cell, sort, pick, filter, tick: blocks.tick };
  const held = new Set(picked);
  const chosen = new Set<number>();
  for (let row = sight.current[0]; row <= sight.current[1]; row++) if (held.has(keyOf(row) ?? "")) chosen.add(row);
  const named = (n: number): string => `${text(n)} memor${n === 1 ? "y" : "ies"}`;
  const counts = [state.count === state.rows ? named(state.rows) : `${text(state.count)} of ${named(state.rows)}`];
  if (picked.length) counts.push(`${text(picked.length)} picked`);
  const isFiltered = Object.keys(state.filters).length > 0 || state.search !== "" || picked.length > 0;
  const none = picked.length ? null : "Pick memories first.";
  const [source, target] = picked;
  const pair = picked.length > 2 ? "Pick one memory, or two." : none;
  const tooMany = state.count > MOST_PICKED ? `At most ${text(MOST_PICKED)} can be picked; filter first.` : undefined;
  const last = picked[picked.length - 1];
  return html`
    <${Shell} view=${view} counts=${counts} actions=${html`
      <${Search} value=${state.search} label="Search content, kind, tags" onSearch=${(words: string) => act("search", { text: words })} />
      <button type="button" class="pj-button" disabled=${!isFiltered} onClick=${() => act("clear", {})}>Clear</button>
      <${Copy} python=${state.python} />`}>
      <div class="pj-memory-bar">
        <${Toolbar} label="Acts on the picked memories">
          <${ActButton} acts=${acts} name="recall" given=${{ ids: picked }} lacks=${none} />
          <${ActButton} acts=${acts} name="link" given=${target ? { source, target } : { source }} lacks=${pair} />
          <${ActButton} acts=${acts} name="retier" given=${{ ids: picked }} lacks=${none} />
          <${ActButton} acts=${acts} name="forget" given=${{ ids: picked }} lacks=${none} />
          <button type="button" class="pj-button" aria-disabled=${tooMany !== undefined || !state.count} title=${tooMany}
            onClick=${() => { if (!tooMany && state.count) act("pick", { keys: [], span: [0, state.count - 1] }); }}>Pick all</button>
        <//>
        <${Chips} filters=${state.filters} onRemove=${(name: string) => filter(name, [])} />
      </div>
      <div class=${last ? "pj-memory-split" : ""}>
        <div class="pj-memory-grid"><${Grid} label=${view.title} columns=${shown} count=${state.count} sorts=${state.sort} summaries=${summaries}
          filters=${state.filters} chosen=${chosen} place=${place} isNarrowed=${isFiltered} /></div>
        ${last ? html`<${Details} view=${view} acts=${acts} memory=${last} version=${state.version} onPick=${(key: string) => pickKeys([key])} />` : null}
      </div>
      <${Acts} view=${view} acts=${acts} />
    <//>`;
}
