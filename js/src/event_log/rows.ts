/** The rows of a log: any number of them, the last at the bottom; one stop for Tab, arrows inside. */
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { Scroll, type Event } from "./follow";
import { num, stamp, text, visible } from "../frame";
import { MOST_PX, ROW_PX } from "../grid";
import { html } from "../html";

const ROWS = 16;
const FEWEST = 4;
const BODY_PX = ROWS * ROW_PX;
const AIM_MS = 1_500;
const COLUMNS = ["position", "happened", "event", "persona", "actor", "what"];

export interface Place {
  at(place: number): Event | undefined;
  /** These are in sight. */
  see(first: number, last: number): void;
  /** The last one is in sight, or no longer. */
  scrolled(isAtEnd: boolean): void;
  /** The pointer is over the rows and moves, or no longer. */
  aim(isAiming: boolean): void;
  pick(place: number, isMore: boolean): void;
  key(key: string): boolean;
}
interface Props {
  label: string;
  count: number;
  /** The highest position in the log. */
  most: number;
  isFollowing: boolean;
  picked: ReadonlySet<string>;
  looked: string | null;
  /** Go to this place: a new object each time. */
  goal: { place: number } | null;
  place: Place;
  tick: number;
}

let lists = 0;

export function Rows(props: Props): VNode {
  const { count, place, isFollowing, goal } = props;
  const [id] = useState(() => `pj-log-${++lists}`);
  const [scroll] = useState(() => new Scroll(BODY_PX));
  const box = useRef<HTMLDivElement>(null);
  const [, draw] = useReducer((n: number) => n + 1, 0);
  const [at, setAt] = useState(-1); // -1: the last one, whichever it is
  const top = box.current?.scrollTop ?? 0;
  const first = isFollowing ? Math.max(0, count - scroll.visible) : scroll.first(top, count);
  const last = Math.min(count - 1, first + scroll.visible);
  const cursor = at < 0 ? count - 1 : Math.min(at, count - 1);

  const stand = (row: number): void => {
    const el = box.current;
    if (!el) return;
    el.scrollTop = scroll.to(row, count);
    scroll.stands(el.scrollTop, Math.max(0, Math.min(count - scroll.visible, Math.round(row))));
    draw(0);
  };
  useLayoutEffect(() => {
    if (isFollowing) stand(count);
  }, [count, isFollowing]);
  useLayoutEffect(() => {
    if (!goal) return;
    setAt(goal.place);
    stand(goal.place - Math.floor(scroll.visible / 2));
  }, [goal]);
  useEffect(() => place.see(first, Math.max(first, last)), [first, last, count, props.tick]);
  useWheel(box, scroll, count, first, (row) => {
    stand(row);
    place.scrolled(row >= count - scroll.visible);
  });
  const aiming = useAim(place);

  const onScroll = (): void => {
    const el = box.current;
    if (!el) return;
    place.scrolled(el.scrollTop + el.clientHeight >= el.scrollHeight - 2);
    draw(0);
  };
  const go = (row: number): void => {
    const next = Math.max(0, Math.min(count - 1, row));
    setAt(next === count - 1 ? -1 : next);
    place.scrolled(next === count - 1);
    if (next < first) stand(next);
    else if (next >= first + scroll.visible) stand(next - scroll.visible + 1);
    if (props.looked !== null) place.pick(next, false);
  };
  const onKey = (e: KeyboardEvent): void => {
    const page = scroll.visible - 1;
    const moves: Record<string, number> = { ArrowDown: cursor + 1, ArrowUp: cursor - 1, j: cursor + 1, k: cursor - 1, PageDown: cursor + page, PageUp: cursor - page, Home: 0, End: count - 1 };
    const to = moves[e.key];
    if (to !== undefined) go(to);
    else if (e.key === "Enter" || e.key === " ") place.pick(cursor, e.key === " ");
    else if (!place.key(e.key)) return;
    e.preventDefault();
  };
  const rows: VNode[] = [];
  for (let n = first; n <= last; n++) {
    rows.push(html`<${Row} key=${n} id=${`${id}-${n}`} place=${n} event=${place.at(n)} isAt=${n === cursor} picked=${props.picked} looked=${props.looked}
      onPick=${(isMore: boolean) => { setAt(n === count - 1 ? -1 : n); place.pick(n, isMore); }} />`);
  }
  return html`
    <div class="pj-log-box" ref=${box} tabindex="0" role="grid" aria-label=${visible(props.label)} aria-multiselectable="true" aria-rowcount=${count + 1}
      aria-colcount=${COLUMNS.length} aria-activedescendant=${count ? `${id}-${cursor}` : undefined} style=${{ height: `${(Math.max(FEWEST, Math.min(ROWS, count)) + 1) * ROW_PX}px`, "--pj-log-wide": `calc(${Math.max(8, text(props.most).length)}ch + 24px)` }}
      onKeyDown=${onKey} onScroll=${onScroll}>
      <div class="pj-row pj-log-head" role="row" aria-rowindex="1">
        ${COLUMNS.map((name, n) => html`<div key=${name} role="columnheader" aria-colindex=${n + 1} class=${`pj-cell pj-log-${name}`}>${name}</div>`)}
      </div>
      <div role="presentation" class="pj-grid-body" style=${{ height: `${Math.min(MOST_PX, count * ROW_PX)}px` }} ...${aiming}>
        <div role="presentation" style=${{ transform: `translateY(${scroll.to(first, count)}px)` }}>${rows}</div>
      </div>
    </div>`;
}

/** Where a pixel is many rows, the wheel still moves by rows. */
function useWheel(box: { current: HTMLDivElement | null }, scroll: Scroll, count: number, first: number, go: (row: number) => void): void {
  const now = useRef({ count, first, go });
  now.current = { count, first, go };
  useEffect(() => {
    const el = box.current;
    const turned = (e: WheelEvent): void => {
      const { count: some, first: from, go: to } = now.current;
      if (!scroll.isScaled(some) || e.ctrlKey || !e.deltaY) return;
      e.preventDefault();
      const rows = e.deltaMode === 1 ? e.deltaY : e.deltaY / ROW_PX;
      to(Math.max(0, Math.min(some - scroll.visible, from + (Math.round(rows) || Math.sign(rows)))));
    };
    el?.addEventListener("wheel", turned, { passive: false });
    return () => el?.removeEventListener("wheel", turned);
  }, []);
}

/** A pointer that moves over the rows is about to hit one: they hold still until it rests or leaves. */
function useAim(place: Place): Record<string, () => void> {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const now = useRef(place);
  now.current = place;
  const rest = (): void => {
    clearTimeout(timer.current);
    now.current.aim(false);
  };
  const aim = (): void => {
    clearTimeout(timer.current);
    timer.current = setTimeout(rest, AIM_MS);
    now.current.aim(true);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return { onPointerMove: aim, onPointerDown: aim, onPointerLeave: rest };
}

interface RowProps {
  id: string;
  place: number;
  event: Event | undefined;
  isAt: boolean;
  picked: ReadonlySet<string>;
  looked: string | null;
  onPick: (isMore: boolean) => void;
}

function Row({ id, place, event: e, isAt, picked, looked, onPick }: RowProps): VNode {
  const isPicked = e !== undefined && picked.has(e.id);
  const kind = `pj-row${isPicked ? " pj-picked" : ""}${isAt ? " pj-at" : ""}${e && e.id === looked ? " pj-looked" : ""}`;
  const cell = (n: number, shown: VNode | string, hint?: string): VNode =>
    html`<div role="gridcell" aria-colindex=${n + 1} class=${`pj-cell pj-log-${COLUMNS[n]}`} title=${hint}>${shown}</div>`;
  const click = (m: MouseEvent): void => onPick(m.ctrlKey || m.metaKey || m.shiftKey);
  if (!e) return html`<div class=${kind} role="row" id=${id} aria-rowindex=${place + 2} aria-busy="true"><div role="gridcell" class="pj-cell pj-log-wait">…</div></div>`;
  const when = stamp(num(e.occurred));
  return html`
    <div class=${kind} role="row" id=${id} aria-rowindex=${place + 2} aria-selected=${isPicked} onClick=${click}>
      ${cell(0, text(e.seq))}
      ${cell(1, html`<span class="pj-log-date"><span class="pj-log-year">${when.slice(0, 5)}</span>${when.slice(5, 10)} </span>${when.slice(11)}`, `happened ${when}, committed ${stamp(num(e.committed))} UTC`)}
      ${cell(2, html`<${Name} name=${e.name} mark=${e.mark} />`, visible(e.name))}
      ${cell(3, e.persona !== null ? visible(e.persona) : html`<span class="pj-quiet">${visible((e.personaId ?? "").slice(0, 8))}</span>`, visible(e.persona ?? e.personaId ?? ""))}
      ${cell(4, visible(e.actor), visible(e.actor))}
      ${cell(5, visible(e.said), e.said.length > 24 ? visible(e.said) : undefined)}
    </div>`;
}

const MARKS: Record<string, string> = { unknown: "Nobody declares this event.", old: "An older version; it is read as a newer one.", erased: "Its content was erased with its persona." };

/** The name of an event, its version quiet, and what is odd about it. */
export function Name({ name, mark }: { name: string; mark: string }): VNode {
  const dot = /^v\d+\./.exec(name)?.[0] ?? "";
  return html`<span class="pj-quiet pj-log-version">${dot}</span>${visible(name.slice(dot.length))}${mark ? html` <span class="pj-log-mark" title=${MARKS[mark]}>${mark}</span>` : null}`;
}
