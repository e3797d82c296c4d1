import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { Chips, Copy } from "../controls";
import { many, text, visible } from "../frame";
import { html } from "../html";
import { useNewest } from "../newest";
import { Shell } from "../shell";
import { bars, between, marks, moved, sums, when, widened, zoomed, type Buckets } from "../timeline/axis";
import { FEW, folded, inBuckets, sum, type Lane, type Shown } from "../timeline/lanes";
import { Superseded } from "../transport";
import type { View } from "../view";

interface State {
  version: number;
  /** Of a past log, in words. */
  moment: string | null;
  by: string;
  shown: Shown | null;
  brush: [number, number] | null;
  picked: (string | null)[];
  isZoomed: boolean;
  follow: boolean;
  filters: Record<string, string>;
  python: string;
}

const LANE_PX = 20;
const TOTAL_PX = 40;
const KEYS = "Arrows left and right move the brush, with Shift they widen it, Enter selects, Escape clears. Arrows up and down go through the lanes, Space picks one. Plus and minus zoom, 0 shows the whole log.";

let timelines = 0;

const ignored = (error: unknown): void => {
  if (!(error instanceof Superseded)) console.debug(error);
};

/** When events happened, in lanes; a stretch of time is brushed. */
export default function Timeline({ view }: { view: View }): VNode {
  const state = view.part<State>("state").value;
  const act = (op: string, args: Record<string, unknown> = {}): Promise<unknown> => view.request(op, args).catch(ignored);
  if (!state) return html`<${Shell} view=${view}><div class="pj-empty">Counting the events…</div><//>`;
  const { shown } = state;
  const drop = (name: string): void => void act("drop", { name });
  if (!shown) return html`<${Shell} view=${view} counts=${["0 events"]} moment=${state.moment}><${Chips} filters=${state.filters} onRemove=${drop} /><div class="pj-empty">${state.moment === null ? "Nothing has happened yet." : "Nothing had happened by then."}</div><//>`;
  return html`<${Body} view=${view} state=${state} shown=${shown} act=${act} drop=${drop} />`;
}

interface BodyProps {
  view: View;
  state: State;
  shown: Shown;
  act: (op: string, args?: Record<string, unknown>) => Promise<unknown>;
  drop: (name: string) => void;
}

function Body({ view, state, shown, act, drop }: BodyProps): VNode {
  const { step, first, buckets } = shown;
  const end = first + step * buckets;
  const [id] = useState(() => `pj-tl-${++timelines}`);
  const [isOpen, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const [pending, setPending] = useState<Buckets | null>(null);
  const [peek, setPeek] = useState("");
  const lanes = useMemo(() => (isOpen ? shown.lanes : folded(shown.lanes, buckets)), [shown, isOpen]);
  const total = useMemo(() => ({ every: sums(shown.lanes.map((l) => l.every), buckets), some: sums(shown.lanes.map((l) => l.some ?? l.every), buckets) }), [shown]);
  const isFiltered = shown.lanes.some((l) => l.some !== null);
  const count = total.some.reduce((a, b) => a + b, 0);
  const whole = total.every.reduce((a, b) => a + b, 0);
  const most = Math.max(1, ...lanes.flatMap((l) => l.every));
  const time = (bucket: number): number => first + bucket * step;
  const applied: Buckets | null = state.brush && inBuckets(state.brush, shown);
  const brush: [number, number] | null = pending ? [time(pending[0]), time(pending[1] + 1)] : state.brush;

  const send = useNewest<Buckets>(([a, z]) => act("brush", { low: time(a), high: time(z + 1) }));
  const isExact = state.brush !== null && applied !== null && time(applied[0]) === state.brush[0] && time(applied[1] + 1) === state.brush[1];
  /** What is brushed, if it ends where buckets end. */
  const inside: Buckets | null = pending ?? (isExact ? applied : null);
  const appliedSaid = (): string => {
    if (!state.brush || !applied) return "";
    return isExact ? told(applied) : `${when(state.brush[0], 1000)} – ${when(state.brush[1], 1000)} UTC`;
  };
  const told = (b: Buckets, lane?: Lane): string => {
    const n = sum(lane ? (lane.some ?? lane.every) : total.some, b);
    return `${when(time(b[0]), step)} – ${when(time(b[1] + 1), step)} UTC: ${many(n, "event")}${lane ? ` of ${visible(lane.label)}` : ""}`;
  };
  const say = (b: Buckets, lane?: Lane): void => setPeek(told(b, lane));
  const clear = (): void => {
    setPending(null);
    if (state.brush) void act("brush");
    setPeek("");
  };
  const pick = (lane: Lane | undefined, isMore: boolean): void => {
    if (!lane || lane.is_rest) return;
    const had = state.picked.includes(lane.key);
    const kept = isMore ? state.picked.filter((k) => k !== lane.key) : [];
    void act("pick", { lanes: had ? kept : [...kept, lane.key] });
  };
  const zoom = (place: number, factor: number): void => {
    const [a, z] = zoomed(first, end, place, factor);
    const [low, high] = [Math.max(a, shown.whole[0]), Math.min(z, shown.whole[1])];
    const isAll = low >= high || (low === shown.whole[0] && high === shown.whole[1]);
    void act("zoom", isAll ? {} : { low, high });
  };
  const zoomIn = (): void => {
    if (brush) void act("zoom", { low: brush[0], high: brush[1] });
    else zoom(0.5, 0.5);
  };
  useEffect(() => setPending(null), [state.brush?.[0], state.brush?.[1], step, first]);
  useEffect(() => setAt((n) => Math.min(n, lanes.length - 1)), [lanes.length]);

  const onKey = (event: KeyboardEvent): void => {
    const by = event.ctrlKey || event.metaKey ? 10 : 1;
    const now = pending ?? applied;
    const go = (b: Buckets): void => {
      setPending(b);
      say(b);
    };
    const start: Buckets = [buckets - 1, buckets - 1];
    const key = event.key;
    if (key === "ArrowRight" || key === "ArrowLeft") {
      const d = key === "ArrowRight" ? by : -by;
      go(!now ? start : event.shiftKey ? widened(now, d, buckets) : moved(now, d, buckets));
    } else if (key === "Home" || key === "End") go(moved(now ?? start, key === "Home" ? -buckets : buckets, buckets));
    else if (key === "Enter" && pending) send(pending);
    else if (key === "Escape") {
      if (!pending && !state.brush) return;
      if (pending) setPending(null);
      else clear();
    } else if (key === "ArrowUp" || key === "ArrowDown") {
      const next = Math.max(0, Math.min(lanes.length - 1, at + (key === "ArrowDown" ? 1 : -1)));
      setAt(next);
      if (now) say(now, lanes[next]);
    } else if (key === " ") pick(lanes[at], event.ctrlKey || event.shiftKey || event.metaKey);
    else if (key === "+" || key === "=") zoomIn();
    else if (key === "-") zoom(0.5, 2);
    else if (key === "0") void act("zoom");
    else return;
    event.preventDefault();
  };
  const counts = [isFiltered ? `${text(count)} of ${many(whole, "event")}` : many(whole, "event")];
  if (state.isZoomed) counts.push(`of ${text(shown.events)} in the log`);
  if (shown.by === "rows") counts.push("counted from the rows");
  const canClear = state.brush !== null || state.picked.length > 0;
  const button = (label: string, onClick: () => void, words = label, disabled = false, hint = ""): VNode =>
    html`<button type="button" class="pj-button" aria-label=${label} title=${hint || label} disabled=${disabled} onClick=${onClick}>${words}</button>`;
  return html`
    <${Shell} view=${view} counts=${counts} moment=${state.moment} actions=${html`
      ${button("Zoom in", zoomIn, "+", false, "Zoom into the brush, or into the middle. Also: a double click, +, Ctrl and the wheel.")}${button("Zoom out", () => zoom(0.5, 2), "−", !state.isZoomed)}
      ${button("Whole log", () => void act("zoom"), "Whole log", !state.isZoomed)}
      ${state.moment === null ? html`<label class="pj-tl-follow"><input type="checkbox" role="switch" checked=${state.follow} onChange=${() => void act("follow_end", { on: !state.follow })} />Follow</label>` : null}
      ${button("Clear", () => void act("clear"), "Clear", !canClear)}
      <${Copy} python=${state.python} />`}>
      <${Chips} filters=${state.filters} onRemove=${drop} />
      <${Plot} id=${id} view=${view} state=${state} shown=${shown} lanes=${lanes} total=${total} isFiltered=${isFiltered} most=${most} at=${at} brush=${brush} inside=${inside} isPending=${pending !== null}
        onKey=${onKey} onZoom=${zoom} onZoomIn=${zoomIn} onPick=${(n: number, isMore: boolean) => { setAt(n); pick(lanes[n], isMore); }}
        onDrag=${(b: Buckets) => { setPending(b); say(b); send(b); }} onClick=${clear}
        onPeek=${(b: number | null, lane?: Lane) => (b === null ? setPeek("") : say([b, b], lane))} />
      <div class="pj-tl-under">
        <span class="pj-tl-said" role="status">${peek || appliedSaid()}</span>
        ${shown.lanes.length > FEW + 1 ? html`<button type="button" class="pj-button" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>${isOpen ? "Fewer lanes" : `All ${text(shown.lanes.length)} lanes`}</button>` : null}
      </div>
    <//>`;
}

interface PlotProps {
  id: string;
  view: View;
  state: State;
  shown: Shown;
  lanes: Lane[];
  total: { every: number[]; some: number[] };
  isFiltered: boolean;
  most: number;
  at: number;
  brush: [number, number] | null;
  inside: Buckets | null;
  isPending: boolean;
  onKey: (event: KeyboardEvent) => void;
  onZoom: (place: number, factor: number) => void;
  onZoomIn: () => void;
  onPick: (lane: number, isMore: boolean) => void;
  onDrag: (b: Buckets) => void;
  onClick: () => void;
  onPeek: (bucket: number | null, lane?: Lane) => void;
}

function Plot(props: PlotProps): VNode {
  const { id, view, state, shown, lanes, total, isFiltered, most, at, brush } = props;
  const area = useRef<HTMLDivElement>(null);
  const whole = useRef<HTMLDivElement>(null);
  const from = useRef<{ x: number; place: number; isMoved: boolean } | null>(null);
  const [wide, setWide] = useState(600);
  const { step, first, buckets } = shown;
  const end = first + step * buckets;
  const percent = (ms: number): number => Math.max(0, Math.min(100, (100 * (ms - first)) / (end - first)));
  const place = (event: MouseEvent): number => {
    const box = area.current?.getBoundingClientRect();
    return box ? Math.max(0, Math.min(0.999999, (event.clientX - box.left) / Math.max(1, box.width))) : 0;
  };
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    const box = area.current;
    const root = whole.current;
    if (!box || !root) return;
    const seen = new ResizeObserver(() => setWide(box.clientWidth));
    seen.observe(box);
    const wheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      latest.current.onZoom(place(event), event.deltaY < 0 ? 0.5 : 2);
    };
    root.addEventListener("wheel", wheel, { passive: false });
    return () => {
      seen.disconnect();
      root.removeEventListener("wheel", wheel);
    };
  }, []);
  useEffect(() => {
    if (whole.current?.contains(document.activeElement)) whole.current.querySelector(`#${id}-${at}`)?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const isOnTime = (event: MouseEvent): boolean => !(event.target as HTMLElement).closest(".pj-tl-label");
  const onDown = (event: PointerEvent): void => {
    if (event.button !== 0 || !isOnTime(event)) return;
    event.preventDefault();
    whole.current?.setPointerCapture(event.pointerId);
    whole.current?.querySelector<HTMLElement>("[role=listbox]")?.focus({ preventScroll: true });
    from.current = { x: event.clientX, place: place(event), isMoved: false };
  };
  const onMove = (event: PointerEvent): void => {
    const held = from.current;
    if (!held) {
      if (!isOnTime(event)) return;
      const row = (event.target as HTMLElement).closest<HTMLElement>("[data-row]");
      props.onPeek(Math.floor(place(event) * buckets), row ? lanes[Number(row.dataset["row"])] : undefined);
      return;
    }
    if (Math.abs(event.clientX - held.x) > 3) held.isMoved = true;
    if (held.isMoved) props.onDrag(between(held.place, place(event), buckets));
  };
  const onUp = (): void => {
    if (from.current && !from.current.isMoved) props.onClick();
    from.current = null;
  };
  const axis = marks(first, end, wide);
  const isPicking = state.picked.length > 0;
  const said = `${visible(view.title)}: ${lanes.length} lanes, ${when(first, step)} to ${when(end, step)} UTC`;
  const top = Math.max(1, ...total.every);
  return html`
    <div class="pj-tl" ref=${whole} data-version=${state.version} data-by=${shown.by} onPointerDown=${onDown} onPointerMove=${onMove} onPointerUp=${onUp}
      onPointerCancel=${() => (from.current = null)} onPointerLeave=${() => { if (!from.current) props.onPeek(null); }} onDblClick=${(e: MouseEvent) => { if (isOnTime(e)) props.onZoomIn(); }}>
      <span id=${`${id}-keys`} class="pj-tl-keys">${KEYS}</span>
      <div class="pj-tl-row pj-tl-whole" aria-hidden="true">
        <span class="pj-tl-label"><b>All events</b></span>
        <${Strip} every=${total.every} some=${isFiltered ? total.some : null} most=${top} px=${TOTAL_PX} buckets=${buckets} />
      </div>
      <div class="pj-tl-lanes" role="listbox" tabindex="0" aria-multiselectable="true" aria-label=${said} aria-describedby=${`${id}-keys`}
        aria-activedescendant=${lanes.length ? `${id}-${at}` : undefined} onKeyDown=${props.onKey}>
        ${lanes.map((lane, n) => {
          const isPicked = state.picked.includes(lane.key) && !lane.is_rest;
          const kind = `pj-tl-row${isPicked ? " pj-tl-picked" : isPicking ? " pj-tl-quiet" : ""}${n === at ? " pj-at" : ""}`;
          const count = props.inside ? sum(lane.some ?? lane.every, props.inside) : lane.count;
          const of = lane.some || props.inside ? `${text(count)} of ${many(lane.total, "event")}` : many(lane.total, "event");
          return html`
            <div key=${lane.is_rest ? "others" : `=${lane.key}`} id=${`${id}-${n}`} class=${kind} role="option" aria-selected=${isPicked} data-row=${n} aria-label=${`${visible(lane.label)}: ${of}`} data-lane=${visible(lane.label)}>
              <span class="pj-tl-label" title=${`${visible(lane.label)}: ${of}${lane.is_rest ? "" : ". Click to pick, Ctrl-click to pick more."}`} onClick=${(e: MouseEvent) => props.onPick(n, e.ctrlKey || e.metaKey || e.shiftKey)}>
                <span class="pj-tl-name">${visible(lane.label)}</span><span class="pj-tl-count">${text(count)}</span>
              </span>
              <${Strip} every=${lane.every} some=${lane.some} most=${most} px=${LANE_PX} buckets=${buckets} />
            </div>`;
        })}
      </div>
      <div class="pj-tl-row pj-tl-axis" aria-hidden="true">
        <span class="pj-tl-label pj-quiet">UTC</span>
        <div class="pj-tl-ticks">${axis.map(({ ms, place, label, side }) => (side === "none" ? null : html`<span key=${ms} class=${side === "before" ? "pj-tl-last" : ""} style=${{ left: `${100 * place}%` }}>${label}</span>`))}</div>
      </div>
      <div class="pj-tl-area" ref=${area} aria-hidden="true">
        ${axis.map(({ ms, place }) => html`<i key=${ms} class="pj-tl-tick" style=${{ left: `${100 * place}%` }} />`)}
        ${brush && brush[1] > first && brush[0] < end ? html`<div class=${`pj-tl-brush${props.isPending ? " pj-tl-pending" : ""}`} data-from=${new Date(brush[0]).toISOString()} data-to=${new Date(brush[1]).toISOString()}
          style=${{ left: `${percent(brush[0])}%`, width: `max(2px, ${percent(brush[1]) - percent(brush[0])}%)` }} />` : null}
      </div>
    </div>`;
}

function Strip({ every, some, most, px, buckets }: { every: number[]; some: number[] | null; most: number; px: number; buckets: number }): VNode {
  const ghost = useMemo(() => (some ? bars(every, most, px) : ""), [every, some === null, most]);
  const solid = useMemo(() => bars(some ?? every, most, px), [every, some, most]);
  return html`
    <svg class="pj-tl-strip" viewBox=${`0 0 ${buckets} ${px}`} preserveAspectRatio="none" style=${{ height: `${px}px` }} aria-hidden="true">
      ${some ? html`<path class="pj-tl-ghost" d=${ghost} />` : null}<path class="pj-tl-solid" d=${solid} />
    </svg>`;
}
