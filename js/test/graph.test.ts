import { expect, test } from "vitest";
import { items, related, step, type Graph, type Spot } from "../src/graph";
import { moved } from "../src/views/dashboard";
import { bytes, sorted } from "../src/views/lab_status";

const spot = (id: string, kind: Spot["kind"] = "query"): Spot => ({ id, kind, label: id, count: 1, error: null });
const graph: Graph = {
  layers: [[spot("t", "table"), spot("u", "table")], [spot("a"), spot("b")], [spot("v", "view")]],
  edges: [["t", "a"], ["t", "b"], ["u", "b"], ["b", "v"]],
};

test("a node is related to what feeds it and what it feeds, however far, and to nothing else", () => {
  expect([...related(graph.edges, "b")].sort()).toEqual(["b", "t", "u", "v"]);
  expect([...related(graph.edges, "a")].sort()).toEqual(["a", "t"]);
});

test("the tree has each node under each of its inputs", () => {
  expect(items(graph).map((i) => `${i.level}${i.spot.id}`)).toEqual(["1t", "2a", "2b", "3v", "1u", "2b", "3v"]);
});

test("a ring and a graph of thousands end", () => {
  const ring: Graph = { layers: [[spot("x")], [spot("a"), spot("b")]], edges: [["x", "a"], ["a", "b"], ["b", "a"], ["a", "a"]] };
  expect(items(ring).length).toBeLessThan(10);
  const wide: Graph = { layers: [[spot("t")], Array.from({ length: 5_000 }, (_, n) => spot(`n${n}`))], edges: Array.from({ length: 5_000 }, (_, n) => ["t", `n${n}`]) };
  expect(items(wide)).toHaveLength(200);
});

test("arrows walk the tree", () => {
  const all = items(graph);
  const walk = (at: number, ...keys: string[]): number => keys.reduce((now, key) => step(all, now, key) ?? now, at);
  expect(walk(0, "ArrowRight", "ArrowDown", "ArrowRight")).toBe(3);
  expect(walk(3, "ArrowLeft", "ArrowLeft")).toBe(0);
  expect(walk(0, "End", "ArrowDown", "Home", "ArrowUp")).toBe(0);
  expect(walk(1, "ArrowRight")).toBe(1);
  expect(step(all, 0, "b")).toBeNull();
});

test("rows are sorted by numbers or words, and those without a value come last", () => {
  const all = [{ n: 2 }, { n: null }, { n: 10 }, { n: 1n }];
  expect(sorted(all, "n", true).map((r) => r.n)).toEqual([10, 2, 1n, null]);
  expect(sorted(all, "n", false).map((r) => r.n)).toEqual([1n, 2, 10, null]);
  expect(sorted([{ w: "b" }, { w: "a" }], "w", false).map((r) => r.w)).toEqual(["a", "b"]);
});

test("sizes are said in the unit that fits", () => {
  expect([0, 999, 1_000, 1_234_567, 250_000_000].map(bytes)).toEqual(["0 B", "999 B", "1.0 kB", "1.2 MB", "250 MB"]);
});

test("arrows go round a toolbar", () => {
  expect([moved("ArrowRight", 2, 3), moved("ArrowLeft", 0, 3), moved("End", 0, 3), moved("b", 0, 3)]).toEqual([0, 2, 2, null]);
});
