import { tableFromIPC, type Table } from "@uwdata/flechette";
import type { Packed } from "./types";

export type Frame = Table;
export type Cell = unknown;

function bytes(view: DataView | ArrayBuffer | Uint8Array): Uint8Array {
  if (view instanceof ArrayBuffer) return new Uint8Array(view);
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Reads one part: a frame becomes a table, JSON stays what it is. */
export function unpack(part: Packed, buffers: readonly DataView[]): unknown {
  if ("json" in part) return part.json;
  const view = typeof part.arrow === "number" ? buffers[part.arrow] : part.arrow;
  if (view === undefined) throw new Error("A frame came without its bytes.");
  // A copy: the websocket's buffer need not be aligned as Arrow's columns must be.
  return tableFromIPC(bytes(view).slice(), { useBigInt: true, useDate: true });
}

/** The rows of a frame as objects. */
export function rows(frame: Frame): Record<string, Cell>[] {
  return frame.toArray() as Record<string, Cell>[];
}

/** A number, whatever the column's type, or a time in milliseconds; NaN when there is none. */
export function num(value: Cell): number {
  return typeof value === "number" || typeof value === "bigint" || value instanceof Date ? Number(value) : Number.NaN;
}

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 4 });
/** Characters that could hide or reorder text, save the joiners that letters and emoji need. */
const HIDDEN = /(?![\u200c\u200d\n])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

function escaped(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, "0")}` : code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

/** Text in which everything that could act, hide or reorder is shown as an escape, as Python's `visible` does. */
export function visible(value: string): string {
  return value.replace(HIDDEN, escaped);
}

/** Any value as inert text. */
export function text(value: Cell): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" || typeof value === "bigint") return grouped.format(value);
  if (value instanceof Date) return stamp(value.getTime());
  if (typeof value === "string") return visible(value);
  return visible(JSON.stringify(value, (_key, v: unknown) => (typeof v === "bigint" ? v.toString() : v)) ?? String(value));
}

/** How many of what: "1 row", "2 rows". */
export function many(n: number, noun: string): string {
  return `${text(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** A time in milliseconds since 1970, in UTC. */
export function stamp(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString().slice(0, 19).replace("T", " ") : "";
}

/** How long ago, in one word. */
export function ago(ms: number, now: number = Date.now()): string {
  const s = Math.max(0, Math.round((now - ms) / 1000));
  if (!Number.isFinite(s)) return "";
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  return s < 172_800 ? `${Math.floor(s / 3600)} h ago` : `${Math.floor(s / 86_400)} d ago`;
}
