import htm from "htm";
import { h, type VNode } from "preact";

/** Templates become elements; every value in them becomes text, never markup. */
export const html = htm.bind(h) as unknown as (strings: TemplateStringsArray, ...values: unknown[]) => VNode;
