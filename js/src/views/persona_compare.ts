import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { ignored } from "../blocks";
import { Chips, Copy } from "../controls";
import { ago, many, num, rows as rowsOf, stamp, text, type Cell, type Frame } from "../frame";
import { html } from "../html";
import { lanes, Mark } from "../marks";
import { reachable } from "../parts";
import { Shell } from "../shell";
import type { View } from "../view";

interface Persona {
  persona_id: string;
  name: string;
  is_alive: boolean;
  is_active?: boolean;
  mood?: string;
  mood_intensity?: number;
  traits?: Record<string, number>;
}
interface State {
  people: Persona[];
  picked: string[];
  more: number;
  filters: Record<string, string>;
  python: string;
}
interface Found {
  found: { persona_id: string; name: string; is_active: boolean }[];
  count: number;
}
type Row = Record<string, Cell>;

const MOST = 6;
const LEAST = 2;
const TIERS = ["hot", "warm", "cold"];

/** Personas side by side: traits on one scale, moods on one time axis, memories, last events. */
export default function PersonaCompare({ view }: { view: View }): VNode {
  const state = view.part<State>("state").value;
  const who = view.part<Persona[]>("who").value;
  if (!state) return html`<${Shell} view=${view}><div class="pj-empty">Waiting for the lab…</div><//>`;
  // Names and moods as they are now; who is compared, and in what order, as the state says.
  const now = new Map((who ?? []).map((p) => [p.persona_id, p]));
  const people = state.people.map((p) => now.get(p.persona_id) ?? p);
  const unfilter = (name: string): void => void view.request("unfilter", { name }).catch(ignored);
  const show = (ids: string[]): void => void view.request("show", { ids }).catch(ignored);
  const pick = (ids: string[]): void => void view.request("pick", { ids }).catch(ignored);
  const counts = [`${text(people.length)} of at most ${MOST}`];
  if (state.more) counts.push(`the selection picks ${text(state.more)} more`);
  return html`
    <${Shell} view=${view} counts=${counts} actions=${html`<${Copy} python=${state.python} />`}>
      <${Choice} view=${view} people=${people} picked=${state.picked} onShow=${show} onPick=${pick} />
      <${Chips} filters=${state.filters} onRemove=${unfilter} />
      ${people.length
        ? html`<div class="pj-grid">
            <section class=${people.length > 3 ? "pj-wide" : ""}><h3>Traits</h3><${Traits} people=${people} /></section>
            <section class=${people.length > 3 ? "pj-wide" : ""}><h3>Memories</h3><${Memories} people=${people} frame=${view.part<Frame>("memories").value} /></section>
            <section class="pj-wide"><h3>Moods</h3><${Moods} people=${people} frame=${view.part<Frame>("moods").value} /></section>
            <section class="pj-wide"><h3>Last events</h3><${Events} people=${people} frame=${view.part<Frame>("events").value} /></section>
          </div>`
        : html`<div class="pj-empty">There is nobody to compare yet.</div>`}
    <//>`;
}

interface ChoiceProps {
  view: View;
  people: Persona[];
  picked: string[];
  onShow(ids: string[]): void;
  onPick(ids: string[]): void;
}

/** Who is compared: one stop for Tab; arrows go along, Shift and arrows move one, Delete takes one away, Enter picks. */
function Choice({ view, people, picked, onShow, onPick }: ChoiceProps): VNode {
  const [at, setAt] = useState(0);
  const [replaced, setReplaced] = useState<string | null>(null);
  const row = useRef<HTMLDivElement>(null);
  const wanted = useRef<string | null>(null);
  const ids = people.map((p) => p.persona_id);
  const place = Math.max(0, Math.min(at, people.length - 1));
  // The kernel answers with another order: the focus stays with the persona, not with the place.
  useEffect(() => {
    if (wanted.current === null || ids.indexOf(wanted.current) !== place) return;
    row.current?.querySelectorAll<HTMLElement>("[role=option]")[place]?.focus();
    wanted.current = null;
  });
  const go = (n: number, id: string | undefined = ids[Math.max(0, Math.min(ids.length - 1, n))]): void => {
    wanted.current = id ?? null;
    setAt(Math.max(0, Math.min(people.length - 1, n)));
  };
  const swap = (n: number, to: number, keepsFocus = true): void => {
    if (to < 0 || to >= ids.length) return;
    const next = [...ids];
    [next[n], next[to]] = [next[to] as string, next[n] as string];
    onShow(next);
    if (keepsFocus) go(to, ids[n]);
    else setAt(to);
  };
  const remove = (n: number): void => {
    if (ids.length <= LEAST) return;
    onShow(ids.filter((_id, k) => k !== n));
    go(n ? n - 1 : 0, ids[n ? n - 1 : 1]);
  };
  const toggle = (id: string): void => onPick(picked.includes(id) ? picked.filter((p) => p !== id) : [...picked, id]);
  const key = (n: number) => (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step && event.shiftKey) swap(n, n + step);
    else if (step) go(n + step);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(people.length - 1);
    else if (event.key === "Delete" || event.key === "Backspace") remove(n);
    else if (event.key === "Enter" || event.key === " ") toggle(ids[n] as string);
    else if (event.key === "F2") setReplaced(ids[n] as string);
    else return;
    event.preventDefault();
  };
  const found = (id: string): void => {
    if (replaced && ids.includes(replaced)) onShow(ids.map((other) => (other === replaced ? id : other)));
    else onShow([...ids, id]);
    setReplaced(null);
  };
  const name = people.find((p) => p.persona_id === replaced)?.name;
  return html`
    <div class="pj-choose">
      <div class="pj-people" ref=${row} role="listbox" aria-label="Compared personas" aria-multiselectable="true" aria-orientation="horizontal">
        ${people.map((p, n) => html`
          <div key=${p.persona_id} role="option" aria-selected=${picked.includes(p.persona_id)} tabindex=${n === place ? 0 : -1} class="pj-person" onKeyDown=${key(n)}
            onClick=${() => { setAt(n); toggle(p.persona_id); }} aria-label=${`${text(p.name)}${p.is_alive && !p.is_active ? ", retired" : ""}`}
            title="Click to pick for the other views. Arrows: go along, with Shift: move, F2: replace, Delete: take away">
            <${Mark} n=${n} /> <span class="pj-person-name">${text(p.name)}</span>${p.is_alive ? html`<span class="pj-quiet">${p.is_active ? `${text(p.mood)} ${text(p.mood_intensity)}` : "retired"}</span>` : null}
          </div>`)}
      </div>
      <div class="pj-tools">
        ${people[place] ? html`<span class="pj-quiet pj-text">${text(people[place].name)}:</span>
          <button type="button" class="pj-button" aria-label="Move to the left" disabled=${place === 0} onClick=${() => swap(place, place - 1, false)}>◂</button>
          <button type="button" class="pj-button" aria-label="Move to the right" disabled=${place >= people.length - 1} onClick=${() => swap(place, place + 1, false)}>▸</button>
          <button type="button" class="pj-button" aria-pressed=${replaced === ids[place]} onClick=${() => setReplaced(replaced === ids[place] ? null : (ids[place] as string))}>Replace</button>
          <button type="button" class="pj-button" disabled=${people.length <= LEAST} onClick=${() => remove(place)}>Take away</button>` : null}
        <${Finder} view=${view} taken=${ids} label=${name ? `Replace ${text(name)} by…` : "Add a persona…"} isFull=${ids.length >= MOST && !name} isWanted=${replaced !== null} onFound=${found} />
      </div>
    </div>`;
}

interface FinderProps {
  view: View;
  taken: string[];
  label: string;
  isFull: boolean;
  isWanted: boolean;
  onFound(id: string): void;
}

/** Personas by any part of their names; only the first ones are ever here. */
function Finder({ view, taken, label, isFull, isWanted, onFound }: FinderProps): VNode {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [words, setWords] = useState("");
  const [list, setList] = useState<Found | null>(null);
  const [at, setAt] = useState(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const look = (typed: string): void => {
    setWords(typed);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void view.request<Found>("find", { text: typed }).then((f) => { setList(f); setAt(0); }, ignored), 120);
  };
  useEffect(() => {
    if (isWanted) input.current?.focus();
  }, [isWanted]);
  const free = (list?.found ?? []).filter((p) => !taken.includes(p.persona_id));
  const close = (): void => {
    clearTimeout(timer.current);
    setList(null);
  };
  const take = (persona: string | undefined): void => {
    if (!persona) return;
    close();
    setWords("");
    onFound(persona);
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown") list ? setAt(Math.min(free.length - 1, at + 1)) : look(words);
    else if (event.key === "ArrowUp") setAt(Math.max(0, at - 1));
    else if (event.key === "Enter") take(free[at]?.persona_id);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  };
  const others = (list?.count ?? 0) - (list?.found.length ?? 0);
  return html`
    <div class="pj-finder" onFocusOut=${(e: FocusEvent) => { if (!(e.currentTarget as HTMLElement).contains(e.relatedTarget as Node)) close(); }}>
      <input ref=${input} class="pj-input" type="text" role="combobox" aria-expanded=${list !== null} aria-controls=${id} aria-autocomplete="list" aria-label=${label} placeholder=${label}
        aria-activedescendant=${free[at] ? `${id}-${at}` : undefined} disabled=${isFull} value=${words} onInput=${(e: Event) => look((e.target as HTMLInputElement).value)} onFocus=${() => look(words)} onKeyDown=${key} />
      <div id=${id} class="pj-found" role="listbox" aria-label="Personas" hidden=${list === null}>
        ${free.map((p, n) => html`<div key=${p.persona_id} id=${`${id}-${n}`} role="option" aria-selected=${n === at} class=${n === at ? "pj-at" : ""}
          onPointerDown=${(e: PointerEvent) => { e.preventDefault(); take(p.persona_id); }}>${text(p.name)}${p.is_active ? "" : " (retired)"}</div>`)}
        ${free.length ? null : html`<div class="pj-quiet" role="option" aria-disabled="true" aria-selected="false">Nobody else of that name</div>`}
        ${others > 0 ? html`<div class="pj-quiet" role="option" aria-disabled="true" aria-selected="false">and ${text(others)} more: type on</div>` : null}
      </div>
    </div>`;
}

/** Every trait on one scale, a mark a persona, the reach between them as a line and a number. */
function Traits({ people }: { people: Persona[] }): VNode {
  const names = [...new Set(people.flatMap((p) => Object.keys(p.traits ?? {})))];
  return html`<div class="pj-traits">${names.map((trait) => {
    const there = people.map((p, n) => ({ n, name: p.name, value: p.traits?.[trait] })).filter((p): p is { n: number; name: string; value: number } => p.value !== undefined);
    const values = there.map((p) => p.value);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const lane = lanes(values, 3);
    const said = `${text(trait)}: ${there.map((p) => `${text(p.name)} ${text(p.value)}`).join(", ")}`;
    return html`
      <div class="pj-trait" key=${trait} role="img" aria-label=${said} title=${said}>
        <span class="pj-text">${text(trait)}</span>
        <div class="pj-rail" style=${{ height: `${18 + 10 * Math.max(0, ...lane)}px` }}>
          <div class="pj-span" style=${{ left: `${low}%`, width: `${high - low}%` }} />
          ${there.map((p, i) => html`<span key=${p.n} class="pj-dot" style=${{ left: `${p.value}%`, top: `${3 + 10 * (lane[i] ?? 0)}px` }}><${Mark} n=${p.n} /></span>`)}
        </div>
        <span class="pj-num" title="From the least to the most">${there.length > 1 ? `Δ ${text(Math.round(10 * (high - low)) / 10)}` : ""}</span>
      </div>`;
  })}</div>`;
}

/** How many memories of each kind and in each tier, a bar a persona, all on one scale. */
function Memories({ people, frame }: { people: Persona[]; frame: Frame | undefined }): VNode {
  const found: Row[] = frame ? rowsOf(frame) : [];
  const total = (row: string, value: string, persona: string): number =>
    found.filter((r) => r[row] === value && r.persona_id === persona).reduce((sum, r) => sum + Number(r.memories), 0);
  const kinds = [...new Set(found.map((r) => String(r.kind)))].slice(0, 8);
  const tiers = TIERS.filter((t) => found.some((r) => r.tier === t));
  if (!found.length) return html`<div class="pj-empty">No memories${frame ? "" : " yet"}.</div>`;
  const lines: [string, string, number[]][] = [...kinds.map((k) => ["kind", k] as const), ...tiers.map((t) => ["tier", t] as const)].map(([row, value]) => [
    row, value, people.map((p) => total(row, value, p.persona_id))]);
  const most = Math.max(1, ...lines.flatMap(([, , ns]) => ns));
  return html`
    <div class="pj-scroll" ref=${reachable}><table class="pj-table pj-counted" aria-label="Memories by kind and tier">
      <thead><tr><th scope="col">kind, tier</th>${people.map((p, n) => html`<th key=${n} scope="col"><${Mark} n=${n} /> <span class="pj-cut">${text(p.name)}</span></th>`)}</tr></thead>
      <tbody>${lines.map(([row, value, ns], i) => html`
        <tr key=${`${row} ${value}`} class=${row === "tier" && lines[i - 1]?.[0] === "kind" ? "pj-parted" : ""}>
          <th scope="row" class="pj-word">${text(value)}</th>
          ${ns.map((n, k) => html`<td key=${k}><div class="pj-count"><span>${text(n)}</span><div><i class=${`pj-fill pj-fill-${k}`} style=${{ width: `${(100 * n) / most}%` }} /></div></div></td>`)}
        </tr>`)}</tbody>
    </table></div>`;
}

/** The course of each mood, one under the other, on one time axis. */
function Moods({ people, frame }: { people: Persona[]; frame: Frame | undefined }): VNode {
  const found: Row[] = frame ? rowsOf(frame) : [];
  const times = found.map((r) => num(r.at));
  if (!times.length) return html`<div class="pj-empty">No mood has changed${frame ? "" : " yet"}.</div>`;
  const [start, end] = [times.reduce((a, b) => Math.min(a, b)), times.reduce((a, b) => Math.max(a, b))];
  const place = (t: number): number => (600 * (t - start)) / Math.max(1, end - start);
  return html`
    <div class="pj-courses">${people.map((p, n) => {
      const mine = found.filter((r) => r.persona_id === p.persona_id);
      const path = mine.map((r, i) => `${i ? "H" : "M"}${place(num(r.at)).toFixed(1)}${i ? "V" : ","}${(31 - (30 * num(r.intensity)) / 100).toFixed(1)}`).join("");
      const last = mine[mine.length - 1];
      const said = `${text(p.name)}: ${many(mine.length, "change")}${last ? `, the last ${text(last.emotion)} at ${text(last.intensity)} of 100` : ""}`;
      return html`
        <div class="pj-course" key=${p.persona_id}>
          <span class="pj-cut"><${Mark} n=${n} /> ${text(p.name)}</span>
          <svg viewBox="0 0 600 32" preserveAspectRatio="none" role="img" aria-label=${said}><line x1="0" x2="600" y1="31" y2="31" /><path class=${`pj-path-${n}`} d=${path ? `${path}H600` : ""} /></svg>
          <span class="pj-quiet">${last ? `${text(last.emotion)} ${text(last.intensity)}` : "no change"}</span>
        </div>`;
    })}
      <div class="pj-course"><span /><span class="pj-axis pj-quiet"><span>${stamp(start)}</span><span>${stamp(end)}</span></span><span /></div>
    </div>`;
}

/** What happened last to each. */
function Events({ people, frame }: { people: Persona[]; frame: Frame | undefined }): VNode {
  const found: Row[] = frame ? rowsOf(frame) : [];
  return html`
    <div class="pj-scroll" ref=${reachable}><div class="pj-lanes" style=${{ "--pj-lanes": String(people.length) }}>${people.map((p, n) => html`
      <ul key=${p.persona_id} class="pj-lane" aria-label=${`Last events of ${text(p.name)}`}>
        <li class="pj-cut"><${Mark} n=${n} /> ${text(p.name)}</li>
        ${found.filter((r) => r.persona_id === p.persona_id).map((r) => html`
          <li key=${text(r.id)} title=${`${text(r.name)}, ${stamp(num(r.at))} UTC, ${text(r.actor)}`}><div class="pj-cut">${text(r.name).replace(/^v\d+\./, "")}</div><div class="pj-cut pj-quiet">${ago(num(r.at))}${r.said ? ` · ${text(r.said)}` : ""}</div></li>`)}
      </ul>`)}</div></div>`;
}
