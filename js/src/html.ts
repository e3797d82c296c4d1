import htm from "htm";
import { h, type VNode } from "preact";

/** An element, of which htm keeps none: it would hold on to the last view that it was in. */
function element(this: number[], ...given: Parameters<typeof h>): VNode {
  this[0] = 3;
  return h(...given);
}

/** Templates become elements; every value in them becomes text, never markup. */
export const html = htm.bind(element as never) as unknown as (strings: TemplateStringsArray, ...values: unknown[]) => VNode;
