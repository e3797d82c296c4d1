import { tableFromArrays, tableToIPC } from "@uwdata/flechette";
import { expect, test } from "vitest";
import { ago, num, rows, stamp, text, unpack, visible, type Frame } from "../src/frame";

const ipc = (columns: Record<string, unknown[]>): Uint8Array => tableToIPC(tableFromArrays(columns), { format: "stream" }) as Uint8Array;

test("a frame is read from its buffer, also where that is not aligned", () => {
  const bytes = ipc({ name: ["Ada", null], n: [1.5, 2] });
  const odd = new Uint8Array(bytes.length + 1);
  odd.set(bytes, 1);

  const frame = unpack({ arrow: 1 }, [new DataView(new ArrayBuffer(0)), new DataView(odd.buffer, 1)]) as Frame;

  expect(rows(frame)).toEqual([{ name: "Ada", n: 1.5 }, { name: null, n: 2 }]);
});

test("JSON stays what it is, and a frame without bytes is an error", () => {
  expect(unpack({ json: { a: [1] } }, [])).toEqual({ a: [1] });
  expect(() => unpack({ arrow: 0 }, [])).toThrow("without its bytes");
});

test("what could act, hide or reorder text is shown as an escape, and letters are left alone", () => {
  expect(visible("a\u001b[31mb\u202ec\u0000")).toBe("a\\x1b[31mb\\u202ec\\x00");
  expect(visible("\u{e0041}\u2028\ufeff")).toBe("\\U000e0041\\u2028\\ufeff");
  expect(visible("Ünï\u200dcode 👩\u200d🔬\nnext")).toBe("Ünï\u200dcode 👩\u200d🔬\nnext");
});

test("every kind of value has a text", () => {
  const cases: [unknown, string][] = [
    [null, ""],
    [undefined, ""],
    [1234567.25, "1,234,567.25"],
    [12345678901234567890n, "12,345,678,901,234,567,890"],
    [true, "true"],
    [new Date(0), "1970-01-01 00:00:00"],
    [{ a: 1n }, '{"a":"1"}'],
    [["\u202e"], '["\\u202e"]'],
    [Symbol.iterator, "Symbol(Symbol.iterator)"],
  ];

  for (const [value, shown] of cases) expect(text(value)).toBe(shown);
});

test("times read as stamps and as how long ago", () => {
  expect(stamp(Number.NaN)).toBe("");
  expect(stamp(86_400_000)).toBe("1970-01-02 00:00:00");
  expect([30, 90, 7200, 200_000].map((s) => ago(0, s * 1000))).toEqual(["30 s ago", "1 min ago", "2 h ago", "2 d ago"]);
  expect(ago(Number.NaN)).toBe("");
  expect([num(2n), num("2"), num(3), num(new Date(5))]).toEqual([2, Number.NaN, 3, 5]);
});
