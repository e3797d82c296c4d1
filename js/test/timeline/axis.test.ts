import { expect, test } from "vitest";
import { bars, between, marks, moved, sums, ticks, when, widened, zoomed } from "../../src/timeline/axis";

const at = (iso: string): number => Date.parse(`${iso}Z`);

test.each([
  ["2026-03-01T00:00", "2026-03-01T02:00", 6, ["1 Mar", "00:30", "01:00", "01:30", "02:00"]],
  ["2026-03-01T22:00", "2026-03-02T02:00", 5, ["22:00", "23:00", "2 Mar", "01:00", "02:00"]],
  ["2026-03-01T00:00", "2026-03-22T00:00", 4, ["2 Mar", "9 Mar", "16 Mar"]],
  ["2025-12-20T00:00", "2026-01-12T00:00", 4, ["22 Dec", "29 Dec", "5 Jan 2026", "12 Jan"]],
  ["2025-11-15T00:00", "2026-04-15T00:00", 6, ["Dec 2025", "Jan 2026", "Feb 2026", "Mar 2026", "Apr 2026"]],
  ["1990-01-01T00:00", "2026-01-01T00:00", 5, ["1990", "2000", "2010", "2020"]],
  ["2026-03-01T00:00:00", "2026-03-01T00:00:02", 5, ["1 Mar", "00:00:00.500", "00:00:01.000", "00:00:01.500", "00:00:02.000"]],
])("ticks from %s to %s stand at round times", (low, high, most, labels) => {
  expect(ticks(at(low), at(high), most).map(([, l]) => l)).toEqual(labels);
});

/** Verdana, as wide as any font that a notebook has: thousandths of its height. */
const ADVANCES: Record<string, number> = { " ": 352, ":": 454, ".": 364, J: 455, F: 575, M: 843, A: 684, S: 684, O: 787, N: 748, D: 771 };
const px = (label: string): number => 3 + (11 / 1000) * [...label].reduce((sum, c) => sum + (ADVANCES[c] ?? 636), 0);
const SPANS = [10, 1_500, 47_000, 3_600_000, 86_400_000, 12.3 * 86_400_000, 52 * 86_400_000, 400 * 86_400_000, 3_000 * 86_400_000, 60_000 * 86_400_000, 2_900_000 * 86_400_000];

test("no label of an axis touches another or leaves it, however wide it is and whatever it spans", () => {
  let [all, bare] = [0, 0];
  for (let wide = 60; wide <= 1_600; wide += 13) {
    for (const span of SPANS) {
      for (let turn = 0; turn < 7; turn++) {
        const low = at("2026-02-20T05:07:11.250") - (span * turn) / 7;
        const boxes = marks(low, low + span, wide).filter((m) => m.side !== "none").map((m) => {
          const left = m.place * wide - (m.side === "before" ? px(m.label) : 0);
          return [left, left + px(m.label), m.label] as const;
        });
        all++;
        if (!boxes.length && wide > 130) bare++;
        boxes.forEach(([left, right, label], i) => {
          const where = `${label} on ${wide} px, from ${when(low, 1)} over ${span} ms`;
          if (left < 0 || right > wide || left < (boxes[i - 1]?.[1] ?? 0)) expect.fail(where);
        });
      }
    }
  }
  expect(all).toBeGreaterThan(8_000);
  expect(bare).toBeLessThan(all / 100);
});

test.each<[number, string[]]>([
  [800, ["9 Mar", "16 Mar", "23 Mar", "30 Mar", "6 Apr"]],
  [620, ["9 Mar", "16 Mar", "23 Mar", "30 Mar", "6 Apr before"]],
  [300, ["16 Mar", "30 Mar"]],
  [90, ["Apr 2026 before"]],
])("on %i px the labels are as many as have room", (wide, labels) => {
  const shown = marks(at("2026-03-03T00:00"), at("2026-04-08T00:00"), wide).filter((m) => m.side !== "none");
  expect(shown.map((m) => `${m.label}${m.side === "before" ? " before" : ""}`)).toEqual(labels);
});

test("a time is written as long as its step needs", () => {
  expect(when(at("2026-03-01T00:00"), 86_400_000)).toBe("2026-03-01");
  expect(when(at("2026-03-01T12:30"), 86_400_000)).toBe("2026-03-01 12:30");
  expect(when(at("2026-03-01T12:30"), 900_000)).toBe("2026-03-01 12:30");
  expect(when(at("2026-03-01T12:30:01.250"), 1)).toBe("2026-03-01 12:30:01.250");
  expect(when(Number.NaN, 1)).toBe("");
});

test("bars leave gaps where nothing happened and show one beside many", () => {
  expect(bars([0, 1, 10_000], 10_000, 20)).toBe("M1,20v-2h1V20zM2,20v-20h1V20z");
});

test("a brush stays within the buckets", () => {
  expect(between(0.99, -0.2, 10)).toEqual([0, 9]);
  expect(between(0.31, 0.35, 10)).toEqual([3, 3]);
  expect(moved([7, 9], 5, 10)).toEqual([7, 9]);
  expect(moved([2, 4], -5, 10)).toEqual([0, 2]);
  expect(widened([2, 4], -9, 10)).toEqual([2, 2]);
  expect(widened([2, 4], 99, 10)).toEqual([2, 9]);
});

test("zooming keeps what is under the pointer where it is", () => {
  const [low, high] = zoomed(1_000, 2_000, 0.25, 0.5);
  expect([low, high]).toEqual([1_125, 1_625]);
  expect((1_250 - low) / (high - low)).toBeCloseTo(0.25);
  expect(zoomed(0, 10, 0.5, 0.1)).toEqual([0, 10]);
});

test("rows are summed bucket by bucket", () => {
  expect(sums([[1, 2], [3]], 3)).toEqual([4, 2, 0]);
});
