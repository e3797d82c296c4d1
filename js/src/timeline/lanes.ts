/** The lanes of a timeline as the kernel counts them. */
import { sums, type Buckets } from "./axis";

export interface Lane {
  key: string | null;
  is_rest: boolean;
  label: string;
  total: number;
  count: number;
  every: number[];
  some: number[] | null;
}
export interface Shown {
  step: number;
  first: number;
  buckets: number;
  whole: [number, number];
  lanes: Lane[];
  others: number | null;
  events: number;
  by: "cube" | "rows";
}
/** So many lanes are shown by themselves until all are asked for. */
export const FEW = 8;

/** The busiest lanes, and all others as one. */
export function folded(lanes: Lane[], buckets: number): Lane[] {
  if (lanes.length <= FEW + 1) return lanes;
  const rest = lanes.slice(FEW);
  const isAll = rest.every((l) => l.some === null);
  const add = (of: (lane: Lane) => number): number => rest.reduce((n, lane) => n + of(lane), 0);
  const made: Lane = {
    key: null, is_rest: true, label: `${rest.length} others`, total: add((l) => l.total), count: add((l) => l.count),
    every: sums(rest.map((l) => l.every), buckets), some: isAll ? null : sums(rest.map((l) => l.some ?? l.every), buckets),
  };
  return [...lanes.slice(0, FEW), made];
}

/** How many there are in these buckets. */
export const sum = (counts: readonly number[], [a, b]: Buckets): number => counts.slice(a, b + 1).reduce((n, c) => n + c, 0);

/** The buckets that a brush touches; null when it lies elsewhere. */
export function inBuckets([low, high]: [number, number], { first, step, buckets }: Shown): Buckets | null {
  const a = Math.floor((low - first) / step);
  const b = Math.ceil((high - first) / step) - 1;
  return b < 0 || a >= buckets ? null : [Math.max(0, a), Math.min(buckets - 1, b)];
}
