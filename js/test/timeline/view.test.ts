// @vitest-environment happy-dom
import { signal, type Signal } from "@preact/signals";
import { h, render } from "preact";
import { afterEach, beforeEach, expect, test } from "vitest";
import Timeline from "../../src/views/timeline";

const DAY = 86_400_000;
const lane = (key: string, every: number[], some: number[] | null = null) => ({
  key, is_rest: false, label: key, total: every.reduce((a, b) => a + b, 0), count: (some ?? every).reduce((a, b) => a + b, 0), every, some,
});
const state = (more: Record<string, unknown> = {}) => ({
  version: 1, moment: null, by: "persona", brush: null, picked: [], isZoomed: false, follow: true, filters: {}, python: "",
  shown: { step: DAY, first: 0, buckets: 4, whole: [0, 4 * DAY], lanes: [lane("Ada", [1, 2, 3, 4]), lane("Bea", [0, 1, 0, 1])], others: null, events: 12, by: "cube" },
  ...more,
});

let parts: Record<string, Signal<unknown>>;
let asked: [string, unknown][];
let root: HTMLElement;

function show(value: unknown): void {
  parts["state"] = signal(value);
  const view = {
    title: "Timeline", connection: signal("live"), trouble: signal(null),
    part: (name: string) => (parts[name] ??= signal<unknown>(undefined)),
    request: (op: string, args: unknown) => { asked.push([op, args]); return Promise.resolve(null); },
  };
  render(h(Timeline as never, { view } as never), root);
}
const settled = (): Promise<void> => new Promise((done) => setTimeout(done, 20));
const options = (): string[] => [...root.querySelectorAll("[role=option]")].map((o) => o.getAttribute("aria-label") ?? "");
const press = async (...keys: string[]): Promise<void> => {
  for (const key of keys) {
    const shift = key.startsWith("Shift+");
    root.querySelector("[role=listbox]")?.dispatchEvent(new KeyboardEvent("keydown", { key: key.replace("Shift+", ""), shiftKey: shift, bubbles: true }));
    await settled();
  }
};

beforeEach(() => {
  parts = {};
  asked = [];
  root = document.body.appendChild(document.createElement("div"));
});
afterEach(() => {
  render(null, root);
  root.remove();
});

test("lanes say how many events they have, and of a brush how many lie in it", async () => {
  show(state());
  expect(options()).toEqual(["Ada: 10 events", "Bea: 2 events"]);

  show(state({ brush: [DAY, 3 * DAY] }));
  await settled();
  expect(options()).toEqual(["Ada: 5 of 10 events", "Bea: 1 of 2 events"]);
  expect(root.querySelector(".pj-tl-said")?.textContent).toBe("1970-01-02 – 1970-01-04 UTC: 6 events");
});

test("a brush that cuts a bucket is shown with its own ends and counts nothing that no query tells", async () => {
  show(state({ brush: [DAY + 1_000, 3 * DAY] }));
  await settled();

  expect(options()).toEqual(["Ada: 10 events", "Bea: 2 events"]);
  expect(root.querySelector(".pj-tl-said")?.textContent).toBe("1970-01-02 00:00:01 – 1970-01-04 00:00:00 UTC");
});

test("what the other views leave is counted beside what there is", () => {
  const shown = { ...state().shown, lanes: [lane("Ada", [1, 2, 3, 4], [0, 1, 0, 1])] };
  show(state({ shown }));

  expect(options()).toEqual(["Ada: 2 of 10 events"]);
  expect(root.querySelector(".pj-counts")?.textContent).toBe("2 of 10 events");
});

test("the keyboard moves, widens and applies a brush, and picks a lane", async () => {
  show(state());
  await settled();

  await press("ArrowLeft", "ArrowLeft", "Shift+ArrowRight");
  expect(options()).toEqual(["Ada: 7 of 10 events", "Bea: 1 of 2 events"]);
  expect(root.querySelector(".pj-tl-pending")?.getAttribute("data-from")).toBe("1970-01-03T00:00:00.000Z");
  await press("Enter", "ArrowDown", " ");

  expect(asked).toEqual([
    ["brush", { low: 2 * DAY, high: 4 * DAY }],
    ["pick", { lanes: ["Bea"] }],
  ]);
});

test("nothing that has happened, and nothing that has come yet, are said", () => {
  show(undefined);
  expect(root.textContent).toContain("Counting the events…");
  show(state({ shown: null }));
  expect(root.textContent).toContain("Nothing has happened yet.");
});
