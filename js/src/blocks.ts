/** Rows that are asked for in blocks as they come into sight, of a table that may become another. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Cell, Frame } from "./frame";
import { BLOCK } from "./grid";
import { Superseded } from "./transport";

const MOST_BLOCKS = 24;

export interface Blocks {
  see(first: number, last: number): void;
  cell(row: number, column: number): Cell;
  tick: number;
}

export const ignored = (error: unknown): void => {
  if (!(error instanceof Superseded)) console.debug(error);
};

/**
 * Blocks of `BLOCK` rows. When `key` changes, the old ones stay in sight until the new ones are here.
 * A `head` that is there from the start is the first block.
 */
export function useBlocks(key: string | null, ask: (start: number, slot: string) => Promise<Frame>, restMs = 0, head?: Frame): Blocks {
  const held = useRef(new Map<number, Frame>(head ? [[0, head]] : []));
  const wanted = useRef<number[]>([0]);
  const current = useRef(key);
  const [tick, setTick] = useState(head ? 1 : 0);
  const seeded = useRef(head ? key : null);
  current.current = key;
  useEffect(() => {
    if (key === null || key === seeded.current) return undefined;
    let isOld = false;
    const refill = async (): Promise<void> => {
      const fresh = new Map<number, Frame>();
      for (const n of wanted.current) fresh.set(n, await ask(n * BLOCK, "refill"));
      if (isOld) return;
      held.current = fresh;
      setTick((t) => t + 1);
    };
    const timer = setTimeout(() => void refill().catch(ignored), restMs);
    return () => {
      isOld = true;
      clearTimeout(timer);
    };
  }, [key]);
  const see = (first: number, last: number): void => {
    wanted.current = [];
    for (let n = Math.floor(first / BLOCK); n <= Math.floor(last / BLOCK); n++) wanted.current.push(n);
    if (!tick) return; // the first ones are on their way
    wanted.current.forEach((n, k) => {
      if (held.current.has(n)) return;
      const asked = key;
      ask(n * BLOCK, `sight ${k}`).then((found) => {
        if (asked !== current.current) return;
        held.current.set(n, found);
        if (held.current.size > MOST_BLOCKS) held.current.delete(held.current.keys().next().value as number);
        setTick((t) => t + 1);
      }, ignored);
    });
  };
  const cell = (row: number, column: number): Cell => {
    const block = held.current.get(Math.floor(row / BLOCK));
    const at = row % BLOCK;
    return block && at < block.numRows ? block.getChildAt(column)?.at(at) : undefined;
  };
  return { see, cell, tick };
}
