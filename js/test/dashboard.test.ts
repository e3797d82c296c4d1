// @vitest-environment happy-dom
import { signal } from "@preact/signals";
import { render } from "preact";
import { afterEach, beforeEach, expect, test } from "vitest";
import { html } from "../src/html";
import type { View } from "../src/view";
import Dashboard from "../src/views/dashboard";

interface Asked {
  op: string;
  args: Record<string, unknown>;
}
const panel = (title: string, is_shown = true) => ({ title, model: `model of ${title}`, error: null as string | null, is_shown });
const state = (maximised: string | null, ...rows: ReturnType<typeof panel>[][]) => ({ rows, maximised, python: "lab.dashboard()" });

let root: HTMLElement;
let asked: Asked[];
let mounted: Map<string, HTMLElement>;
let parts: Record<string, ReturnType<typeof signal<unknown>>>;
const settled = (): Promise<void> => new Promise((done) => setTimeout(done, 30));

/** A view whose kernel is the test. */
function view(): View {
  const made = {
    title: "Board",
    connection: signal("live"),
    trouble: signal(null),
    part: (name: string) => (parts[name] ??= signal<unknown>(undefined)),
    request: async (op: string, args: Record<string, unknown>) => void asked.push({ op, args }),
    mount: async (id: string, el: HTMLElement) => {
      if (id === "model of Bad") throw new Error("no such widget");
      el.textContent = id;
      mounted.set(id, el);
      return () => void mounted.delete(id);
    },
  };
  return made as unknown as View;
}

beforeEach(() => {
  root = document.createElement("div");
  document.body.append(root);
  asked = [];
  mounted = new Map();
  parts = { panels: signal<unknown>(state(null, [panel("One"), panel("Two")], [panel("Three", false), panel("Bad")])) };
  render(html`<${Dashboard} view=${view()} />`, root);
});
afterEach(() => {
  render(null, root);
  root.remove();
});

test("what is shown is mounted, what is not is not, and a widget that cannot be says why in its place", async () => {
  await settled();
  expect([...mounted.keys()]).toEqual(["model of One", "model of Two"]);
  expect(root.querySelector("[role=alert]")?.textContent).toBe("no such widget");
});

test("a panel that is hidden is unmounted, and its neighbours stay the same elements", async () => {
  await settled();
  const one = mounted.get("model of One");
  parts.panels!.value = state(null, [panel("One"), panel("Two", false)], [panel("Three", false)]);
  await settled();

  expect([...mounted.keys()]).toEqual(["model of One"]);
  expect(mounted.get("model of One")).toBe(one);
  expect(one?.isConnected).toBe(true);
});

test("the panel that fills the dashboard keeps its element, and Escape asks for the others", async () => {
  await settled();
  const two = mounted.get("model of Two");
  parts.panels!.value = state("Two", [panel("One"), panel("Two")], [panel("Three", false)]);
  await settled();
  expect([...mounted.entries()]).toEqual([["model of Two", two]]);

  two?.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true }));

  expect(asked).toEqual([{ op: "maximise", args: { title: null } }]);
});

test("Escape that a view has used for itself is left alone", async () => {
  parts.panels!.value = state("One", [panel("One")]);
  await settled();
  mounted.get("model of One")?.addEventListener("keydown", (e) => e.preventDefault());
  mounted.get("model of One")?.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true }));

  expect(asked).toEqual([]);
});

test("the toolbar has one stop for Tab, says what is open, and asks", async () => {
  const buttons = [...root.querySelectorAll<HTMLButtonElement>("[role=toolbar] button")];
  expect(buttons.map((b) => b.tabIndex)).toEqual([0, -1, -1, -1]);
  expect(buttons.map((b) => b.getAttribute("aria-pressed"))).toEqual(["true", "true", "false", "true"]);

  buttons[2]?.click();

  expect(asked).toEqual([{ op: "place", args: { title: "Three", is_shown: true } }]);
});

test("what is selected is shown as text and can be taken away", async () => {
  parts.selection ??= signal<unknown>(undefined);
  parts.selection.value = { filters: { who: "\"name\" = '<img src=x>\u202e'" }, python: "lab.dashboard()" };
  await settled();
  const chip = root.querySelector<HTMLButtonElement>(".pj-filter");
  expect(chip?.textContent).toContain("<img src=x>\\u202e");
  expect(root.querySelector("img")).toBeNull();

  chip?.click();

  expect(asked).toEqual([{ op: "drop", args: { name: "who" } }]);
});
