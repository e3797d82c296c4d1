/** The slider over a whole log: density of events behind it, one handle or two, every key and the mouse. */
import { useMemo, useRef } from "preact/hooks";
import type { VNode } from "preact";
import { text } from "./frame";
import { html } from "./html";

export type Clock = "position" | "world" | "commit";
/** A position, or microseconds since 1970; null is now. */
export type Value = number | null;
export type Which = "at" | "against";
export interface Span {
  clock: Clock;
  low: number;
  high: number;
  edges: number[];
  density: number[];
  erased: number;
  position: number;
}

/** A value of a clock, exact, as it may be typed. */
export function written(clock: Clock, value: Value): string {
  if (value === null) return "now";
  if (clock === "position") return String(value);
  const ms = Math.floor(value / 1000);
  if (!(Math.abs(ms) <= 8.64e15)) return "";
  const micros = `${new Date(ms).toISOString().slice(20, 23)}${String(value - ms * 1000).padStart(3, "0")}`.replace(/0+$/, "");
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ") + (micros ? `.${micros}` : "");
}

/** The same for reading. */
export function said(clock: Clock, value: Value): string {
  if (value === null) return "now";
  return clock === "position" ? `event ${text(value)}` : `${written(clock, value).slice(0, 23)} UTC`;
}

/** Where a value lies, from 0 to 1; now is the end. */
export function share(span: Span, value: Value): number {
  if (value === null) return 1;
  return Math.max(0, Math.min(1, (value - span.low) / Math.max(1, span.high - span.low)));
}

/** The step at a place from 0 to 1. */
export function stepAt(span: Span, place: number): number {
  return Math.round(Math.max(0, Math.min(1, place)) * (span.edges.length - 1));
}

/** What a step means: its edge, and the last one is now. */
export function valueOf(span: Span, step: number): Value {
  return step >= span.edges.length - 1 ? null : (span.edges[step] ?? null);
}

/** The handle that is nearer to a place. */
export function nearest(span: Span, values: Partial<Record<Which, Value>>, place: number): Which {
  const far = (which: Which): number => (which in values ? Math.abs(share(span, values[which] ?? null) - place) : Infinity);
  return far("against") < far("at") ? "against" : "at";
}

/** Bars of how many, as one path in a box of a step a column and 40 high; few are seen beside many. */
export function densityPath(density: readonly number[]): string {
  const most = Math.sqrt(Math.max(1, ...density));
  return density.map((n, i) => (n ? `M${i},40v${(-38 * Math.sqrt(n)) / most - 1}h1V40z` : "")).join("");
}

interface Props {
  span: Span;
  values: Partial<Record<Which, Value>>;
  /** A handle is being dragged over a step. */
  onDrag(which: Which, step: number): void;
  /** It was let go. */
  onDrop(which: Which, step: number): void;
  onWalk(which: Which, events: number): void;
  onMove(which: Which, value: Value): void;
}

const NAMES: Record<Which, string> = { at: "Moment", against: "Compared with" };

export function Scale({ span, values, onDrag, onDrop, onWalk, onMove }: Props): VNode {
  const track = useRef<HTMLDivElement>(null);
  const dragged = useRef<Which | null>(null);
  const here = useRef(values); // ahead of what is drawn when keys come fast
  here.current = values;
  const goTo = (which: Which, value: Value): void => {
    here.current = { ...here.current, [which]: value };
    onMove(which, value);
  };
  const bars = useMemo(() => densityPath(span.density), [span]);
  const place = (event: PointerEvent): number => {
    const box = track.current?.getBoundingClientRect();
    return box ? (event.clientX - box.left) / Math.max(1, box.width) : 0;
  };
  const down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const which = nearest(span, values, place(event));
    dragged.current = which;
    track.current?.setPointerCapture?.(event.pointerId);
    track.current?.querySelector<HTMLElement>(`[data-which=${which}]`)?.focus();
    event.preventDefault();
    onDrag(which, stepAt(span, place(event)));
  };
  const move = (event: PointerEvent): void => {
    if (dragged.current) onDrag(dragged.current, stepAt(span, place(event)));
  };
  const up = (event: PointerEvent): void => {
    if (dragged.current) onDrop(dragged.current, stepAt(span, place(event)));
    dragged.current = null;
  };
  const key = (which: Which) => (event: KeyboardEvent): void => {
    const value = here.current[which] ?? null;
    const wide = Math.max(1, Math.round((span.high - span.low) / 20));
    const jump = (by: number): void => {
      const next = (value ?? span.high) + by;
      goTo(which, next > span.high ? null : Math.max(span.low, next));
    };
    const many = event.shiftKey ? 100 : 1;
    if (event.key === "ArrowLeft" || event.key === "ArrowDown") onWalk(which, -many);
    else if (event.key === "ArrowRight" || event.key === "ArrowUp") onWalk(which, many);
    else if (event.key === "PageDown") jump(-wide);
    else if (event.key === "PageUp") jump(wide);
    else if (event.key === "Home") goTo(which, span.low);
    else if (event.key === "End") goTo(which, null);
    else return;
    event.preventDefault();
  };
  const shown = (Object.keys(values) as Which[]).map((which) => [which, values[which] ?? null] as const);
  const places = shown.map(([, v]) => share(span, v));
  const [first, last] = places.length > 1 ? [Math.min(...places), Math.max(...places)] : [0, places[0] ?? 1];
  const steps = span.edges.length;
  return html`
    <div class="pj-track" ref=${track} onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onPointerCancel=${up}>
      <svg class="pj-density" viewBox="0 0 ${steps} 40" preserveAspectRatio="none" aria-hidden="true"><path d=${bars} /></svg>
      <div class="pj-reach" style=${{ left: `${100 * first}%`, width: `${100 * (last - first)}%` }} />
      ${shown.map(([which, value]) => html`
        <div key=${which} data-which=${which} class=${`pj-handle pj-handle-${which}`} style=${{ left: `${100 * share(span, value)}%` }}
          role="slider" tabindex="0" aria-label=${NAMES[which]} aria-valuemin=${span.low} aria-valuemax=${span.high}
          aria-valuenow=${value ?? span.high} aria-valuetext=${said(span.clock, value)} onKeyDown=${key(which)}
          title="Drag, or use the arrows (one event; with Shift a hundred), PageUp, PageDown, Home, End" />`)}
    </div>
    <div class="pj-ends pj-quiet"><span>${said(span.clock, span.low)}</span><span>${said(span.clock, span.high)}</span></div>`;
}
