/** Six things told apart by colour, by shape and by name: colours that all kinds of colour vision tell apart. */
import type { VNode } from "preact";
import { html } from "./html";

const SHAPES = [
  "M6 1a5 5 0 1 1 0 10a5 5 0 1 1 0-10z",
  "M1.5 1.5h9v9h-9z",
  "M6 .8L11.6 10.8H.4z",
  "M6 .2L11.8 6L6 11.8L.2 6z",
  "M4 1h4v3h3v4h-3v3h-4v-3h-3v-4h3z",
  "M6 11.2L.4 1.2H11.6z",
];

/** The mark of the nth of six. */
export function Mark({ n, isPale = false }: { n: number; isPale?: boolean }): VNode {
  return html`<svg class=${`pj-mark pj-mark-${n % SHAPES.length}${isPale ? " pj-pale" : ""}`} viewBox="0 0 12 12" aria-hidden="true"><path d=${SHAPES[n % SHAPES.length]} /></svg>`;
}

/** Where marks of equal or near values stand so that each is seen: a lane for each, the fewest that do. */
export function lanes(values: readonly number[], near: number): number[] {
  const made: number[] = [];
  values.forEach((value, i) => {
    let lane = 0;
    while (values.some((other, k) => k < i && made[k] === lane && Math.abs(other - value) < near)) lane++;
    made.push(lane);
  });
  return made;
}
