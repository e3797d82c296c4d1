import { expect, test } from "vitest";
import { lanes } from "../src/marks";

test("values far apart share a lane, equal and near ones get lanes of their own", () => {
  expect(lanes([10, 50, 90], 3)).toEqual([0, 0, 0]);
  expect(lanes([50, 50, 50], 3)).toEqual([0, 1, 2]);
  expect(lanes([50, 52, 54, 90], 3)).toEqual([0, 1, 0, 0]);
  expect(lanes([], 3)).toEqual([]);
});
