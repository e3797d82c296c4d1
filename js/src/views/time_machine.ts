import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { Chips, Copy } from "../controls";
import { many, rows as rowsOf, text, type Cell, type Frame } from "../frame";
import { html } from "../html";
import { BLOCK, Grid, type Column, type Place } from "../grid";
import { ignored, useBlocks } from "../blocks";
import { said, Scale, share, stepAt, valueOf, written, type Clock, type Span, type Value, type Which } from "../scale";
import { reachable } from "../parts";
import { Shell } from "../shell";
import type { View } from "../view";

interface State {
  rows: string;
  diff: string | null;
  clock: Clock;
  at: Value;
  against: { value: Value } | null;
  table: string;
  tables: string[];
  columns: Column[];
  sort: [string, "asc" | "desc"][];
  filters: Record<string, string>;
  is_picked: boolean;
  is_linked: boolean;
  python: string;
}
type Counts = Record<string, number>;
type Growth = Record<string, number[]>;
type Change = "added" | "removed" | "changed";
/** Where a handle is on its way to; the kernel has not said so yet. */
interface Moving {
  which: Which;
  value: Value;
  isDragged: boolean;
  /** Steps were asked for since, so that the kernel ends at another moment. */
  isLoose?: boolean;
}

interface Turn {
  op: "move" | "step";
  which: Which;
  by: Value;
}

const REST_MS = 150;
const CLOCKS: [Clock, string][] = [["position", "by event"], ["world", "by time in the world"], ["commit", "by time of commit"]];
const CHANGES: [Change, string][] = [["added", "+"], ["removed", "−"], ["changed", "~"]];
const ID_COLUMN = { type: "UUID", kind: "text", isId: true, width: "128px", least: 128 };
const WORD_COLUMN = { type: "VARCHAR", kind: "text" };
/** As they are shown; an answer has the id first. */
const DIFF_COLUMNS: Column[] = [
  { name: "label", ...WORD_COLUMN, width: "minmax(168px, 2fr)", least: 168 },
  { name: "entity_id", ...ID_COLUMN },
  { name: "change", ...WORD_COLUMN, width: "84px", least: 84 },
  { name: "column", ...WORD_COLUMN, width: "132px", least: 132 },
  { name: "old", ...WORD_COLUMN, width: "minmax(108px, 1fr)", least: 108 },
  { name: "new", ...WORD_COLUMN, width: "minmax(108px, 1fr)", least: 108 },
];
const DIFF_PLACES = [1, 0, 2, 3, 4, 5];

/** Any moment of the log: what was there, and what differs from another moment. */
export default function TimeMachine({ view }: { view: View }): VNode {
  const state = view.part<State>("state").value;
  if (!state) return html`<${Shell} view=${view}><div class="pj-empty">Waiting for the log…</div><//>`;
  return html`<${Body} view=${view} state=${state} />`;
}

/** The whole clock, again when the log has grown, but never more than a tenth of the time. */
function useSpan(view: View, state: State): [Span | undefined, Growth | undefined] {
  const now = view.part<number>("now").value;
  const [span, setSpan] = useState<Span>();
  const [growth, setGrowth] = useState<Growth>();
  const next = useRef(0);
  useEffect(() => {
    next.current = 0;
  }, [state.clock]);
  useEffect(() => {
    const load = async (): Promise<void> => {
      const begun = Date.now();
      setSpan(await view.request<Span>("scale"));
      setGrowth(await view.request<Growth>("growth"));
      next.current = Date.now() + Math.max(1_000, 10 * (Date.now() - begun));
    };
    const timer = setTimeout(() => void load().catch(ignored), Math.max(0, next.current - Date.now()));
    return () => clearTimeout(timer);
  }, [state.clock, now]);
  return [span?.clock === state.clock ? span : undefined, growth];
}

/** What an operation answers, asked again when `key` has rested on another value. */
function useAnswer<T>(view: View, op: string, key: string | null): [T | undefined, boolean] {
  const [found, setFound] = useState<{ key: string; value: T }>();
  useEffect(() => {
    if (key === null) return undefined;
    let isOld = false;
    const timer = setTimeout(() => void view.request<T>(op).then((value) => isOld || setFound({ key, value }), ignored), REST_MS);
    return () => {
      isOld = true;
      clearTimeout(timer);
    };
  }, [key]);
  return [key === null ? undefined : found?.value, found?.key === key];
}

function Body({ view, state }: { view: View; state: State }): VNode {
  const [span, growth] = useSpan(view, state);
  const [moving, setMoving] = useState<Moving | null>(null);
  const [exact, isExact] = useAnswer<{ counts: Counts; events: number }>(view, "exact", state.rows);
  // One after another, for the kernel has two hands: a later moment must not be overtaken by an earlier one.
  const chain = useRef<Promise<unknown>>(Promise.resolve());
  const inTurn = (work: () => Promise<unknown>): Promise<unknown> => (chain.current = chain.current.then(work).catch(ignored));
  const act = (op: string, args: Record<string, unknown>): Promise<unknown> => inTurn(() => view.request(op, args));

  // Those that wait are one when they are of a kind: the last moment, all the steps.
  const waiting = useRef<Turn[]>([]);
  const turn = (next: Turn): Promise<unknown> => {
    const last = waiting.current.at(-1);
    if (last?.op === next.op && last.which === next.which) {
      last.by = next.op === "step" ? Number(last.by) + Number(next.by) : next.by;
      return chain.current;
    }
    waiting.current.push(next);
    return inTurn(async () => {
      const { op, which, by } = waiting.current.shift() as Turn;
      await view.request(op, op === "step" ? { which, steps: by } : { which, value: by });
    });
  };

  const rest = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const settled = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const go = async (which: Which, value: Value, isDragged = false): Promise<void> => {
    clearTimeout(rest.current);
    clearTimeout(settled.current);
    setMoving({ which, value, isDragged });
    await turn({ op: "move", which, by: value });
    settled.current = setTimeout(() => setMoving(null), 1_000); // the kernel has its own mind
  };
  const onDrag = (which: Which, step: number): void => {
    if (!span) return;
    const value = valueOf(span, step);
    setMoving({ which, value, isDragged: true });
    clearTimeout(rest.current);
    rest.current = setTimeout(() => void go(which, value, true), REST_MS);
  };
  useEffect(() => setMoving(null), [state.clock]);
  // A state from before the last move may come late, and must not take back what was asked since.
  useEffect(() => {
    setMoving((now) => (now && !now.isLoose && (now.which === "at" ? state.at : state.against?.value) !== now.value ? now : null));
  }, [state.at, state.against?.value]);

  const walk = (which: Which, events: number): void => {
    setMoving((now) => now && { ...now, isLoose: true });
    void turn({ op: "step", which, by: events });
  };

  const held = { at: state.at, ...(state.against ? { against: state.against.value } : {}) } as Partial<Record<Which, Value>>;
  const values = moving && moving.which in held ? { ...held, [moving.which]: moving.value } : held;
  const atStep = span ? stepAt(span, share(span, values.at ?? null)) : -1;
  const isDragged = moving !== null && moving.isDragged && moving.which === "at";
  const counts: Counts | undefined =
    isDragged && growth ? Object.fromEntries(state.tables.map((t) => [t, growth[t]?.[atStep] ?? 0])) : exact?.counts;
  const facts = [said(state.clock, values.at ?? null)];
  if (!isDragged && exact) facts.push(`${text(exact.events)} events until then`);
  return html`
    <${Shell} view=${view} counts=${facts} actions=${html`
      <button type="button" class="pj-button" aria-pressed=${state.against !== null} onClick=${() => act("compare", { on: state.against === null })}>Compare</button>
      <button type="button" class="pj-button" disabled=${state.at === null} onClick=${() => go("at", null)}>Now</button>
      <${Copy} python=${state.python} />`}>
      ${span
        ? html`<${Scale} span=${span} values=${values} onDrag=${onDrag} onDrop=${(which: Which, step: number) => span && go(which, valueOf(span, step), true)}
            onWalk=${walk}
            onMove=${go} />`
        : html`<div class="pj-track" aria-busy="true" />`}
      <div class="pj-moments">
        <label>Count <select class="pj-input" value=${state.clock} onChange=${(e: Event) => act("count_by", { clock: (e.target as HTMLSelectElement).value })}>
          ${CLOCKS.map(([clock, words]) => html`<option key=${clock} value=${clock} selected=${clock === state.clock}>${words}</option>`)}</select></label>
        <${Typed} label="Moment" which="at" clock=${state.clock} value=${values.at ?? null} onSay=${(t: string) => act("say", { which: "at", text: t })} />
        ${state.against ? html`<${Typed} label="Compared with" which="against" clock=${state.clock} value=${values.against ?? null} onSay=${(t: string) => act("say", { which: "against", text: t })} />` : null}
      </div>
      ${span?.erased ? html`<div class="pj-quiet">${span.erased === 1 ? "One persona was" : `${text(span.erased)} personas were`} erased: nothing of them is left at any moment.</div>` : null}
      <${There} view=${view} state=${state} span=${span} growth=${growth} values=${values} counts=${counts} isSure=${isDragged || isExact} />
    <//>`;
}

/** A moment as somebody types it; Enter goes there. */
function Typed({ label, which, clock, value, onSay }: { label: string; which: Which; clock: Clock; value: Value; onSay(words: string): void }): VNode {
  const [words, setWords] = useState<string | null>(null);
  const now = written(clock, value);
  useEffect(() => setWords(null), [clock]); // not when the moment moves: somebody may be typing
  return html`<label class=${`pj-typed pj-typed-${which}`}><i aria-hidden="true" />${label} <input class="pj-input" type="text" value=${words ?? now} aria-label=${`${label}: type a time or position, then Enter`}
    onInput=${(e: Event) => setWords((e.target as HTMLInputElement).value)}
    onKeyDown=${(e: KeyboardEvent) => {
      if (e.key === "Enter") onSay((e.target as HTMLInputElement).value);
      if (e.key === "Enter" || e.key === "Escape") setWords(null);
    }} onBlur=${() => setWords(null)} /></label>`;
}

interface ThereProps {
  view: View;
  state: State;
  span: Span | undefined;
  growth: Growth | undefined;
  values: Partial<Record<Which, Value>>;
  counts: Counts | undefined;
  isSure: boolean;
}

/** What was there: rows of each table, the differences, the rows of one table. */
function There({ view, state, span, growth, values, counts, isSure }: ThereProps): VNode {
  const [isDiff, setDiff] = useState(true);
  const key = state.diff === null ? null : `${state.diff} ${state.table}`;
  const [found, isKnown] = useAnswer<{ tables: Frame; events: Frame; size: Frame }>(view, "differences", key);
  const differs = new Map((found ? rowsOf(found.tables) : []).map((r) => [String(r.table), r]));
  const group = useId();
  const marks = span ? (Object.keys(values) as Which[]).map((w) => share(span, values[w] ?? null)) : [];
  const showsDiff = isDiff && state.against !== null;
  const changes = found ? Number(rowsOf(found.size)[0]?.size ?? 0) : 0;
  return html`
    <div class="pj-grid pj-there">
      <section><div class="pj-scroll" ref=${reachable}>
        <table class=${isSure ? "pj-table" : "pj-table pj-waiting"} aria-label="Rows of each table at the moment" aria-busy=${!isSure}>
          <thead><tr><th scope="col">table</th><th scope="col" class="pj-num">rows</th>
            ${state.against ? CHANGES.map(([name]) => html`<th key=${name} scope="col" class="pj-num">${name}</th>`) : null}
            <th scope="col" class="pj-extra">growth</th></tr></thead>
          <tbody>${state.tables.map((t) => html`
            <tr key=${t}>
              <td class="pj-word"><label class="pj-choice"><input type="radio" name=${group} checked=${t === state.table} onChange=${() => view.request("choose", { table: t }).catch(ignored)} /> ${text(t)}</label></td>
              <td class="pj-num">${counts ? text(counts[t] ?? 0) : ""}</td>
              ${state.against ? CHANGES.map(([name, sign]) => html`<td key=${name} class=${`pj-num pj-${name}`}>${isKnown ? signed(sign, differs.get(t)?.[name]) : "…"}</td>`) : null}
              <td class="pj-extra"><${Spark} course=${growth?.[t]} marks=${marks} /></td>
            </tr>`)}</tbody>
        </table></div>
      </section>
      ${state.against ? html`<section><${Between} view=${view} state=${state} events=${isKnown ? found?.events : undefined} /></section>` : null}
    </div>
    <${Chips} filters=${state.filters} onRemove=${(name: string) => view.request("unfilter", { name }).catch(ignored)} />
    ${state.against
      ? html`<div class="pj-tabs" role="radiogroup" aria-label="What is listed">
          <label class="pj-choice"><input type="radio" name=${`${group}-list`} checked=${showsDiff} onChange=${() => setDiff(true)} /> Changes of ${text(state.table)}${isKnown ? `: ${text(changes)}` : ""}</label>
          <label class="pj-choice"><input type="radio" name=${`${group}-list`} checked=${!showsDiff} onChange=${() => setDiff(false)} /> Rows of ${text(state.table)} at ${said(state.clock, state.at)}</label>
        </div>`
      : html`<h3>${text(state.table)} ${state.at === null ? "now" : `at ${said(state.clock, state.at)}`}</h3>`}
    ${showsDiff ? html`<${Listed} key="diff" view=${view} state=${state} op="changes" version=${key} columns=${DIFF_COLUMNS} count=${changes} />` : html`<${Then} view=${view} state=${state} />`}`;
}

function signed(sign: string, n: unknown): string {
  return n ? `${sign}${text(n)}` : "·";
}

function Then({ view, state }: { view: View; state: State }): VNode {
  const [size] = useAnswer<number>(view, "size", state.rows);
  return html`<${Listed} key="rows" view=${view} state=${state} op="rows" version=${state.rows} columns=${state.columns.map((c) => (c.type === "UUID" ? { ...c, ...ID_COLUMN } : c))} count=${size ?? 0} />`;
}

interface ListedProps {
  view: View;
  state: State;
  op: "rows" | "changes";
  version: string | null;
  columns: Column[];
  count: number;
}

function Listed({ view, state, op, version, columns, count }: ListedProps): VNode {
  const blocks = useBlocks(version, (start, slot) => view.request<Frame>(op, { start, count: BLOCK }, `${op} ${slot}`), REST_MS);
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  useEffect(() => setChosen(new Set()), [version]);
  useEffect(() => {
    if (!state.is_picked) setChosen(new Set());
  }, [state.is_picked]);
  const act = (name: string, args: Record<string, unknown>): void => void view.request(name, args).catch(ignored);
  const sort = (name: string, isMore: boolean): void => {
    if (op === "changes") return;
    const now = state.sort.find(([n]) => n === name)?.[1];
    const next: [string, string][] = now === "asc" ? [[name, "desc"]] : now === "desc" ? [] : [[name, "asc"]];
    act("sort", { by: isMore ? [...state.sort.filter(([n]) => n !== name), ...next] : next });
  };
  const pick = (row: number, isMore: boolean): void => {
    const next = new Set(isMore ? chosen : []);
    if (chosen.has(row)) next.delete(row);
    else next.add(row);
    setChosen(next);
    const ids = [...next].map((n) => blocks.cell(n, 0)).filter((id) => typeof id === "string");
    act("pick", { ids: [...new Set(ids)] });
  };
  const cell = (row: number, column: number): Cell => blocks.cell(row, op === "changes" ? (DIFF_PLACES[column] ?? 0) : column);
  const place: Place = { ...blocks, cell, sort, pick, filter: () => undefined };
  return html`<${Grid} label=${op === "rows" ? `Rows of ${state.table}` : `Changes of ${state.table}`} columns=${columns} count=${count}
    sorts=${op === "rows" ? state.sort : []} summaries=${{}} filters=${{}} chosen=${chosen} place=${place} isPlain />`;
}

/** The events that made the difference; a button picks them for the other views. */
function Between({ view, state, events }: { view: View; state: State; events: Frame | undefined }): VNode {
  const found = events ? rowsOf(events) : [];
  const total = found.reduce((sum, r) => sum + Number(r.events), 0);
  return html`
    <h3 class="pj-between">${events ? `${many(total, "event")} between` : "Events between…"}
      <button type="button" class="pj-button" aria-pressed=${state.is_linked} disabled=${!total && !state.is_linked} onClick=${() => view.request("link_events", { on: !state.is_linked }).catch(ignored)}>Pick them</button></h3>
    <ul class="pj-names">${found.slice(0, 8).map((r) => html`<li key=${String(r.name)}><span class="pj-text">${text(r.name)}</span><span class="pj-num">${text(r.events)}</span></li>`)}</ul>
    ${found.length > 8 ? html`<div class="pj-quiet">and ${text(found.length - 8)} more kinds</div>` : null}`;
}

/** How a table grew, with the moments on it. */
function Spark({ course, marks }: { course: number[] | undefined; marks: number[] }): VNode | null {
  if (!course) return null;
  const most = Math.max(1, ...course);
  const wide = course.length - 1;
  const path = course.map((n, i) => `${i ? "L" : "M"}${i},${(19 - (18 * n) / most).toFixed(1)}`).join("");
  return html`<svg class="pj-spark" viewBox="0 0 ${wide} 20" preserveAspectRatio="none" aria-hidden="true"><path d=${path} />
    ${marks.map((m, i) => html`<line key=${i} x1=${m * wide} x2=${m * wide} y1="0" y2="20" />`)}</svg>`;
}
