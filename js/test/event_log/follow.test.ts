import { tableFromArrays } from "@uwdata/flechette";
import { expect, test } from "vitest";
import { Held, Scroll, paused, scrolled, shownOf, type Hold } from "../../src/event_log/follow";
import type { Frame } from "../../src/frame";
import { BLOCK, ROW_PX } from "../../src/grid";

const fresh: Hold = { isPaused: false, isReading: false, held: 0 };

function events(first: number, some: number): Frame {
  const seq = Array.from({ length: some }, (_, n) => first + n);
  return tableFromArrays({ seq, id: seq.map((n) => `id-${n}`), name: seq.map(() => "v1.A"), said: seq.map(() => "x") }) as Frame;
}

test("a log that is followed shows all there is", () => {
  expect(shownOf(fresh, 40, false)).toBe(40);
  expect(scrolled(fresh, 40, true)).toBe(fresh);
});

test("scrolling up holds what is shown until one is at the end again", () => {
  const reading = scrolled(fresh, 40, false);

  expect(shownOf(reading, 57, false)).toBe(40);
  expect(scrolled(reading, 40, false)).toBe(reading);
  expect(shownOf(scrolled(reading, 40, true), 57, false)).toBe(57);
});

test("a pause holds also at the end, and only the button ends it", () => {
  const held = paused(fresh, 40);

  expect(shownOf(scrolled(held, 40, true), 57, false)).toBe(40);
  expect(shownOf(paused(scrolled(held, 40, false), 40), 57, false)).toBe(57);
});

test("a pointer about to hit a row holds the rows, and fewer events are never padded", () => {
  expect(shownOf({ ...fresh, held: 40 }, 57, true)).toBe(40);
  expect(shownOf({ ...fresh, held: 40, isReading: true }, 12, false)).toBe(12);
});

test("events come from the tail and from blocks, and what is not here is asked for", () => {
  const held = new Held();
  held.take(events(961, 40), 1_000);

  expect(held.at(999)?.seq).toBe(1_000);
  expect(held.at(960)?.id).toBe("id-961");
  expect(held.at(959)).toBeUndefined();
  expect(held.missing(950, 999)).toEqual([9]);

  held.put(9, events(901, BLOCK));
  expect(held.at(959)?.seq).toBe(960);
  expect(held.missing(900, 999)).toEqual([]);
  expect(held.missing(0, 120)).toEqual([0, 1]);
  held.clear();
  expect(held.missing(950, 999)).toEqual([9]);
});

test("what was in sight stays there when a burst moves the tail on", () => {
  const held = new Held();
  held.take(events(961, 40), 1_000);
  held.missing(984, 999);
  for (let n = 1; n <= 50; n++) held.take(events(961 + 100 * n, 40), 1_000 + 100 * n);

  expect([984, 999].map((place) => held.at(place)?.seq)).toEqual([985, 1_000]);
  expect(held.at(960)).toBeUndefined();
});

test("what says something old is asked for again where it is in sight, and forgotten elsewhere", () => {
  const held = new Held();
  held.take(events(961, 40), 1_000);
  held.put(2, events(201, BLOCK));
  held.put(5, events(501, BLOCK));
  held.missing(510, 525);

  expect(held.renew()).toEqual([5]);
  expect(held.at(510)?.seq).toBe(511);
  expect(held.at(210)).toBeUndefined();
  expect(held.at(999)?.seq).toBe(1_000);
});

test("a block that was not full is asked for again when the log has grown past the tail", () => {
  const held = new Held();
  held.take(events(1, 10), 40);
  held.put(0, events(1, 40));
  held.take(events(51, 40), 90);

  expect(held.missing(0, 89)).toEqual([0]);
  expect(held.at(45)).toBeUndefined();
});

test("without a count the last events are all there is", () => {
  const held = new Held();
  held.take(events(7, 3), null);

  expect([held.total, held.at(0)?.seq, held.at(2)?.seq]).toEqual([3, 7, 9]);
});

test("only so many blocks are kept, the newest asked", () => {
  const held = new Held();
  held.take(undefined, 10_000);
  for (let n = 0; n < 31; n++) held.put(n, events(n * BLOCK + 1, BLOCK));

  expect(held.at(0)).toBeUndefined();
  expect(held.at(30 * BLOCK)?.seq).toBe(3_001);
});

test("every row of ten million can stand first, though a pixel is many rows", () => {
  const scroll = new Scroll(16 * ROW_PX);
  const count = 10_000_000;

  for (const row of [0, 1, 4_999_999, 5_000_000, count - 16]) {
    const top = scroll.to(row, count);
    scroll.stands(top, row);
    expect(scroll.first(top, count)).toBe(row);
  }
  expect(scroll.isScaled(count)).toBe(true);
  expect(scroll.isScaled(300_000)).toBe(false);
  expect(scroll.first(scroll.to(count, count), count)).toBe(count - 16);
});
