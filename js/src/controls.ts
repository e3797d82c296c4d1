/** Controls that several views have in their headers. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { text } from "./frame";
import { html } from "./html";

/** A search field; tells what was typed a moment after the last key. */
export function Search({ value, onSearch, label = "Search all columns" }: { value: string; onSearch: (words: string) => void; label?: string }): VNode {
  const [words, setWords] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => setWords(value), [value]);
  const typed = (event: Event): void => {
    const now = (event.target as HTMLInputElement).value;
    setWords(now);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onSearch(now), 200);
  };
  return html`<input class="pj-input" type="search" placeholder=${label} aria-label=${label} value=${words} onInput=${typed} />`;
}

/** Copies the Python call that makes the view as it is now. */
export function Copy({ python }: { python: string }): VNode {
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(python);
    setCopied(true);
    setTimeout(() => setCopied(false), 1_500);
  };
  return html`<button type="button" class="pj-button" title=${python} onClick=${copy}>${isCopied ? "Copied" : "Copy as Python"}</button>`;
}

/** The filters that are on, each a button that takes it away. */
export function Chips({ filters, onRemove }: { filters: Record<string, string>; onRemove: (name: string) => void }): VNode | null {
  const names = useMemo(() => Object.keys(filters), [filters]);
  if (!names.length) return null;
  return html`<div class="pj-filters">${names.map((name) => html`
    <button type="button" key=${name} class="pj-button pj-filter" aria-label=${`Remove the filter ${text(name)}`} title="Remove this filter"
      onClick=${() => onRemove(name)}><span>${text(filters[name])}</span> ×</button>`)}</div>`;
}
