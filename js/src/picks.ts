import { useEffect, useRef, useState } from "preact/hooks";
import { PAGE } from "./transport";
import type { View } from "./view";

/** What the kernel says is picked, and of each page the last pick that this takes into account. */
interface Told {
  keys: string[];
  heard: Record<string, number>;
}

/**
 * Picked keys: at once what is picked here, then what the kernel says, but never what it said before
 * it knew of the last pick.
 */
export function usePicks(view: View): [string[], (keys: string[]) => void] {
  const told = view.part<Told>("picked").value;
  const [picked, setPicked] = useState<string[]>(told?.keys ?? []);
  const turn = useRef(0);
  const take = (): void => {
    const last = view.part<Told>("picked").peek();
    if (last && (last.heard[PAGE] ?? 0) >= turn.current) setPicked(last.keys);
  };
  useEffect(take, [told]);
  const pick = (keys: string[]): void => {
    const mine = (turn.current = Math.max(turn.current, told?.heard[PAGE] ?? 0) + 1);
    setPicked(keys);
    view.request("pick", { keys, turn: [PAGE, mine] }).catch(() => {
      if (turn.current !== mine) return;
      turn.current = 0; // refused, and said so under the view
      take();
    });
  };
  return [picked, pick];
}
