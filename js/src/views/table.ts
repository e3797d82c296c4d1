import { useEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { ignored, useBlocks } from "../blocks";
import { Chips, Copy, Search } from "../controls";
import { many, text, type Frame } from "../frame";
import { html } from "../html";
import { whenIdle } from "../idle";
import { useNewest } from "../newest";
import { Shell } from "../shell";
import type { View } from "../view";
import { BLOCK, Grid, type Bars, type Column, type Place } from "../grid";

type Predicate = Record<string, unknown>;
interface State {
  version: number;
  rows: number;
  count: number;
  columns: Column[];
  sort: [string, "asc" | "desc"][];
  search: string;
  filters: Record<string, string>;
  picked: number | null;
  revision: number;
  python: string;
  /** Whether the first rows came with it, as the part `head`. */
  has_head: boolean;
  /** What lies in all columns, when it is known at once. */
  summaries: Record<string, Bars> | null;
}

/** Rows are asked for so long after the last move of a brush. */
const REST_MS = 150;

/** Any rows: sorted by the heads, filtered by the bars under them, searched, picked. */
export default function Table({ view }: { view: View }): VNode {
  const state = view.part<State>("state").value;
  if (!state) return html`<${Shell} view=${view}><div class="pj-empty">Waiting for the rows…</div><//>`;
  return html`<${Body} view=${view} state=${state} />`;
}

function Body({ view, state }: { view: View; state: State }): VNode {
  const [summaries, setSummaries] = useState<Record<string, Bars>>({});
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const order = JSON.stringify([state.sort, state.search, state.filters]);

  useEffect(() => {
    if (state.picked === null) setChosen(new Set());
  }, [state.picked]);
  // The places of the picked rows are others now; what was picked stays picked in the kernel.
  useEffect(() => setChosen(new Set()), [order, state.revision]);
  const filters = JSON.stringify(state.filters);
  const brushed = useRef(filters);
  const restMs = state.summaries && brushed.current !== filters ? REST_MS : 0;
  const ask = (start: number, slot: string): Promise<Frame> => view.request<Frame>("rows", { start, count: BLOCK, slot }, slot);
  const { see, cell, tick } = useBlocks(String(state.version), ask, restMs, state.has_head ? view.part<Frame>("head").peek() : undefined);
  useEffect(() => {
    brushed.current = filters;
    if (state.summaries) return undefined;
    let isOld = false;
    const summarise = async (): Promise<void> => {
      for (const { name } of state.columns) {
        const found = await view.request<Bars>("summary", { column: name }, `summary ${name}`);
        if (isOld) return;
        setSummaries((held) => ({ ...held, [name]: found }));
      }
    };
    const forget = whenIdle(() => void summarise().catch(ignored));
    return () => {
      isOld = true;
      forget();
    };
  }, [state.version]);

  const act = (op: string, args: Record<string, unknown>): void => void view.request(op, args).catch(ignored);
  const sort = (name: string, isMore: boolean): void => {
    const now = state.sort.find(([n]) => n === name)?.[1];
    const next: [string, string][] = now === "asc" ? [[name, "desc"]] : now === "desc" ? [] : [[name, "asc"]];
    act("sort", { by: isMore ? [...state.sort.filter(([n]) => n !== name), ...next] : next });
  };
  const pick = (row: number, isMore: boolean): void => {
    const next = new Set(isMore ? chosen : []);
    if (chosen.has(row)) next.delete(row);
    else next.add(row);
    setChosen(next);
    act("pick", { places: [...next] });
  };
  const filter = useNewest<{ column: string; predicates: Predicate[] }>((args) => view.request("filter", args).catch(ignored));
  const counts = [state.count === state.rows ? many(state.rows, "row") : `${text(state.count)} of ${many(state.rows, "row")}`];
  if (state.picked !== null) counts.push(`${text(state.picked)} picked`);
  const isFiltered = Object.keys(state.filters).length > 0 || state.search !== "" || state.picked !== null;
  const place: Place = { see, cell, sort, pick, filter: (column, predicates) => filter({ column, predicates }), tick };
  return html`
    <${Shell} view=${view} counts=${counts} actions=${html`
      <${Search} value=${state.search} onSearch=${(words: string) => act("search", { text: words })} />
      <button type="button" class="pj-button" disabled=${!isFiltered} onClick=${() => act("clear", {})}>Clear</button>
      <${Copy} python=${state.python} />`}>
      <${Chips} filters=${state.filters} onRemove=${(name: string) => filter({ column: name, predicates: [] })} />
      <${Grid} label=${view.title} columns=${state.columns} count=${state.count} sorts=${state.sort} summaries=${state.summaries ?? summaries} version=${state.version}
        filters=${state.filters} chosen=${chosen} place=${place} isNarrowed=${isFiltered} />
    <//>`;
}
