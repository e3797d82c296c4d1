/** What a log can be filtered by, each value with its events. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { text, visible } from "../frame";
import { html } from "../html";
import { Superseded } from "../transport";
import type { View } from "../view";

export interface Asked {
  names: string[];
  without: string[];
  persona: string | null;
  actor: string | null;
  search: string;
}
type Facet = [value: string, label: string, count: number];
type Facets = Record<"names" | "persona" | "actor", Facet[]>;
export type Filter = (by: string, values: string[]) => void;

const TITLES = { names: "Event", persona: "Persona", actor: "Actor" } as const;
const AGAIN_MS = 3_000;
let lists = 0;

export function FacetPanel({ view, asked: filters, version, count, filter }: { view: View; asked: Asked; version: number; count: number; filter: Filter }): VNode {
  const [facets, setFacets] = useState<Facets | null>(null);
  const asked = useRef({ version: -1, at: 0 });
  useEffect(() => {
    const ask = (): void => {
      asked.current = { version, at: Date.now() };
      view.request<Facets>("facets", {}).then(setFacets, (error: unknown) => {
        if (!(error instanceof Superseded)) console.debug(error);
      });
    };
    // Another filter at once; more events now and then.
    const wait = asked.current.version === version ? asked.current.at + AGAIN_MS - Date.now() : 0;
    const timer = setTimeout(ask, Math.max(0, wait));
    return () => clearTimeout(timer);
  }, [version, count]);
  if (!facets) return html`<div class="pj-log-facets"><div class="pj-empty">Counting…</div></div>`;
  const toggle = (values: string[], value: string): string[] => (values.includes(value) ? values.filter((v) => v !== value) : [...values, value]);
  return html`
    <div class="pj-log-facets">
      <${Facet} what="names" values=${facets.names} chosen=${filters.names} without=${filters.without}
        onChoose=${(v: string) => filter("names", toggle(filters.names, v))} onWithout=${(v: string) => filter("without", toggle(filters.without, v))} />
      <${Facet} what="persona" values=${facets.persona} chosen=${filters.persona === null ? [] : [filters.persona]} onChoose=${(v: string) => filter("persona", filters.persona === v ? [] : [v])} />
      <${Facet} what="actor" values=${facets.actor} chosen=${filters.actor === null ? [] : [filters.actor]} onChoose=${(v: string) => filter("actor", filters.actor === v ? [] : [v])} />
    </div>`;
}

interface FacetProps {
  what: keyof typeof TITLES;
  values: Facet[];
  chosen: string[];
  without?: string[];
  onChoose: (value: string) => void;
  onWithout?: (value: string) => void;
}

function Facet({ what, values, chosen, without = [], onChoose, onWithout }: FacetProps): VNode {
  const [id] = useState(() => `pj-facet-${++lists}`);
  const [at, setAt] = useState(0);
  const most = Math.max(1, ...values.map(([, , n]) => n));
  const now = Math.min(at, values.length - 1);
  const onKey = (e: KeyboardEvent): void => {
    const value = values[now]?.[0];
    const moves: Record<string, number> = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: values.length - 1 };
    const to = moves[e.key];
    if (to !== undefined) setAt(Math.max(0, Math.min(values.length - 1, to)));
    else if (value === undefined) return;
    else if (e.key === "Enter" || e.key === " ") onChoose(value);
    else if ((e.key === "-" || e.key === "Delete") && onWithout) onWithout(value);
    else return;
    e.preventDefault();
  };
  const hint = onWithout ? "Click: only this. Alt-click or the minus key: without it." : "Click: only this.";
  return html`
    <section>
      <h3>${TITLES[what]}</h3>
      <div class="pj-log-facet" role="listbox" tabindex="0" aria-label=${TITLES[what]} aria-multiselectable=${what === "names"} title=${hint}
        aria-activedescendant=${values.length ? `${id}-${now}` : undefined} onKeyDown=${onKey}>
        ${values.map(([value, label, n], k) => {
          const isOut = without.includes(value);
          const kind = `pj-log-option${chosen.includes(value) ? " pj-picked" : ""}${isOut ? " pj-log-out" : ""}${k === now ? " pj-at" : ""}`;
          return html`
            <div key=${value} id=${`${id}-${k}`} role="option" aria-selected=${chosen.includes(value)} aria-label=${`${visible(label)}: ${text(n)}${isOut ? ", left out" : ""}`} class=${kind}
              onClick=${(e: MouseEvent) => { setAt(k); (e.altKey && onWithout ? onWithout : onChoose)(value); }}>
              <span class="pj-log-option-name">${visible(label)}</span><span class="pj-num">${text(n)}</span><i style=${{ width: `${(100 * n) / most}%` }} />
            </div>`;
        })}
      </div>
    </section>`;
}
