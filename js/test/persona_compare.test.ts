// @vitest-environment happy-dom
import { signal, type Signal } from "@preact/signals";
import { render } from "preact";
import { expect, test, vi } from "vitest";
import { html } from "../src/html";
import type { View } from "../src/view";
import PersonaCompare from "../src/views/persona_compare";

const person = (id: string, name: string, openness: number): Record<string, unknown> => ({
  persona_id: id, name, is_alive: true, is_active: id !== "c", mood: "joy", mood_intensity: 60, traits: { openness, "<b>wit</b>": 50 },
});
const frame = (rows: Record<string, unknown>[]): unknown => ({ names: Object.keys(rows[0] ?? {}), toArray: () => rows });

function shown(): { home: HTMLElement; request: ReturnType<typeof vi.fn>; parts: Map<string, Signal<unknown>> } {
  const people = [person("a", "Ada", 10), person("b", "Bea\u202e", 90), person("c", "Cleo", 91)];
  const parts = new Map<string, Signal<unknown>>(Object.entries({
    state: signal<unknown>({ people, picked: ["b"], more: 2, filters: { when: "occurred_at >= 1" }, python: "pj" }),
    who: signal<unknown>(people),
    memories: signal<unknown>(frame([{ persona_id: "a", kind: "fact", tier: "hot", memories: 3n }, { persona_id: "b", kind: "fact", tier: "cold", memories: 1n }])),
    moods: signal<unknown>(frame([{ persona_id: "a", at: new Date(0), emotion: "joy", intensity: 20 }, { persona_id: "a", at: new Date(9e5), emotion: "fear", intensity: 80 }])),
    events: signal<unknown>(frame([{ persona_id: "a", id: "e", name: "v1.X", at: new Date(0), actor: "user:x", said: "<img src=x>" }])),
  }));
  const request = vi.fn(() => Promise.resolve({ found: [], count: 0 }));
  const part = (name: string): Signal<unknown> => parts.get(name) ?? signal(undefined);
  const view = { title: "Compared", part, request, connection: signal("live"), trouble: signal(null) } as unknown as View;
  const home = document.createElement("div");
  document.body.append(home);
  render(html`<${PersonaCompare} view=${view} />`, home);
  return { home, request, parts };
}

const options = (home: HTMLElement): HTMLElement[] => [...home.querySelectorAll<HTMLElement>(".pj-person")];
const press = (el: HTMLElement | undefined, key: string, shiftKey = false): void => void el?.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }));

test("traits, memories, moods and events of each are there, as inert text", () => {
  const { home } = shown();
  expect(options(home).map((o) => o.getAttribute("aria-label"))).toEqual(["Ada", "Bea\\u202e", "Cleo, retired"]);
  expect(home.querySelector("[aria-label^='openness']")?.getAttribute("aria-label")).toBe("openness: Ada 10, Bea\\u202e 90, Cleo 91");
  expect(home.textContent).toContain("Δ 81");
  expect(home.querySelector("[aria-label='Memories by kind and tier']")?.textContent).toContain("fact310");
  expect(home.querySelector(".pj-path-0")?.getAttribute("d")).toBe("M0.0,25.0H600.0V7.0H600");
  expect(home.textContent).toContain("<img src=x>");
  expect(home.querySelectorAll("img, b")).toHaveLength(0);
  expect(home.textContent).toContain("the selection picks 2 more");
});

test("one key each: move, take away, pick; only one of them is a stop for Tab", () => {
  const { home, request } = shown();
  const [ada, bea] = options(home);
  expect(options(home).map((o) => o.tabIndex)).toEqual([0, -1, -1]);
  press(ada, "ArrowRight", true);
  expect(request).toHaveBeenLastCalledWith("show", { ids: ["b", "a", "c"] });
  press(bea, "Delete");
  expect(request).toHaveBeenLastCalledWith("show", { ids: ["a", "c"] });
  press(bea, "Enter");
  expect(request).toHaveBeenLastCalledWith("pick", { ids: [] });
  press(ada, " ");
  expect(request).toHaveBeenLastCalledWith("pick", { ids: ["b", "a"] });
});

test("the focus stays with the persona that is moved, whenever the kernel answers", async () => {
  const { home, parts } = shown();
  const state = parts.get("state") as Signal<{ people: unknown[] }>;
  options(home)[0]?.focus();
  press(options(home)[0], "ArrowRight", true);
  await new Promise((done) => setTimeout(done, 20));
  expect(document.activeElement?.getAttribute("aria-label")).toBe("Ada");
  const [ada, bea, cleo] = state.value.people;
  state.value = { ...state.value, people: [bea, ada, cleo] };
  await vi.waitFor(() => expect(options(home).map((o) => o.tabIndex)).toEqual([-1, 0, -1]));
  await vi.waitFor(() => expect(document.activeElement?.getAttribute("aria-label")).toBe("Ada"));
});

test("of two none can be taken away", async () => {
  const { home, request, parts } = shown();
  const state = parts.get("state") as Signal<{ people: unknown[] }>;
  state.value = { ...state.value, people: state.value.people.slice(0, 2) };
  await vi.waitFor(() => expect(options(home)).toHaveLength(2));
  press(options(home)[0], "Delete");
  expect(request).not.toHaveBeenCalled();
});
