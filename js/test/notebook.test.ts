import { expect, test, vi } from "vitest";
import { freeze, keepInNotebook } from "../src/notebook";

const LIVE = "application/vnd.jupyter.widget-view+json";
const output = (id: string, data: Record<string, unknown> = {}) => ({
  output_type: "display_data",
  data: { [LIVE]: { model_id: id }, "text/html": "<b>old</b>", "text/plain": "View", ...data },
  metadata: { pjais_lab: { model_id: id } },
});
const saved = (...outputs: object[]) => ({ cells: [{ outputs }, {}], metadata: {}, nbformat: 4 });

test("a view is saved as its last static form, without the widget that would not open", () => {
  const found = freeze(saved(output("a")), new Map([["a", "<b>new</b>"]]));

  expect(found.cells[0]?.outputs?.[0]).toEqual({
    output_type: "display_data",
    data: { "text/html": "<b>new</b>", "text/plain": "View" },
    metadata: { pjais_lab: { model_id: "a" } },
  });
});

test("a view that was never painted keeps the form it was born with", () => {
  const found = freeze(saved(output("a")), new Map());

  expect(found.cells[0]?.outputs?.[0]?.data).toEqual({ "text/html": "<b>old</b>", "text/plain": "View" });
});

test("a view that is saved before its static form was asked for is its name, not an error", () => {
  const { "text/html": _none, ...young } = output("a").data;

  expect(freeze(saved({ ...output("a"), data: young }), new Map()).cells[0]?.outputs?.[0]?.data).toEqual({ "text/plain": "View" });
});

test("other people's widgets and other outputs are left alone", () => {
  const other = { data: { [LIVE]: { model_id: "x" } }, metadata: {} };
  const text = { output_type: "stream", text: "hi" };

  expect(freeze(saved(other, text), new Map()).cells[0]?.outputs).toEqual([other, text]);
});

test("where the user saves the state of widgets the live view stays", () => {
  const book = { ...saved(output("a")), metadata: { widgets: { "application/vnd.jupyter.widget-state+json": { state: { a: {} } } } } };

  expect(freeze(book, new Map([["a", "<b>new</b>"]])).cells[0]?.outputs?.[0]?.data).toHaveProperty([LIVE]);
});

test("what is saved does not change what is shown", () => {
  const book = saved(output("a"));
  freeze(book, new Map([["a", "<b>new</b>"]]));

  expect(book).toEqual(saved(output("a")));
});

test("the form of a view that was never drawn is asked for, once, and forgotten with its output", async () => {
  vi.useFakeTimers();
  const { "text/html": _none, ...young } = output("a").data;
  let shown: object[] = [{ ...output("a"), data: young }, output("b")];
  let changed = (): void => {};
  const model = {
    cells: { length: 1, get: () => ({ outputs: { length: shown.length, get: (i: number) => ({ toJSON: () => shown[i] }) } }) },
    contentChanged: { connect: (heard: () => void) => void (changed = heard), disconnect: () => void (changed = () => {}) },
    toJSON: () => saved(...shown),
  };
  const asked: string[] = [];
  const ask = (id: string): Promise<string> => Promise.resolve(`<b>${asked.push(id)}</b>`);
  const keeper = keepInNotebook({ context: { model }, has_model: () => true }, ask);
  const htmls = (): unknown[] => model.toJSON().cells[0]?.outputs?.map((o) => (o as { data: Record<string, unknown> }).data["text/html"]) ?? [];

  await vi.advanceTimersByTimeAsync(400);
  changed();
  await vi.advanceTimersByTimeAsync(400);
  expect(keeper.isSaving).toBe(true);
  expect(asked).toEqual(["a"]);
  expect(htmls()).toEqual(["<b>1</b>", "<b>old</b>"]);

  const before = shown;
  shown = [];
  changed();
  await vi.advanceTimersByTimeAsync(400);
  shown = before;
  changed();
  await vi.advanceTimersByTimeAsync(400);
  expect(asked).toEqual(["a", "a"]);

  keeper.close();
  shown = [{ ...output("c"), data: young }];
  changed();
  await vi.advanceTimersByTimeAsync(400);
  expect(asked).toEqual(["a", "a"]);
  vi.useRealTimers();
});

test("where no notebook is saved the kernel is not relieved of the static form", () => {
  expect(keepInNotebook({}, () => Promise.reject(new Error())).isSaving).toBe(false);
});
