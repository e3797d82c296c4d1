import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Line, PAGE, State, Superseded } from "../src/transport";
import { FakeModel } from "./fake";

let kernel: FakeModel;
let line: Line;

beforeEach(() => {
  vi.useFakeTimers();
  kernel = new FakeModel();
  line = new Line(kernel);
});
afterEach(() => {
  line.close();
  vi.useRealTimers();
});

const hello = (main: boolean): void => kernel.hear({ t: "hello", page: PAGE, main });

test("hello is repeated until it is answered beside the main thread, and then is a heartbeat", () => {
  vi.advanceTimersByTime(400);
  hello(true);
  vi.advanceTimersByTime(400);
  const asked = kernel.said("hello").length;
  hello(false);
  vi.advanceTimersByTime(4_000);

  expect(asked).toBe(5);
  expect(kernel.said("hello").length).toBe(asked);
  expect(line.state.value).toBe("live");
});

test("where every answer comes from the main thread hello gives up and is a heartbeat too", () => {
  for (let i = 0; i < 25; i++) {
    vi.advanceTimersByTime(200);
    hello(true);
  }
  const asked = kernel.said("hello").length;
  vi.advanceTimersByTime(4_000);

  expect(kernel.said("hello").length).toBe(asked);
});

test("a kernel that does not answer is busy, one that is gone is offline", () => {
  vi.advanceTimersByTime(2_000);
  expect(line.state.value).toBe("busy");
  hello(false);
  expect(line.state.value).toBe("live");
  kernel.live(false);
  expect(line.state.value).toBe("offline");
});

test("an answer goes to its request; what other pages are told is left alone", async () => {
  const answer = line.ask("view", "rows", { start: 0 });
  const req = kernel.said("ask")[0]?.req;
  kernel.hear({ t: "answer", page: "other", req, parts: { value: { json: "wrong" } } });
  kernel.hear({ t: "answer", page: PAGE, req, parts: { value: { json: [1] } } });

  expect(kernel.said("ask")[0]).toMatchObject({ view: "view", op: "rows", args: { start: 0 }, channel: "rows", page: PAGE });
  await expect(answer).resolves.toEqual([1]);
});

test("several parts come by their names", async () => {
  const answer = line.ask("view", "rows", {});
  kernel.hear({ t: "answer", page: PAGE, req: 1, many: true, parts: { a: { json: 1 }, b: { json: 2 } } });

  await expect(answer).resolves.toEqual({ a: 1, b: 2 });
});

test("errors, superseded and closed reject; silence does after a minute", async () => {
  const asked = ["a", "b", "c", "d"].map((op) => line.ask("v", op, {}).catch((error: unknown) => error));
  kernel.hear({ t: "answer", page: PAGE, req: 1, error: "QueryError: no such column" });
  kernel.hear({ t: "answer", page: PAGE, req: 2, superseded: true });
  kernel.hear({ t: "gone", page: PAGE, req: 3, view: "v" });
  vi.advanceTimersByTime(60_000);

  const [error, superseded, closed, silent] = await Promise.all(asked);
  expect(error).toEqual(new Error("QueryError: no such column"));
  expect(superseded).toBeInstanceOf(Superseded);
  expect(closed).toEqual(new Error("This view is closed in the kernel."));
  expect(silent).toEqual(new Error("The kernel did not answer 'd'."));
});

const asks = (): Record<string, unknown>[] => kernel.said("ask");

test("a question that nobody answers is asked again while the kernel is heard, and its answer counts", async () => {
  hello(false);
  const answer = line.ask("v", "rows", { start: 0 });
  vi.advanceTimersByTime(2_000);
  const [first, again] = asks();
  kernel.hear({ t: "answer", page: PAGE, req: 1, parts: { value: { json: [1] } } });
  vi.advanceTimersByTime(10_000);

  expect(again).toEqual({ ...first, again: true });
  expect(asks().length).toBe(2);
  await expect(answer).resolves.toEqual([1]);
});

test("a kernel that is busy or gone is not asked again; when it is back it is", () => {
  hello(false);
  void line.ask("v", "rows", {}).catch(() => {});
  kernel.live(false);
  vi.advanceTimersByTime(6_000);
  const before = asks().length;
  kernel.live(true);
  hello(false);
  vi.advanceTimersByTime(2_000);

  expect(before).toBe(1);
  expect(asks().length).toBe(2);
});

test("what was asked before something newer on its channel says so when it is asked again", () => {
  hello(false);
  for (const [view, channel] of [["v", "a"], ["v", "b"], ["w", "a"], ["v", "a"]] as const) void line.ask(view, "rows", {}, channel).catch(() => {});
  vi.advanceTimersByTime(2_000);

  expect(asks().slice(4).map((m) => m.outrun)).toEqual([true, undefined, undefined, undefined]);
});

test("the minute begins anew whenever the kernel says that it is at it", async () => {
  hello(false);
  const slow = line.ask("v", "slow", {}).catch((error: unknown) => error);
  for (let s = 0; s < 100; s += 10) {
    vi.advanceTimersByTime(10_000);
    kernel.hear({ t: "answer", page: PAGE, req: 1, working: true });
  }
  const during = asks().length;
  vi.advanceTimersByTime(60_000);

  expect(during).toBeGreaterThan(40);
  expect(await slow).toEqual(new Error("The kernel did not answer 'slow'."));
});

test("a closed line asks nothing more", () => {
  hello(false);
  void line.ask("v", "rows", {}).catch(() => {});
  line.close();
  vi.advanceTimersByTime(10_000);

  expect(asks().length).toBe(1);
});

test("what can wait a moment goes in one message with what is said until then, in order", () => {
  line.sayLater({ t: "attach", view: "a", seq: 0 });
  vi.advanceTimersByTime(15);
  line.sayLater({ t: "ack", view: "b", seq: 1 });
  const before = kernel.sent.length;
  vi.advanceTimersByTime(5);
  line.sayLater({ t: "ack", view: "c", seq: 2 });
  void line.ask("v", "rows", {}).catch(() => {});
  vi.advanceTimersByTime(100);

  const [both, asked] = kernel.said("all") as { page: string; all: { t: string; view: string }[] }[];
  expect(before).toBe(1); // the first hello
  expect(both).toMatchObject({ page: PAGE, all: [{ t: "attach", view: "a" }, { t: "ack", view: "b" }] });
  expect(asked?.all.map((m) => m.t)).toEqual(["ack", "ask"]);
  expect(kernel.sent.length).toBe(3);
});

test("a page that was loaded anew says who it was, until it is heard", () => {
  const kept = new Map([["pjais_lab page me", "before"]]);
  vi.stubGlobal("sessionStorage", { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => kept.set(k, v) });
  const model = new FakeModel({ _me: "me" });
  const again = new Line(model);
  vi.advanceTimersByTime(200);
  model.hear({ t: "hello", page: PAGE, main: true });
  vi.advanceTimersByTime(200);
  again.close();
  vi.unstubAllGlobals();

  expect(model.said("hello").map((m) => m.was)).toEqual(["before", "before", undefined]);
  expect(kept.get("pjais_lab page me")).toBe(PAGE);
});

function opened(first?: unknown): { model: FakeModel; state: State; paint: () => void } {
  const model = new FakeModel({ _first: first });
  const painted: (() => void)[] = [];
  const state = new State(model, line, "v", (done) => painted.push(done));
  state.start();
  vi.advanceTimersByTime(20);
  const paint = (): void => {
    painted.splice(0).forEach((done) => done());
    vi.advanceTimersByTime(20);
  };
  return { model, state, paint };
}
const push = (seq: number, parts: Record<string, unknown>, full = false): Record<string, unknown> => ({ t: "push", seq, full, parts });

test("what came with the opening message is there at once", () => {
  const { state } = opened({ seq: 0, parts: { n: { json: 1 } } });

  expect(state.part("n").value).toBe(1);
  expect(kernel.said("attach")).toMatchObject([{ view: "v", seq: 0, page: PAGE }]);
});

test("a push is acknowledged when it is painted, not before", () => {
  const { model, state, paint } = opened({ seq: 0, parts: {} });
  model.hear(push(1, { n: { json: 2 } }));
  const before = kernel.said("ack").length;
  paint();

  expect(state.part("n").value).toBe(2);
  expect(state.moved.value).toBe(1);
  expect(before).toBe(0);
  expect(kernel.said("ack")).toMatchObject([{ view: "v", seq: 1 }]);
});

test("a missing number asks for everything; a full push needs none", () => {
  const { model } = opened({ seq: 0, parts: {} });
  model.hear(push(1, {}));
  model.hear(push(5, {}, true));
  const before = kernel.said("attach").filter((m) => m.seq === -1).length;
  model.hear(push(7, {}));

  expect(before).toBe(0);
  expect(kernel.said("attach").filter((m) => m.seq === -1).length).toBe(1);
});

test("a part that cannot be read is an error under the view, and leaves the others alone", () => {
  const { model, state } = opened({ seq: 0, parts: {} });
  model.hear(push(1, { bad: { arrow: 0 }, good: { json: 3 } }), []);

  expect(state.part("good").value).toBe(3);
  expect(state.part("$error").value).toContain("bad: ");
});

test("a stopped view says goodbye and listens no more", () => {
  const { model, state } = opened({ seq: 0, parts: {} });
  state.stop();
  vi.advanceTimersByTime(20_000);

  expect(model.listeners).toBe(0);
  expect(kernel.said("bye")).toMatchObject([{ view: "v" }]);
  expect(kernel.said("attach").length).toBe(1);
});
