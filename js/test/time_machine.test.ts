// @vitest-environment happy-dom
import { signal, type Signal } from "@preact/signals";
import { render } from "preact";
import { afterEach, expect, test, vi } from "vitest";
import { html } from "../src/html";
import type { View } from "../src/view";
import TimeMachine from "../src/views/time_machine";

const EDGES = Array.from({ length: 101 }, (_, n) => n * 10);
const SPAN = { clock: "position", low: 0, high: 1000, edges: EDGES, density: EDGES, erased: 1, position: 1000 };
const GROWTH = { personas: EDGES.map(() => 2), memories: EDGES };
const STATE = { rows: "r", diff: null, clock: "position", at: null, against: null, table: "memories", tables: ["personas", "memories"], columns: [], sort: [], filters: {}, is_picked: false, is_linked: false, python: "pj" };

function shown(): { home: HTMLElement; asked: [string, unknown][]; state: Signal<unknown> } {
  const state = signal<unknown>(STATE);
  const parts = new Map<string, Signal<unknown>>([["state", state], ["now", signal<unknown>(1000)]]);
  const answers: Record<string, unknown> = { scale: SPAN, growth: GROWTH, exact: { counts: { personas: 2, memories: 777 }, events: 1000 }, size: 0 };
  const asked: [string, unknown][] = [];
  const request = (op: string, args: unknown): Promise<unknown> => {
    asked.push([op, args]);
    return Promise.resolve(answers[op] ?? { numRows: 0, getChildAt: () => null });
  };
  const view = { title: "Then", part: (n: string) => parts.get(n) ?? signal(undefined), request, connection: signal("live"), trouble: signal(null) } as unknown as View;
  const home = document.createElement("div");
  document.body.append(home);
  render(html`<${TimeMachine} view=${view} />`, home);
  return { home, asked, state };
}

const drag = (home: HTMLElement, kind: string, x: number): void => {
  const track = home.querySelector(".pj-track") as HTMLElement;
  track.getBoundingClientRect = () => ({ left: 0, width: 100 }) as DOMRect;
  track.dispatchEvent(new PointerEvent(kind, { clientX: x, button: 0, bubbles: true }));
};
const memories = (home: HTMLElement): string => home.querySelectorAll("tbody tr")[1]?.querySelectorAll("td")[1]?.textContent ?? "";

afterEach(() => document.body.replaceChildren());

test("while a handle is dragged the counts are those of its step, and nothing is asked before it rests", async () => {
  const { home, asked } = shown();
  await vi.waitFor(() => expect(memories(home)).toBe("777"));
  asked.length = 0;

  drag(home, "pointerdown", 90);
  drag(home, "pointermove", 40);
  await vi.waitFor(() => expect(memories(home)).toBe("400"));
  expect(home.querySelector("[role=slider]")?.getAttribute("aria-valuetext")).toBe("event 400");
  drag(home, "pointermove", 30);
  await vi.waitFor(() => expect(memories(home)).toBe("300"));
  expect(asked).toEqual([]);

  drag(home, "pointerup", 30);
  await vi.waitFor(() => expect(asked).toContainEqual(["move", { which: "at", value: 300 }]));
});

test("moments that come faster than answers are asked one after another, the last one last", async () => {
  const { home, asked } = shown();
  await vi.waitFor(() => expect(home.querySelector("[role=slider]")).not.toBeNull());
  asked.length = 0;
  const press = (key: string): void => void home.querySelector("[role=slider]")?.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true, bubbles: true }));

  for (const key of ["End", "Home", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowRight", "End"]) press(key);

  const at = "at";
  await vi.waitFor(() => expect(asked.at(-1)).toEqual(["move", { which: at, value: null }]));
  expect(asked.filter(([op]) => op === "move" || op === "step")).toEqual([
    ["move", { which: at, value: 0 }],
    ["step", { which: at, steps: 2 }],
    ["move", { which: at, value: null }],
  ]);
});

test("a state that comes late does not take back the moment that was asked since", async () => {
  const { home, asked, state } = shown();
  await vi.waitFor(() => expect(home.querySelector("[role=slider]")).not.toBeNull());
  const slider = (): Element | null => home.querySelector("[role=slider]");
  const press = (key: string): void => void slider()?.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true, bubbles: true }));

  press("Home");
  await vi.waitFor(() => expect(slider()?.getAttribute("aria-valuenow")).toBe("0"));
  state.value = { ...STATE, at: 998 };
  await new Promise((done) => setTimeout(done, 50));
  expect(slider()?.getAttribute("aria-valuenow")).toBe("0");
  press("PageUp");

  await vi.waitFor(() => expect(asked).toContainEqual(["move", { which: "at", value: 50 }]));
  state.value = { ...STATE, at: 50 };
  await vi.waitFor(() => expect(slider()?.getAttribute("aria-valuenow")).toBe("50"));
  state.value = { ...STATE, at: 60 };
  await vi.waitFor(() => expect(slider()?.getAttribute("aria-valuenow")).toBe("60"));
});

test("what was erased is said", async () => {
  const { home } = shown();
  await vi.waitFor(() => expect(home.textContent).toContain("One persona was erased: nothing of them is left at any moment."));
});
