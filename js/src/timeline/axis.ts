/** Time as a timeline has it: ticks at round times in UTC, bars as paths, brushes in buckets. */

const S = 1_000;
const MIN = 60 * S;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, S, 2 * S, 5 * S, 10 * S, 15 * S, 30 * S, MIN, 2 * MIN, 5 * MIN, 10 * MIN, 15 * MIN, 30 * MIN, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY];
const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1_200, 2_400, 6_000, 12_000];
const NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** A Monday. */
const MONDAY = 4 * DAY;

export type Tick = [ms: number, label: string];

const two = (n: number): string => String(n).padStart(2, "0");

function label(ms: number, step: number): string {
  const d = new Date(ms);
  const day = `${d.getUTCDate()} ${NAMES[d.getUTCMonth()]}`;
  if (step >= DAY) return d.getUTCMonth() === 0 && d.getUTCDate() <= step / DAY ? `${day} ${d.getUTCFullYear()}` : day;
  if (d.getUTCHours() + d.getUTCMinutes() + d.getUTCSeconds() + d.getUTCMilliseconds() === 0) return day;
  const time = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
  if (step >= MIN) return time;
  return step >= S ? `${time}:${two(d.getUTCSeconds())}` : `${time}:${two(d.getUTCSeconds())}.${String(d.getUTCMilliseconds()).padStart(3, "0")}`;
}

/** Round times between two, at most so many. */
export function ticks(low: number, high: number, most: number): Tick[] {
  const step = STEPS.find((s) => (high - low) / s <= most);
  if (step === undefined) return months(low, high, most);
  const found: Tick[] = [];
  for (let at = Math.ceil((low - MONDAY) / step) * step + MONDAY; at <= high; at += step) found.push([at, label(at, step)]);
  return found;
}

function months(low: number, high: number, most: number): Tick[] {
  const number = (ms: number): number => new Date(ms).getUTCFullYear() * 12 + new Date(ms).getUTCMonth();
  const step = MONTHS.find((m) => (number(high) - number(low)) / m <= most) ?? 12_000;
  const found: Tick[] = [];
  for (let n = Math.ceil(number(low) / step) * step; n <= number(high); n += step) {
    const at = new Date(0).setUTCFullYear(Math.floor(n / 12), n % 12, 1);
    const year = String(Math.floor(n / 12));
    if (at >= low && at <= high) found.push([at, step >= 12 ? year : `${NAMES[n % 12]} ${year}`]);
  }
  return found;
}

/** A tick at a place from 0 to 1; `before` it stands its label when there is no room behind, or none at all. */
export interface Mark {
  ms: number;
  place: number;
  label: string;
  side: "after" | "before" | "none";
}

/** Of a letter of 11 px in a wide font; between a tick and its label; least and comfortable room between labels. */
const LETTER_PX = 7;
const INDENT_PX = 3;
const [TIGHT_PX, EASY_PX] = [6, 20];
/** Ticks are never nearer to one another. */
const NEAR_PX = 40;

/** Round times on an axis so many pixels wide, as many as have room; no label touches another or the end. */
export function marks(low: number, high: number, wide: number): Mark[] {
  for (let most = Math.floor(wide / NEAR_PX); most > 1; most--) {
    const found = placed(ticks(low, high, most), low, high, wide, EASY_PX);
    if (found.length > 1 && found.every((m) => m.side !== "none")) return found;
  }
  return placed(ticks(low, high, 2), low, high, wide, TIGHT_PX);
}

function placed(some: Tick[], low: number, high: number, wide: number, room: number): Mark[] {
  let taken = 0;
  return some.map(([ms, label]) => {
    const place = Math.max(0, Math.min(1, (ms - low) / (high - low)));
    const at = place * wide;
    const px = label.length * LETTER_PX + INDENT_PX;
    const side = at >= taken && at + px <= wide ? "after" : at - px >= taken && at + px > wide ? "before" : "none";
    if (side !== "none") taken = (side === "after" ? at + px : at) + room;
    return { ms, place, label, side };
  });
}

/** A time in UTC, no longer than its step needs. */
export function when(ms: number, step: number): string {
  if (!(Math.abs(ms) <= 8.64e15)) return "";
  const iso = new Date(ms).toISOString().replace("T", " ").replace("Z", "");
  const isDay = step % DAY === 0 && ms % DAY === 0;
  return isDay ? iso.slice(0, -13) : step % MIN === 0 && ms % MIN === 0 ? iso.slice(0, -7) : step % S === 0 && ms % S === 0 ? iso.slice(0, -4) : iso;
}

/** Bars as one path in a box of one a bucket and `height` high. Few are seen beside many: heights go by the square root. */
export function bars(counts: readonly number[], most: number, height: number): string {
  const top = Math.sqrt(Math.max(1, most));
  let path = "";
  for (let i = 0; i < counts.length; i++) {
    const n = counts[i] ?? 0;
    if (n) path += `M${i},${height}v${-Math.max(2, (height * Math.sqrt(n)) / top).toFixed(1)}h1V${height}z`;
  }
  return path;
}

/** First and last bucket, both in it. */
export type Buckets = readonly [number, number];

const within = (n: number, count: number): number => Math.max(0, Math.min(count - 1, n));

/** The buckets between two places from 0 to 1. */
export function between(a: number, b: number, count: number): Buckets {
  const at = (place: number): number => within(Math.floor(place * count), count);
  return [Math.min(at(a), at(b)), Math.max(at(a), at(b))];
}

/** A brush moved by so many buckets, as wide as it was. */
export function moved([a, b]: Buckets, by: number, count: number): Buckets {
  const d = Math.max(-a, Math.min(count - 1 - b, by));
  return [a + d, b + d];
}

/** A brush with another end; it never turns over. */
export function widened([a, b]: Buckets, by: number, count: number): Buckets {
  return [a, Math.max(a, within(b + by, count))];
}

/** Sums of several rows of counts. */
export function sums(rows: readonly (readonly number[])[], count: number): number[] {
  const made = new Array<number>(count).fill(0);
  for (const row of rows) for (let i = 0; i < count; i++) made[i] = (made[i] ?? 0) + (row[i] ?? 0);
  return made;
}

/** A stretch of time zoomed by a factor around a place from 0 to 1; never shorter than ten milliseconds. */
export function zoomed(low: number, high: number, place: number, factor: number): [number, number] {
  const span = Math.max(10, (high - low) * factor);
  const start = low + (high - low) * place - span * place;
  return [start, start + span];
}
