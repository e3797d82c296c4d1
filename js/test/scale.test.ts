// @vitest-environment happy-dom
import { render } from "preact";
import { expect, test, vi } from "vitest";
import { html } from "../src/html";
import { densityPath, nearest, said, Scale, share, stepAt, valueOf, written, type Span } from "../src/scale";

const DAY = 86_400_000_000;
const span: Span = { clock: "world", low: 0, high: 10 * DAY, edges: Array.from({ length: 11 }, (_, n) => n * DAY), density: [1, 0, 100], erased: 0, position: 7 };

test("a value is written as it may be typed again, to the microsecond, also before 1970", () => {
  expect(written("position", 1204)).toBe("1204");
  expect(written("world", 1_790_000_000_000_250)).toBe("2026-09-21 14:13:20.00025");
  expect(written("commit", -1)).toBe("1969-12-31 23:59:59.999999");
  expect(written("world", 5 * DAY)).toBe("1970-01-06 00:00:00");
  expect(written("world", null)).toBe("now");
  expect(written("world", 1e300)).toBe("");
  expect(said("position", 1204)).toBe("event 1,204");
  expect(said("world", 5 * DAY)).toBe("1970-01-06 00:00:00 UTC");
});

test("every step has a place and every place a step; the last one is now", () => {
  for (let step = 0; step < 10; step++) expect(stepAt(span, share(span, valueOf(span, step)))).toBe(step);
  expect(valueOf(span, 10)).toBeNull();
  expect(share(span, null)).toBe(1);
  expect(share(span, -DAY)).toBe(0);
  expect(stepAt(span, 7)).toBe(10);
  expect(share({ ...span, low: 4, high: 4 }, 4)).toBe(0);
});

test("the nearer handle is taken, and the only one when there is one", () => {
  expect(nearest(span, { at: 2 * DAY, against: null }, 0.9)).toBe("against");
  expect(nearest(span, { at: 2 * DAY, against: null }, 0.3)).toBe("at");
  expect(nearest(span, { at: 0 }, 1)).toBe("at");
});

test("few events are seen beside many, none are not", () => {
  const path = densityPath(span.density);
  expect(path.match(/M/g)).toHaveLength(2);
  expect(path).toContain("v-4.8");
  expect(path).toContain("v-39");
});

test("keys walk by events, jump by parts, and go to both ends; letters do nothing", () => {
  const home = document.createElement("div");
  const [onWalk, onMove] = [vi.fn(), vi.fn()];
  render(html`<${Scale} span=${span} values=${{ at: 5 * DAY }} onDrag=${vi.fn()} onDrop=${vi.fn()} onWalk=${onWalk} onMove=${onMove} />`, home);
  const slider = home.querySelector("[role=slider]") as HTMLElement;
  const press = (key: string, shiftKey = false): boolean => slider.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, cancelable: true }));
  for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]) press(key);
  press("ArrowRight", true);
  for (const key of ["PageUp", "PageDown", "Home", "PageUp", "End"]) press(key);
  expect(press("b")).toBe(true);
  expect(onWalk.mock.calls).toEqual([["at", -1], ["at", 1], ["at", 1], ["at", -1], ["at", 100]]);
  expect(onMove.mock.calls).toEqual([["at", 5.5 * DAY], ["at", 5 * DAY], ["at", 0], ["at", 0.5 * DAY], ["at", null]]);
  expect(slider.getAttribute("aria-valuetext")).toBe("1970-01-06 00:00:00 UTC");
});
