import { expect, test } from "vitest";
import { folded, inBuckets, sum, type Lane, type Shown } from "../../src/timeline/lanes";

const lane = (key: string, every: number[], some: number[] | null = null): Lane => ({
  key, is_rest: false, label: key, total: every.reduce((a, b) => a + b, 0), count: (some ?? every).reduce((a, b) => a + b, 0), every, some,
});

test("few lanes stay as they are, many become the busiest and all others", () => {
  const nine = Array.from({ length: 9 }, (_, n) => lane(`${n}`, [9 - n, 1]));
  expect(folded(nine, 2)).toBe(nine);

  const lanes = [...nine, lane("9", [5, 5]), lane("10", [0, 7])];
  const shown = folded(lanes, 2);

  expect(shown.map((l) => l.label)).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "3 others"]);
  expect(shown[8]).toMatchObject({ is_rest: true, key: null, total: 19, count: 19, every: [6, 13], some: null });
});

test("what is filtered is summed beside what there is", () => {
  const lanes = Array.from({ length: 10 }, (_, n) => lane(`${n}`, [2, 2], [n % 2, 0]));
  expect(folded(lanes, 2)[8]).toMatchObject({ total: 8, count: 1, every: [4, 4], some: [1, 0] });
});

test("a brush that lies elsewhere is in no bucket, one that sticks out is cut", () => {
  const shown = { first: 1_000, step: 100, buckets: 10 } as Shown;

  expect(inBuckets([1_100, 1_300], shown)).toEqual([1, 2]);
  expect(inBuckets([1_150, 1_301], shown)).toEqual([1, 3]);
  expect(inBuckets([0, 9_999], shown)).toEqual([0, 9]);
  expect(inBuckets([0, 1_000], shown)).toBeNull();
  expect(inBuckets([2_000, 3_000], shown)).toBeNull();
  expect(sum([1, 2, 3, 4], [1, 2])).toBe(5);
});
