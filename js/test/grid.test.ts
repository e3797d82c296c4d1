import { expect, test } from "vitest";
import { firstRow, MOST_PX, placeOf, ROW_PX } from "../src/grid";

const BODY = 288;

test("a small table scrolls a row a row", () => {
  expect(firstRow(ROW_PX * 7 + 3, 1000, BODY)).toBe(7);
  expect(placeOf(7, 1000, BODY)).toBe(7 * ROW_PX);
});

test("both ends of a table of any size can be reached", () => {
  for (const count of [1, 100, 400_000, 10_000_000, 5_000_000_000]) {
    const bottom = Math.max(0, Math.min(MOST_PX, count * ROW_PX) - BODY);
    expect(firstRow(0, count, BODY)).toBe(0);
    expect(firstRow(bottom, count, BODY)).toBe(Math.max(0, count - BODY / ROW_PX));
  }
});

test("every row of a large table has a place where it is the first in sight", () => {
  const count = 10_000_000;
  for (const row of [0, 1, 2, 333_333, 5_000_001, count - BODY / ROW_PX]) {
    expect(firstRow(placeOf(row, count, BODY), count, BODY)).toBe(row);
  }
});
