/** Small pieces that several views are made of. */
import type { VNode } from "preact";
import { num, rows, text, type Frame } from "./frame";
import { html } from "./html";

/** Names and numbers from 0 to `top` as bars. */
export function Bars({ values, top }: { values: readonly (readonly [string, number])[]; top: number }): VNode {
  return html`${values.map(([name, value]) => {
    const share = Math.max(0, Math.min(100, (100 * value) / top));
    return html`
      <div class="pj-bar" key=${name}>
        <span class="pj-text">${text(name)}</span>
        <div class="pj-bar-track" role="meter" aria-label=${text(name)} aria-valuemin="0" aria-valuemax=${top} aria-valuenow=${value}>
          <div class="pj-bar-fill" style=${{ width: `${share}%` }} />
        </div>
        <span class="pj-bar-value">${text(value)}</span>
      </div>`;
  })}`;
}

/** A text as short as this is not broken into lines. */
const WORD = 24;

/** What scrolls can be scrolled with the keyboard, as soon as it is laid out, and whenever it changes its size. */
export function reachable(el: HTMLElement | null): void {
  if (!el) return;
  for (const part of [el, el.firstElementChild]) if (part) sizes?.observe(part);
}

/** All of them read, then all of them written: in turns, each reading would lay the page out anew. */
function measure(found: ResizeObserverEntry[]): void {
  const boxes = new Set(found.map(({ target }) => target.closest<HTMLElement>(".pj-scroll")));
  const read = [...boxes].map((box) => [box, !!box && (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight)] as const);
  for (const [box, isMore] of read) if (box) box.tabIndex = isMore ? 0 : -1;
}

const sizes = typeof ResizeObserver === "undefined" ? null : new ResizeObserver(measure);

/** A small frame as a table, words to the left and numbers to the right. */
export function SmallTable({ frame, label }: { frame: Frame; label: string }): VNode {
  const found = rows(frame);
  const isNumber = (n: string): boolean => found.some((row) => typeof row[n] === "number" || typeof row[n] === "bigint");
  const sides = new Map(frame.names.map((n) => [n, isNumber(n) ? "pj-num" : ""]));
  const side = (n: string): string => sides.get(n) ?? "";
  if (!found.length) return html`<div class="pj-empty">Nothing yet.</div>`;
  const shape = (n: string, shown: string): string => side(n) || (shown.length > WORD ? "pj-text" : "pj-word");
  const cell = (n: string, shown: string): VNode => html`<td key=${n} class=${shape(n, shown)}>${shown}</td>`;
  return html`
    <div class="pj-scroll" ref=${reachable}>
      <table class="pj-table" aria-label=${label}>
        <thead><tr>${frame.names.map((n) => html`<th key=${n} scope="col" class=${side(n) || "pj-word"}>${text(n)}</th>`)}</tr></thead>
        <tbody>${found.map((row, i) => html`<tr key=${i}>${frame.names.map((n) => cell(n, text(row[n])))}</tr>`)}</tbody>
      </table>
    </div>`;
}

/** Names and values, a pair a row. */
export function Facts({ values }: { values: readonly (readonly [string, VNode | string])[] }): VNode {
  return html`
    <table class="pj-table"><tbody>
      ${values.map(([name, value]) => html`<tr key=${name}><th scope="row">${name}</th><td class="pj-num">${value}</td></tr>`)}
    </tbody></table>`;
}

/** The path of numbers from 0 to `top` over times, in a box of 600 by 64. */
export function linePath(times: readonly number[], values: readonly number[], top: number): string {
  const start = times[0] ?? 0;
  const span = Math.max(1, (times[times.length - 1] ?? 0) - start);
  const points = times.map((t, i) => `${((600 * (t - start)) / span).toFixed(1)},${(63 - (62 * num(values[i])) / top).toFixed(1)}`);
  return points.length ? `M${points.join("L")}${points.length === 1 ? "h600" : ""}` : "";
}

/** A course of numbers over time. */
export function Course({ times, values, top, label }: { times: number[]; values: number[]; top: number; label: string }): VNode {
  return html`
    <svg class="pj-line" viewBox="0 0 600 64" preserveAspectRatio="none" role="img" aria-label=${label}>
      <line x1="0" x2="600" y1="32" y2="32" /><line x1="0" x2="600" y1="63" y2="63" />
      <path d=${linePath(times, values, top)} />
    </svg>`;
}
