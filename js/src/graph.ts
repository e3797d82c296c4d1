/** What follows what: layers from left to right, and the same as a tree for keys and ears. */
import { useMemo, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { visible } from "./frame";
import { html } from "./html";
import { useSight } from "./idle";

export interface Spot {
  id: string;
  kind: "table" | "query" | "computed" | "model" | "view" | "more";
  label: string;
  count: number;
  error: string | null;
}
export interface Graph {
  layers: Spot[][];
  edges: [string, string][];
}
export interface Item {
  spot: Spot;
  level: number;
  key: string;
  parent: string | null;
}

const WIDE = 168;
const HIGH = 24;
const GAP_X = 44;
const GAP_Y = 8;
const CHARS = 24;
const MOST_ITEMS = 200;
const WORDS: Record<Spot["kind"], string> = { table: "table", query: "live query", computed: "computed", model: "model", view: "view", more: "" };

/** Everything that a node depends on or that depends on it, itself too. */
export function related(edges: readonly [string, string][], id: string): Set<string> {
  const walk = (from: 0 | 1, to: 0 | 1): string[] => {
    const found = new Set([id]);
    for (const at of found) for (const edge of edges) if (edge[from] === at) found.add(edge[to]);
    return [...found];
  };
  return new Set([...walk(0, 1), ...walk(1, 0)]);
}

/** The graph as a tree: what nothing feeds, and under each what it feeds. */
export function items({ layers, edges }: Graph): Item[] {
  const spots = layers.flat();
  const byId = new Map(spots.map((s) => [s.id, s]));
  const fed = new Set(edges.map(([, b]) => b));
  const found: Item[] = [];
  const add = (spot: Spot, level: number, parent: string | null): void => {
    if (found.length >= MOST_ITEMS || level > layers.length) return;
    const key = `${parent ?? ""}/${spot.id}`;
    found.push({ spot, level, key, parent });
    for (const [a, b] of edges) {
      const next = byId.get(b);
      if (a === spot.id && next && b !== a) add(next, level + 1, key);
    }
  };
  for (const spot of spots) if (!fed.has(spot.id)) add(spot, 1, null);
  return found;
}

/** Where a key leads in the tree; null when it is another key. */
export function step(all: readonly Item[], at: number, key: string): number | null {
  const here = all[at];
  if (key === "ArrowDown") return Math.min(all.length - 1, at + 1);
  if (key === "ArrowUp") return Math.max(0, at - 1);
  if (key === "Home") return 0;
  if (key === "End") return all.length - 1;
  if (key === "ArrowLeft") return Math.max(0, all.findIndex((i) => i.key === here?.parent));
  if (key === "ArrowRight") return here && (all[at + 1]?.level ?? 0) > here.level ? at + 1 : at;
  return null;
}

const named = (spot: Spot): string => (spot.kind === "more" ? `and ${spot.count} more` : `${visible(spot.label)}${spot.count > 1 ? ` × ${spot.count}` : ""}`);
const short = (words: string): string => (words.length > CHARS ? `${words.slice(0, CHARS - 1)}…` : words);

export function Reactive({ graph }: { graph: Graph }): VNode {
  const [at, setAt] = useState<string | null>(null);
  const lit = useMemo(() => (at === null ? null : related(graph.edges, at)), [graph, at]);
  return html`
    <div class="pj-graph">
      <${Drawing} graph=${graph} lit=${lit} onAt=${setAt} />
      <${Tree} graph=${graph} lit=${lit} onAt=${setAt} />
    </div>`;
}

interface Props {
  graph: Graph;
  lit: Set<string> | null;
  onAt: (id: string | null) => void;
}

function Drawing({ graph, lit, onAt }: Props): VNode {
  const [drawing, isSeen] = useSight<SVGSVGElement>();
  const rows = Math.max(...graph.layers.map((layer) => layer.length));
  const [width, height] = [graph.layers.length * (WIDE + GAP_X) - GAP_X, rows * (HIGH + GAP_Y) - GAP_Y];
  const places = new Map<string, [number, number]>();
  graph.layers.forEach((layer, x) => layer.forEach((spot, y) => places.set(spot.id, [x * (WIDE + GAP_X), y * (HIGH + GAP_Y)])));
  const faint = (...ids: string[]): string => (lit && !ids.every((id) => lit.has(id)) ? " pj-faint" : "");
  return html`
    <div class="pj-scroll pj-drawing" aria-hidden="true">
      <svg ref=${drawing} width=${width + 2} height=${height + 2} viewBox=${`-1 -1 ${width + 2} ${height + 2}`}>
        ${isSeen && graph.edges.map(([a, b]) => {
          const [from, to] = [places.get(a), places.get(b)];
          if (!from || !to) return null;
          const [x1, y1, x2, y2] = [from[0] + WIDE, from[1] + HIGH / 2, to[0], to[1] + HIGH / 2];
          return html`<path key=${`${a} ${b}`} class=${`pj-edge${faint(a, b)}${lit && !faint(a, b) ? " pj-lit" : ""}`} d=${`M${x1},${y1}C${x1 + GAP_X / 2},${y1} ${x2 - GAP_X / 2},${y2} ${x2},${y2}`} />`;
        })}
        ${isSeen && graph.layers.flat().map((spot) => {
          const [x, y] = places.get(spot.id) ?? [0, 0];
          return html`<g key=${spot.id} class=${`pj-spot pj-spot-${spot.kind}${spot.error ? " pj-spot-bad" : ""}${faint(spot.id)}`} transform=${`translate(${x},${y})`}
            onMouseEnter=${() => onAt(spot.id)} onMouseLeave=${() => onAt(null)}>
            <title>${`${WORDS[spot.kind]} ${named(spot)}${spot.error ? `: ${visible(spot.error)}` : ""}`}</title>
            <rect width=${WIDE} height=${HIGH} rx=${spot.kind === "view" ? 12 : 3} /><svg x="8" width=${WIDE - 12} height=${HIGH}><text y="16">${spot.error ? "■ " : ""}${short(named(spot))}</text></svg></g>`;
        })}
      </svg>
    </div>`;
}

/** One stop for Tab, arrows inside; what has the focus is lit in the drawing. */
function Tree({ graph, lit, onAt }: Props): VNode {
  const [isOpen, setOpen] = useState(false);
  const open = (): void => setOpen(true); // a key that follows at once finds the list, which the event of opening comes too late for
  const all = useMemo(() => (isOpen ? items(graph) : []), [graph, isOpen]);
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const here = Math.min(at, all.length - 1);
  const onKey = (event: KeyboardEvent): void => {
    const next = step(all, here, event.key);
    if (next === null) return;
    event.preventDefault();
    setAt(next);
    (list.current?.children[next] as HTMLElement | undefined)?.focus();
  };
  return html`
    <details class="pj-more" onToggle=${open}><summary onClick=${open}>As a list</summary>
      ${isOpen ? html`<ul class="pj-tree" role="tree" aria-label="What follows what" ref=${list} onKeyDown=${onKey}>
        ${all.map((item, n) => html`
          <li key=${item.key} role="treeitem" aria-level=${item.level} aria-selected=${n === here} tabindex=${n === here ? 0 : -1} style=${{ paddingLeft: `${8 + 20 * (item.level - 1)}px` }}
            class=${lit?.has(item.spot.id) ? "pj-lit" : ""} onFocus=${() => { setAt(n); onAt(item.spot.id); }} onBlur=${() => onAt(null)}
            onMouseEnter=${() => onAt(item.spot.id)} onMouseLeave=${() => onAt(null)}>
            <span class="pj-quiet">${WORDS[item.spot.kind]}</span> ${named(item.spot)}${item.spot.error ? html` <span class="pj-fail">${visible(item.spot.error)}</span>` : null}</li>`)}
      </ul>` : null}
    </details>`;
}
