/** The fields of a dialog, made from the arguments of an act. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { text, visible } from "./frame";
import { html } from "./html";
import { Superseded } from "./transport";
import type { View } from "./view";

export interface Field {
  name: string;
  kind: "choice" | "text" | "number" | "flag" | "find";
  default: unknown;
  options: unknown[];
  low: number | null;
  high: number | null;
  finds: string;
}
export type Values = Record<string, unknown>;
interface Found {
  value: string;
  label: string;
}

/** What stands in the fields at first: defaults, and the first choice where there is none. */
export function startOf(fields: readonly Field[]): Values {
  return Object.fromEntries(fields.map((f) => [f.name, f.default ?? (f.kind === "choice" ? f.options[0] : f.kind === "flag" ? false : f.kind === "text" ? "" : null)]));
}

/** Whether every field has a value that its act will take. */
export function isFilled(fields: readonly Field[], values: Values): boolean {
  return fields.every((f) => {
    const value = values[f.name];
    if (f.kind === "number") return typeof value === "number" && Number.isFinite(value) && value >= (f.low ?? -Infinity) && value <= (f.high ?? Infinity);
    return value !== null && value !== undefined && (f.kind !== "text" || f.default !== null || value !== "");
  });
}

interface Props {
  view: View;
  field: Field;
  value: unknown;
  onValue: (value: unknown) => void;
}

export function ActField(props: Props): VNode {
  const { field, value, onValue } = props;
  const words = visible(field.name.replaceAll("_", " "));
  if (field.kind === "find") return html`<${Finder} ...${props} words=${words} />`;
  if (field.kind === "choice")
    return html`<label class="pj-field"><span>${words}</span><select class="pj-input" value=${String(field.options.indexOf(value))}
      onChange=${(e: Event) => onValue(field.options[Number((e.target as HTMLSelectElement).value)])}>
      ${field.options.map((o, n) => html`<option key=${n} value=${String(n)} selected=${o === value}>${text(o)}</option>`)}</select></label>`;
  if (field.kind === "flag")
    return html`<label class="pj-field"><span>${words}</span><input type="checkbox" checked=${value === true} onChange=${(e: Event) => onValue((e.target as HTMLInputElement).checked)} /></label>`;
  if (field.kind === "number")
    return html`<label class="pj-field"><span>${words}</span><input class="pj-input" type="number" step="any" min=${field.low ?? undefined} max=${field.high ?? undefined} value=${value ?? ""}
      onInput=${(e: Event) => { const now = (e.target as HTMLInputElement).value; onValue(now === "" ? null : Number(now)); }} /></label>`;
  return html`<label class="pj-field"><span>${words}</span><input class="pj-input" type="text" value=${value ?? ""} onInput=${(e: Event) => onValue((e.target as HTMLInputElement).value)} /></label>`;
}

/** A text finds values; one of them is chosen with the mouse, or with arrows and Enter. */
function Finder({ view, field, value, onValue, words }: Props & { words: string }): VNode {
  const [typed, setTyped] = useState("");
  const [found, setFound] = useState<Found[]>([]);
  const [at, setAt] = useState(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => list.current?.children[at]?.scrollIntoView({ block: "nearest" }), [at]);
  const id = `pj-find-${field.name}`;
  const look = (now: string): void => {
    view.request<Found[]>(field.finds, { text: now }, `find ${field.name}`).then(
      (rows) => { setFound(rows); setAt(0); },
      (error: unknown) => { if (!(error instanceof Superseded)) setFound([]); },
    );
  };
  useEffect(() => {
    look("");
    return () => clearTimeout(timer.current);
  }, []);
  const choose = (n: number): void => {
    const row = found[n];
    if (row) onValue(row.value);
    setAt(n);
  };
  const onKey = (event: KeyboardEvent): void => {
    const to = event.key === "ArrowDown" ? at + 1 : event.key === "ArrowUp" ? at - 1 : -1;
    if (event.key === "Enter" && found[at]?.value !== value) choose(at);
    else if (to >= 0 && to < found.length) setAt(to);
    else return;
    event.preventDefault();
  };
  return html`
    <div class="pj-field pj-field-find"><label for=${id}>${words}</label>
      <input id=${id} class="pj-input" type="search" role="combobox" aria-expanded="true" aria-controls=${`${id}-list`} aria-autocomplete="list" placeholder="Search"
        aria-activedescendant=${found.length ? `${id}-${at}` : undefined} value=${typed} onKeyDown=${onKey}
        onInput=${(e: Event) => { const now = (e.target as HTMLInputElement).value; setTyped(now); clearTimeout(timer.current); timer.current = setTimeout(() => look(now), 200); }} />
      <div ref=${list} id=${`${id}-list`} class="pj-found" role="listbox" aria-label=${`Found for ${words}`}>
        ${found.map((row, n) => html`<div key=${row.value} id=${`${id}-${n}`} role="option" aria-selected=${row.value === value}
          class=${`pj-found-row${n === at ? " pj-at" : ""}${row.value === value ? " pj-picked" : ""}`} onClick=${() => choose(n)}>${visible(row.label)}</div>`)}
      </div>
    </div>`;
}
