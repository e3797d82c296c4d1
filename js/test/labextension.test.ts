import { expect, test } from "vitest";
import { freshName, notebook, opened, opening, showing } from "../src/labextension/cells";
import { Later } from "../src/labextension/later";
import { lend } from "../src/labextension/shares";

const module = (name: string): (() => Promise<() => unknown>) => async () => () => name;

test("a module of the page is the version in use, else the newest; one that is missing is undefined", async () => {
  const scope = {
    used: { "4.6.6": { get: module("old"), loaded: 1 }, "4.10.0": { get: module("new") } },
    fresh: { "4.6.6": { get: module("old") }, "4.10.0": { get: module("new") }, "4.9.1": { get: module("mid") } },
  };

  expect(await lend(scope, "used")).toBe("old");
  expect(await lend(scope, "fresh")).toBe("new");
  expect(await lend(scope, "none")).toBeUndefined();
});

test("the cells open the workspace and show what was asked for, whatever its path holds", () => {
  const odd = 'a"b\\c\n💡';
  const [open, shown] = opening(odd, "dashboard");

  expect(open).toBe('%load_ext pjais_lab\nimport pjais_lab as pj\n\nlab = pj.open("a\\"b\\\\c\\n💡")');
  expect(shown).toBe("lab.dashboard()");
  expect(opening("x", "lab")[1]).toBe("lab");
  expect(showing("town", "log")).toEqual(["pj.views.EventLog(town)"]);
});

test("the lab of a notebook is the variable that its last pj.open gave", () => {
  expect(opened([])).toBeUndefined();
  expect(opened(["x = 1", "# lab = pj.open", "with pj.open('a') as lab:\n  pass"])).toBeUndefined();
  expect(opened(["import pjais_lab as pj\nlab = pj.open('a')", "town = pj.open('b', background=False)", "y = 2"])).toBe("town");
});

test("a notebook is named after the workspace, and never takes a name that is taken", () => {
  expect(freshName("town", new Set())).toBe("town.ipynb");
  expect(freshName("/home/me/town/", new Set(["town.ipynb", "town 2.ipynb"]))).toBe("town 3.ipynb");
  expect(freshName("C:\\labs\\town", new Set())).toBe("town.ipynb");
  expect(freshName("../.", new Set())).toBe("lab.ipynb");
  expect(freshName('a:*?"<b', new Set())).toBe("ab.ipynb");
});

test("a notebook holds its cells and its kernel", () => {
  const made = notebook(["a", "b"], { name: "python3", display_name: "Python 3", language: "python" }) as Record<string, unknown>;

  expect(made).toMatchObject({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec: { name: "python3" } } });
  expect((made.cells as { source: string }[]).map((c) => c.source)).toEqual(["a", "b"]);
});

test("another tab runs the notebook that was asked for, once, and no other", async () => {
  const kept = new Map<string, string>();
  const store = { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v), removeItem: (k: string) => void kept.delete(k) };
  const ran: string[] = [];
  const tab = (): Later => new Later(async (panel) => void ran.push(panel.context.path), store);
  const panel = (path: string): never => ({ context: { path } }) as never;

  const first = tab();
  first.expect("a/town.ipynb");
  await first.opened(panel("a/town.ipynb"));
  await tab().opened(panel("other.ipynb"));
  await tab().opened(panel("a/town.ipynb"));
  await tab().opened(panel("a/town.ipynb"));

  first.expect("b.ipynb");
  first.here();
  await tab().opened(panel("b.ipynb"));

  expect(ran).toEqual(["a/town.ipynb"]);
});
