import { expect, test } from "vitest";
import { freeze } from "../src/notebook";

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
