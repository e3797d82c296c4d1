// @vitest-environment happy-dom
import { signal, type Signal } from "@preact/signals";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isFilled, startOf, type Field } from "../src/act_fields";
import { ActButton, Acts, nextStop, Toolbar, useActs, type ActsState } from "../src/acts";
import { html } from "../src/html";
import type { View } from "../src/view";

const field = (name: string, kind: Field["kind"], more: Partial<Field> = {}): Field => ({ name, kind, default: null, options: [], low: null, high: null, finds: "", ...more });
const ASKED = {
  token: "t1",
  question: { title: "Burn 2 books?", lines: ["They are gone.\u202e"], confirm: "Burn" },
  fields: [field("why", "text", { default: "" }), field("size", "choice", { options: ["small", "large"] })],
  destroys: true,
  has_python: true,
};

class FakeView {
  readonly title = "Shelf";
  readonly connection: Signal<string> = signal("live");
  readonly acts: Signal<ActsState | undefined> = signal<ActsState | undefined>({ acts: { burn: { title: "Burn…", destroys: true, refused: null } }, run: null, last: null, turn: "", undo: null, redo: null });
  readonly asked: [string, unknown][] = [];
  answers: Record<string, unknown> = { ask_act: ASKED, start_act: true };

  part(): Signal<ActsState | undefined> {
    return this.acts;
  }
  async request(op: string, args: unknown = {}): Promise<unknown> {
    this.asked.push([op, args]);
    const answer = this.answers[op];
    if (answer instanceof Error) throw answer;
    return answer;
  }
}

function Shelf({ view, lacks }: { view: FakeView; lacks: string | null }): unknown {
  const acts = useActs(view as unknown as View);
  return html`<${Toolbar} label="Acts"><${ActButton} acts=${acts} name="burn" given=${{ names: ["a", "b"] }} lacks=${lacks} /><button type="button">Other</button><//>
    <${Acts} view=${view} acts=${acts} />`;
}

let root: HTMLElement;
let view: FakeView;
const settle = async (): Promise<void> => act(async () => { await new Promise((done) => setTimeout(done, 5)); });
const show = async (lacks: string | null = null): Promise<void> => {
  await act(() => render(html`<${Shelf} view=${view} lacks=${lacks} />`, root));
  await settle();
};
const find = (selector: string): HTMLElement => root.querySelector<HTMLElement>(selector) as HTMLElement;
const click = async (selector: string, detail = 1): Promise<void> => {
  find(selector).dispatchEvent(new MouseEvent("click", { bubbles: true, detail } as MouseEventInit));
  await settle();
};
const press = async (target: Element, key: string, shiftKey = false): Promise<void> => {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }));
  await settle();
};

beforeEach(() => {
  root = document.createElement("div");
  document.body.append(root);
  view = new FakeView();
});
afterEach(() => {
  render(null, root);
  root.remove();
});

test("an act asks first, in a dialog that says what will happen, its safe button focused", async () => {
  await show();
  await click(".pj-toolbar button");

  expect(view.asked).toEqual([["ask_act", { name: "burn", given: { names: ["a", "b"] } }]]);
  expect(find("[role=alertdialog]").getAttribute("aria-modal")).toBe("true");
  expect(find("[role=alertdialog]").textContent).toContain("They are gone.\\u202e");
  expect(document.activeElement?.textContent).toBe("Cancel");
});

test("what was chosen goes with the act, once, and the dialog closes", async () => {
  await show();
  await click(".pj-toolbar button");
  const select = find("select") as HTMLSelectElement;
  select.value = "1";
  select.dispatchEvent(new Event("change", { bubbles: true }));
  await settle();
  const form = find("form");
  form.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  form.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  await settle();

  const given = { names: ["a", "b"], why: "", size: "large" };
  expect(view.asked.filter(([op]) => op === "start_act")).toEqual([["start_act", { name: "burn", given, token: "t1" }]]);
  expect(root.querySelector("[role=alertdialog]")).toBeNull();
});

test("a refusal stays in the dialog, in its own words", async () => {
  view.answers.start_act = new Error("ViewError: no such size");
  await show();
  await click(".pj-toolbar button");
  find("form").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  await settle();

  expect(find("[role=alertdialog] [role=alert]").textContent).toBe("ViewError: no such size");
});

test("Escape and Cancel act on nothing, and Tab stays in the dialog", async () => {
  await show();
  await click(".pj-toolbar button");
  const last = find("[type=submit]");
  last.focus();
  await press(last, "Tab");
  expect(find(".pj-dialog").contains(document.activeElement)).toBe(true);
  expect(document.activeElement).not.toBe(last);
  await press(document.activeElement as Element, "Tab", true);
  expect(document.activeElement).toBe(last);
  await press(last, "Escape");

  expect(root.querySelector(".pj-dialog")).toBeNull();
  expect(view.asked.map(([op]) => op)).toEqual(["ask_act"]);
});

test("the second click of a double click does nothing, nor does a click while something is asked", async () => {
  view.answers.ask_act = { ...ASKED, question: null, fields: [] };
  await show();
  await click(".pj-toolbar button", 2);
  expect(view.asked).toEqual([]);

  find(".pj-toolbar button").click();
  find(".pj-toolbar button").click();
  await settle();

  expect(view.asked.map(([op]) => op)).toEqual(["ask_act", "start_act"]);
});

test("a button that cannot act says why and does not ask", async () => {
  await show("Pick books first.");
  await click(".pj-toolbar button");
  expect(find(".pj-toolbar button").title).toBe("Pick books first.");
  await act(() => { view.acts.value = { ...(view.acts.value as ActsState), acts: { burn: { title: "Burn…", destroys: true, refused: "It is locked." } } }; });
  expect(find(".pj-toolbar button").title).toBe("It is locked.");
  await act(() => { view.connection.value = "offline"; });

  expect(find(".pj-toolbar button").title).toBe("There is no kernel behind this view.");
  expect(find(".pj-toolbar button").getAttribute("aria-disabled")).toBe("true");
  expect(view.asked).toEqual([]);
});

test("what runs is shown with how far it is and can be cancelled while it can be", async () => {
  await show();
  const run = { title: "Burn", done: 120, of: 1000, can_cancel: true };
  await act(() => { view.acts.value = { ...(view.acts.value as ActsState), run }; });
  expect(find(".pj-act-bar").textContent).toContain("Burn: 120 of 1,000");
  expect(find(".pj-toolbar button").title).toBe("Burn is still running.");
  await click(".pj-act-bar button");
  await act(() => { view.acts.value = { ...(view.acts.value as ActsState), run: { ...run, can_cancel: false } }; });

  expect(view.asked).toEqual([["cancel_act", {}]]);
  expect((find(".pj-act-bar button") as HTMLButtonElement).disabled).toBe(true);
});

const tell = async (more: Partial<ActsState>): Promise<void> => {
  await act(() => { view.acts.value = { ...(view.acts.value as ActsState), ...more }; });
  await settle();
};
const DONE: Partial<ActsState> = { last: { said: "Burnt 2.", failed: false, python: null }, turn: "u1", undo: { said: "Burnt 2\u202e" }, redo: { said: "Read 1", refused: null } };

test("what was done can be undone, once, or dismissed; a failure is an alert", async () => {
  await show();
  await tell({ ...DONE, redo: null });
  expect(find("[data-way=undo]").textContent).toBe("Undo: Burnt 2\\u202e");
  expect(root.querySelector("[data-way=redo]")).toBeNull();
  await click("[data-way=undo]");
  await click("[data-way=undo]");
  await click("[aria-label=Dismiss]");
  expect(view.asked).toEqual([["undo_act", { token: "u1" }], ["dismiss_act", {}]]);
  await tell({ last: { said: "Nothing was changed.", failed: true, python: null }, undo: null });

  expect(find("[role=alert]").textContent).toContain("Nothing was changed.");
});

test("keys undo and redo wherever the focus is in the view, once a turn, and stay in it", async () => {
  root.className = "pj-view";
  await show();
  await tell(DONE);
  const stop = find(".pj-toolbar button");
  const key = async (given: KeyboardEventInit): Promise<boolean> => {
    const event = new KeyboardEvent("keydown", { bubbles: true, cancelable: true, composed: true, ...given });
    stop.dispatchEvent(event);
    await settle();
    return event.defaultPrevented;
  };
  expect(await key({ key: "z", ctrlKey: true, repeat: true })).toBe(true);
  expect(await key({ key: "z" })).toBe(false);
  expect(view.asked).toEqual([]);
  await key({ key: "z", ctrlKey: true });
  await key({ key: "y", ctrlKey: true });
  expect(view.asked).toEqual([["undo_act", { token: "u1" }]]);
  for (const [turn, given] of [["u2", { key: "Z", ctrlKey: true, shiftKey: true }], ["u3", { key: "y", ctrlKey: true }], ["u4", { key: "Z", metaKey: true, shiftKey: true }]] as const) {
    await tell({ turn });
    await key(given);
    expect(view.asked.at(-1)).toEqual(["redo_act", { token: turn }]);
  }
  const asked = view.asked.length;
  await tell({ turn: "u5", redo: { said: "Read 1", refused: "It is there no more." } });
  await key({ key: "y", ctrlKey: true });
  expect(find("[data-way=redo]").title).toBe("It is there no more.");
  await act(() => { view.connection.value = "offline"; });
  await key({ key: "z", ctrlKey: true });
  expect(view.asked.length).toBe(asked);
});

test("a text that is typed keeps its own undo, and a dialog that asks keeps what is behind it", async () => {
  root.className = "pj-view";
  await show();
  await tell(DONE);
  await click(".pj-toolbar button");
  const field = find("input[type=text]");
  const press_ = (target: Element): KeyboardEvent => {
    const event = new KeyboardEvent("keydown", { key: "z", ctrlKey: true, bubbles: true, cancelable: true, composed: true });
    target.dispatchEvent(event);
    return event;
  };
  expect(press_(field).defaultPrevented).toBe(false);
  expect(press_(find(".pj-safe")).defaultPrevented).toBe(true);

  expect(view.asked.map(([op]) => op)).toEqual(["ask_act"]);
});

test("when the button with the focus is drawn no more the view has it, then the button that is there again", async () => {
  root.className = "pj-view";
  root.tabIndex = -1;
  await show();
  await tell(DONE);
  const frame = async (): Promise<void> => { await act(async () => { await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(() => next(null)))); }); };
  find("[data-way=undo]").focus();
  await click("[data-way=undo]");
  await tell({ run: { title: "Undo", done: 0, of: 1, can_cancel: true }, last: null });
  await frame();
  expect(document.activeElement).toBe(root);
  await tell({ ...DONE, run: null, turn: "u2" });
  await frame();

  expect(document.activeElement).toBe(find("[data-way=undo]"));
});

test("a toolbar is one stop for Tab, with arrows inside", async () => {
  await show();
  const [one, two] = [...root.querySelectorAll<HTMLElement>(".pj-toolbar button")];
  expect([one?.tabIndex, two?.tabIndex]).toEqual([0, -1]);
  one?.focus();
  await press(one as Element, "ArrowRight");
  expect(document.activeElement).toBe(two);
  await press(two as Element, "ArrowRight");

  expect(document.activeElement).toBe(one);
});

test("Tab goes round", () => {
  expect([nextStop(0, 3, false), nextStop(2, 3, false), nextStop(0, 3, true)]).toEqual([1, 0, 2]);
});

test("fields begin with their defaults, and must be filled with what the act takes", () => {
  const fields = [field("a", "choice", { options: ["x", "y"] }), field("b", "number", { default: 0.5, low: 0, high: 1 }), field("c", "flag"), field("d", "text"), field("e", "find")];
  const start = startOf(fields);
  expect(start).toEqual({ a: "x", b: 0.5, c: false, d: "", e: null });

  expect(isFilled(fields, start)).toBe(false);
  expect(isFilled(fields, { ...start, d: "why", e: "id" })).toBe(true);
  expect(isFilled(fields, { ...start, d: "why", e: "id", b: 2 })).toBe(false);
  expect(isFilled(fields, { ...start, d: "why", e: "id", b: null })).toBe(false);
});
