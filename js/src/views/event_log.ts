import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { Chips, Copy, Search } from "../controls";
import { Detail } from "../event_log/detail";
import { FacetPanel, type Asked } from "../event_log/facets";
import { Held, paused, scrolled, shownOf, type Hold } from "../event_log/follow";
import { Rows, type Place } from "../event_log/rows";
import { many, text, visible, type Frame } from "../frame";
import { BLOCK } from "../grid";
import { html } from "../html";
import { Shell } from "../shell";
import { Superseded } from "../transport";
import type { View } from "../view";

interface State {
  version: number;
  /** Another one when others stand at the places. */
  order: string;
  /** Of a past log, in words. */
  moment: string | null;
  position: number;
  count: number | null;
  filters: Record<string, string>;
  asked: Asked;
  picked: string[];
  event: string | null;
  python: string;
}

const SAY_MS = 1_000;
const ignored = (error: unknown): void => {
  if (!(error instanceof Superseded)) console.debug(error);
};

/** The log of a lab: followed, held, filtered; each event whole. */
export default function EventLog({ view }: { view: View }): VNode {
  const state = view.part<State>("state").value;
  if (!state) return html`<${Shell} view=${view}><div class="pj-empty">Waiting for the log…</div><//>`;
  return html`<${Body} view=${view} state=${state} />`;
}

function Body({ view, state }: { view: View; state: State }): VNode {
  const tail = view.part<Frame>("tail").value;
  const [held] = useState(() => new Held());
  const [tick, draw] = useReducer((n: number) => n + 1, 0);
  const [hold, setHold] = useState<Hold>({ isPaused: false, isReading: false, held: 0 });
  const [aim, setAim] = useState<number | null>(null);
  const [goal, setGoal] = useState<{ place: number } | null>(null);
  const [isHidden, setHidden] = useState(false);
  const [isFiltering, setFiltering] = useState(false);
  // Until they are counted, the last events stand at the first places.
  const places = `${state.order} ${state.count === null}`;
  const order = useRef(places);
  const root = useRef<HTMLDivElement>(null);
  if (order.current !== places) held.clear();
  held.take(tail, state.count);
  const total = held.total;
  if (order.current !== places) {
    // At once, or this drawing would show other events at the places where somebody read.
    order.current = places;
    hold.isReading = false;
    hold.held = total;
  }
  const isAiming = aim !== null && !hold.isPaused && !hold.isReading;
  const count = shownOf(isAiming ? { ...hold, held: aim } : hold, total, isAiming);
  const waiting = total - count;
  const isPast = state.moment !== null;
  const isFollowing = !hold.isPaused && !hold.isReading;

  const asking = useRef(new Set<number>());
  const version = useRef(state.version);
  const fetch = (n: number): void => {
    if (asking.current.has(n)) return;
    asking.current.add(n);
    const asked = version.current;
    const come = (found?: Frame): void => {
      asking.current.delete(n);
      if (found && asked === version.current) held.put(n, found);
      draw(0);
    };
    view.request<Frame>("rows", { start: n * BLOCK, count: BLOCK }, `rows ${n % 3}`).then(come, (error: unknown) => {
      if (error instanceof Superseded) come();
      else asking.current.delete(n);
    });
  };
  useEffect(() => {
    if (state.count === null) view.request("count", {}).catch(ignored);
  }, [state.order, state.count === null]);
  useEffect(() => {
    if (version.current === state.version) return;
    version.current = state.version;
    for (const block of held.renew()) fetch(block);
    draw(0);
  }, [state.version]);

  const act = (op: string, args: Record<string, unknown>): void => void view.request(op, args).catch(ignored);
  const pick = (events: string[]): void => {
    setHidden(false);
    act("pick", { events });
  };
  const look = (place: number, isMore: boolean): void => {
    const id = held.at(place)?.id;
    if (id === undefined) return;
    if (!hold.isReading && place < count - 1) setHold(scrolled(hold, count, false));
    const rest = state.picked.filter((p) => p !== id);
    pick(isMore ? (rest.length < state.picked.length ? rest : [...rest, id]) : [id]);
  };
  const go = async (event: string): Promise<void> => {
    const found = await view.request<{ place: number; is_shown: boolean }>("find", { event });
    setHold((now) => ({ ...now, isReading: true, held: Math.max(count, found.place + 1) }));
    setGoal({ place: found.place });
    pick([event]);
    setHidden(!found.is_shown);
  };
  const resume = (): void => setHold({ isPaused: false, isReading: false, held: total });
  const pause = (): void => setHold(paused(hold, count));
  const key = (name: string): boolean => {
    if (name === "p" && !isPast) pause();
    else if (name === "f" && !isPast) resume();
    else if (name === "Escape" && (state.event !== null || state.picked.length)) pick([]);
    else if (name === "/") root.current?.closest(".pj-view")?.querySelector<HTMLInputElement>("input[type=search]")?.focus();
    else return false;
    return true;
  };
  const place: Place = {
    at: (n) => held.at(n),
    see: (first, last) => {
      if (state.count === null) return;
      held.missing(first, last).forEach(fetch);
    },
    scrolled: (isAtEnd) => setHold((now) => scrolled(now, count, isAtEnd)),
    aim: (isOn) => setAim((now) => (isOn ? (now ?? count) : null)),
    pick: look,
    key,
  };
  const filter = (by: string, values: string[]): void => act("filter", { by, values });
  const only = (by: string, value: string): void => filter(by, by === "without" ? [...state.asked.without, value] : [value]);
  const isFiltered = Object.keys(state.filters).length > 0;
  const whole = many(state.position, "event");
  const counts = [state.count === null ? (isPast ? "counting" : `counting, ${whole}`) : isFiltered && !isPast ? `${text(state.count)} of ${whole}` : many(state.count, "event")];
  if (state.picked.length > 1) counts.push(`${text(state.picked.length)} picked`);
  if (hold.isPaused) counts.push("paused");
  return html`
    <${Shell} view=${view} counts=${counts} moment=${state.moment} actions=${html`
      <${Search} label="Search the content" value=${state.asked.search} onSearch=${(words: string) => filter("search", words ? [words] : [])} />
      <button type="button" class="pj-button" aria-expanded=${isFiltering} onClick=${() => setFiltering(!isFiltering)}>Filter</button>
      ${isPast ? null : html`<button type="button" class="pj-button pj-pause" aria-pressed=${hold.isPaused} title=${hold.isPaused ? "Go on at the end (p)" : "Hold what is shown (p)"} onClick=${pause}>${hold.isPaused ? "Resume" : "Pause"}</button>`}
      <button type="button" class="pj-button" disabled=${!isFiltered && !state.picked.length} onClick=${() => act("clear", {})}>Clear</button>
      <${Copy} python=${state.python} />`}>
      <${Chips} filters=${state.filters} onRemove=${(chip: string) => act("remove", { chip })} />
      ${isFiltering ? html`<${FacetPanel} view=${view} asked=${state.asked} version=${state.version} count=${total} filter=${filter} />` : null}
      <div class=${state.event === null ? "pj-log" : "pj-log pj-log-split"} ref=${root}>
        <div class="pj-log-main">
          <${Rows} label=${`${visible(view.title)}, the newest last`} count=${count} most=${state.position} isFollowing=${isFollowing} picked=${new Set(state.picked)}
            looked=${state.event} goal=${goal} place=${place} tick=${tick} />
          ${waiting > 0 ? html`<button type="button" class="pj-log-pill" onClick=${resume}>${text(waiting)} new ↓</button>` : null}
          ${total === 0 && state.count !== null ? html`<div class="pj-log-none pj-empty">${isFiltered ? "No event is left. Take a filter away." : isPast ? "Nothing had happened by then." : "Nothing has happened yet."}</div>` : null}
        </div>
        ${state.event === null ? null : html`<${Detail} view=${view} event=${state.event} isHidden=${isHidden} acts=${{ go: (e: string) => void go(e).catch(ignored), only, close: () => pick([]) }} />`}
      </div>
      <${Said} words=${waiting > 0 ? `${text(waiting)} new events` : ""} />
    <//>`;
}

/** Tells those who listen, at most once a second. */
function Said({ words }: { words: string }): VNode {
  const [said, setSaid] = useState("");
  const now = useRef(words);
  now.current = words;
  useEffect(() => {
    const timer = setInterval(() => setSaid(now.current), SAY_MS);
    return () => clearInterval(timer);
  }, []);
  return html`<div class="pj-log-unseen" role="status" aria-label="New events">${said}</div>`;
}
