// @vitest-environment happy-dom
import { render } from "preact";
import { expect, test, vi } from "vitest";
import { firstRow, Grid, MOST_PX, placeOf, ROW_PX } from "../src/grid";
import { html } from "../src/html";

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

test("a grid that comes does not move the page; the cell that somebody goes to is brought into sight", async () => {
  const moved = vi.spyOn(Element.prototype, "scrollIntoView").mockImplementation(() => {});
  const home = document.createElement("div");
  document.body.append(home);
  const place = { tick: 0, see: () => {}, cell: () => "x", sort: () => {}, filter: () => {}, pick: () => {} };
  const columns = ["a", "b"].map((name) => ({ name, kind: "text", type: "VARCHAR" }));
  render(html`<${Grid} label="Rows" columns=${columns} count=${3} place=${place} summaries=${{}} sorts=${[]} filters=${{}} chosen=${new Set()} version=${1} />`, home);
  await new Promise((later) => setTimeout(later));
  const before = moved.mock.calls.length;
  const press = (key: string): unknown => home.querySelector("[role=grid]")?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  press("ArrowRight");
  await new Promise((later) => setTimeout(later));

  expect(before).toBe(0);
  expect(moved).toHaveBeenCalledTimes(1);
  expect((moved.mock.instances[0] as unknown as Element).textContent).toContain("b");
  moved.mockRestore();
});
