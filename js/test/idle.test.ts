import { afterEach, expect, test, vi } from "vitest";
import { whenIdle } from "../src/idle";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("work waits until the page is idle, but never for long, and can be taken back", () => {
  const waiting = new Map<number, () => void>();
  const request = vi.fn((work: () => void, _options: { timeout: number }) => {
    waiting.set(waiting.size, work);
    return waiting.size - 1;
  });
  vi.stubGlobal("requestIdleCallback", request);
  vi.stubGlobal("cancelIdleCallback", (handle: number) => waiting.delete(handle));
  const done: string[] = [];

  whenIdle(() => done.push("one"));
  const forget = whenIdle(() => done.push("two"));
  forget();
  expect(done).toEqual([]);
  for (const work of waiting.values()) work();

  expect(done).toEqual(["one"]);
  expect(request.mock.calls[0]?.[1].timeout).toBeLessThanOrEqual(500);
});

test("where no page says when it is idle, work comes after what runs now", () => {
  vi.useFakeTimers();
  vi.stubGlobal("requestIdleCallback", undefined);
  const done: string[] = [];

  whenIdle(() => done.push("one"));
  whenIdle(() => done.push("two"))();
  expect(done).toEqual([]);
  vi.runAllTimers();

  expect(done).toEqual(["one"]);
});
