/** What of a growing log is shown: followed to its end, or held where somebody reads. */
import type { Cell, Frame } from "../frame";
import { BLOCK, MOST_PX, ROW_PX, firstRow, placeOf } from "../grid";

const MOST_BLOCKS = 30;
const MOST_PASSED = 400;

/** `paused` by the button, `reading` because one has scrolled up; both hold what is shown. */
export interface Hold {
  isPaused: boolean;
  isReading: boolean;
  /** So many events are shown while it is held. */
  held: number;
}

/** How many events are shown of how many there are. */
export function shownOf(hold: Hold, total: number, isAiming: boolean): number {
  return hold.isPaused || hold.isReading || isAiming ? Math.min(hold.held, total) : total;
}

/** After scrolling: away from the end holds, back at the end follows again, unless it was paused. */
export function scrolled(hold: Hold, shown: number, isAtEnd: boolean): Hold {
  if (isAtEnd) return hold.isReading ? { ...hold, isReading: false } : hold;
  return hold.isReading ? hold : { ...hold, isReading: true, held: shown };
}

/** The pause button: what is shown stays, or it goes on at the end. */
export function paused(hold: Hold, shown: number): Hold {
  return hold.isPaused ? { isPaused: false, isReading: false, held: shown } : { ...hold, isPaused: true, held: shown };
}

export interface Event {
  seq: number;
  id: string;
  name: string;
  mark: string;
  personaId: string | null;
  persona: string | null;
  actor: string;
  occurred: Cell;
  committed: Cell;
  said: string;
}

function event(frame: Frame, at: number): Event {
  const of = (name: string): Cell => frame.getChild(name)?.at(at);
  const word = (name: string): string | null => (of(name) ?? null) as string | null;
  return {
    seq: Number(of("seq")),
    id: String(of("id")),
    name: word("name") ?? "",
    mark: word("mark") ?? "",
    personaId: word("persona_id"),
    persona: word("persona"),
    actor: word("actor") ?? "",
    occurred: of("occurred_at"),
    committed: of("committed_at"),
    said: word("said") ?? "",
  };
}

/** The events that are here: the last ones, which came by themselves, and blocks that were asked for. */
export class Held {
  total = 0;
  private blocks = new Map<number, Frame>();
  private tail: Frame | undefined;
  /** Events of the tail by their places, also after it has moved on: what is in sight stays there. */
  private passed = new Map<number, Event>();
  private sight: [first: number, last: number] = [0, -1];

  /** Takes the last events; `count` is null before all were counted. */
  take(tail: Frame | undefined, count: number | null): void {
    const total = count ?? tail?.numRows ?? 0;
    if (tail === this.tail && total === this.total) return;
    this.tail = tail;
    this.total = total;
    if (count === null || !tail) return;
    for (let n = 0; n < tail.numRows; n++) this.passed.set(total - tail.numRows + n, event(tail, n));
    for (const place of this.passed.keys()) {
      if (this.passed.size <= MOST_PASSED) break;
      if (place < this.sight[0] || place > this.sight[1]) this.passed.delete(place);
    }
  }

  /** Others stand at the places now. */
  clear(): void {
    this.blocks.clear();
    this.passed.clear();
    this.tail = undefined;
  }

  /** What is here says something old, as a persona's former name; gives the blocks to ask for again. */
  renew(): number[] {
    this.passed.clear();
    const [first, last] = this.sight.map((place) => Math.floor(place / BLOCK)) as [number, number];
    for (const block of this.blocks.keys()) if (block < first || block > last) this.blocks.delete(block);
    return [...this.blocks.keys()];
  }

  put(block: number, frame: Frame): void {
    this.blocks.delete(block);
    this.blocks.set(block, frame);
    const oldest = this.blocks.keys().next();
    if (this.blocks.size > MOST_BLOCKS && !oldest.done) this.blocks.delete(oldest.value);
  }

  at(place: number): Event | undefined {
    const passed = this.passed.get(place);
    if (passed && place < this.total) return passed;
    const tail = this.tail;
    const first = this.total - (tail?.numRows ?? 0);
    if (tail && place >= first && place < this.total) return event(tail, place - first);
    const block = this.blocks.get(Math.floor(place / BLOCK));
    return block && place % BLOCK < block.numRows ? event(block, place % BLOCK) : undefined;
  }

  /** Blocks that the places from first to last need. */
  missing(first: number, last: number): number[] {
    this.sight = [first, last];
    const needed = new Set<number>();
    for (let place = Math.max(0, first); place <= last && place < this.total; place++) {
      if (!this.at(place)) needed.add(Math.floor(place / BLOCK));
    }
    return [...needed];
  }
}

/** Turns places of a scroll bar into rows and back; exact also where a pixel is many rows. */
export class Scroll {
  private anchor = { top: 0, row: 0 };

  constructor(private readonly bodyPx: number) {}

  get visible(): number {
    return Math.floor(this.bodyPx / ROW_PX);
  }

  first(top: number, count: number): number {
    const last = Math.max(0, count - this.visible);
    const row = Math.abs(top - this.anchor.top) < 1 ? this.anchor.row : firstRow(top, count, this.bodyPx);
    return Math.max(0, Math.min(last, row));
  }

  /** Where the scroll bar must stand so that a row is the first in sight. */
  to(row: number, count: number): number {
    const first = Math.max(0, Math.min(count - this.visible, Math.round(row)));
    return placeOf(first, count, this.bodyPx);
  }

  /** The scroll bar stands there, whatever the browser has made of it. */
  stands(top: number, row: number): void {
    this.anchor = { top, row };
  }

  isScaled(count: number): boolean {
    return count * ROW_PX > MOST_PX;
  }
}
