import { expect, test } from "vitest";
import { newest } from "../src/newest";

test("while one is on its way only the newest waits, and the last is always sent", async () => {
  const sent: number[] = [];
  const doors: (() => void)[] = [];
  const send = newest<number>((n) => {
    sent.push(n);
    return new Promise<void>((open) => doors.push(open));
  });

  for (const n of [1, 2, 3, 4]) send(n);
  expect(sent).toEqual([1]);
  doors.shift()?.();
  await Promise.resolve();
  await Promise.resolve();
  expect(sent).toEqual([1, 4]);
  doors.shift()?.();
  await new Promise((done) => setTimeout(done));
  send(5);

  expect(sent).toEqual([1, 4, 5]);
});

test("one that fails does not keep the next from being sent", async () => {
  const sent: number[] = [];
  const send = newest<number>((n) => {
    sent.push(n);
    return n === 1 ? Promise.resolve("refused") : Promise.resolve();
  });

  send(1);
  await new Promise((done) => setTimeout(done));
  send(2);

  expect(sent).toEqual([1, 2]);
});
