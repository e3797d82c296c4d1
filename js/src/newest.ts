import { useRef } from "preact/hooks";

/** While one is on its way only the newest of the others waits; the last one is always sent. */
export function newest<T>(send: (value: T) => Promise<unknown>): (value: T) => void {
  let waiting: [T] | null = null;
  let isBusy = false;
  const run = async (): Promise<void> => {
    isBusy = true;
    try {
      while (waiting) {
        const [value] = waiting;
        waiting = null;
        await send(value);
      }
    } finally {
      isBusy = false;
    }
  };
  return (value) => {
    waiting = [value];
    if (!isBusy) void run();
  };
}

/** The same for a component: `send` may be another one in every render. */
export function useNewest<T>(send: (value: T) => Promise<unknown>): (value: T) => void {
  const latest = useRef(send);
  latest.current = send;
  const held = useRef<((value: T) => void) | null>(null);
  held.current ??= newest<T>((value) => latest.current(value));
  return held.current;
}
