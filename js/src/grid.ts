/** A grid of any number of rows of which only those in sight are there; one stop for Tab, arrows inside. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { text, visible, type Cell } from "./frame";
import { html } from "./html";

export interface Column {
  name: string;
  type: string;
  kind: string;
  /** As CSS says it, with the least number of pixels; by the kind if left out. */
  width?: string;
  least?: number;
  /** Ids of one time begin alike: of a cut one the end is shown, and a click marks all of it for copying. */
  isId?: boolean;
}
export type Bar = [label: string, total: number, count: number, predicate: Record<string, unknown>];
export interface Bars {
  kind: "histogram" | "top";
  bars: Bar[];
  nulls: number;
  others: number;
  distinct: number | null;
}
export interface Place {
  see(first: number, last: number): void;
  cell(row: number, column: number): Cell;
  sort(name: string, isMore: boolean): void;
  /** `isRange` when Shift is held: from the last one to this one. */
  pick(row: number, isMore: boolean, isRange?: boolean): void;
  filter(column: string, predicates: Record<string, unknown>[]): void;
  tick: number;
}
interface Props {
  label: string;
  /** Of what is shown; for those who wait until it is painted. */
  version?: number;
  columns: Column[];
  count: number;
  sorts: [string, "asc" | "desc"][];
  summaries: Record<string, Bars>;
  filters: Record<string, string>;
  chosen: ReadonlySet<number>;
  place: Place;
  /** Without the row of bars. */
  isPlain?: boolean;
  /** Whether a filter or a search may have left rows out. */
  isNarrowed?: boolean;
}

/** So many rows are asked for at once. */
export const BLOCK = 100;
/** Rows of the head: names, and what lies in the columns. */
export const HEAD_ROWS = 2;
export const ROW_PX = 24;
/** No browser draws an element much higher than this. */
export const MOST_PX = 8_000_000;
const BODY_PX = 12 * ROW_PX;
const HEAD_PX = 26;
const BARS_PX = 72;
const RIGHT = new Set(["integer", "exact", "float"]);
const WIDTHS: Record<string, number> = { integer: 110, exact: 130, float: 120, bool: 90, date: 120, time: 120, timestamp: 190 };

/** The first row in sight at a place of the scroll bar, which is shorter than the rows when they are many. */
export function firstRow(scrollTop: number, count: number, bodyPx: number): number {
  const wholePx = count * ROW_PX;
  if (wholePx <= MOST_PX) return Math.floor(scrollTop / ROW_PX);
  const share = Math.min(1, Math.max(0, scrollTop / (MOST_PX - bodyPx)));
  return Math.round(share * (count - Math.floor(bodyPx / ROW_PX)));
}

/** Where the scroll bar stands so that a row is the first in sight. */
export function placeOf(row: number, count: number, bodyPx: number): number {
  if (count * ROW_PX <= MOST_PX) return row * ROW_PX;
  return (row / (count - Math.floor(bodyPx / ROW_PX))) * (MOST_PX - bodyPx);
}

let grids = 0;

export function Grid(props: Props): VNode {
  const { label, columns, count, place, isPlain = false } = props;
  const [id] = useState(() => `pj-grid-${++grids}`);
  const scroller = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [at, setAt] = useState<{ row: number; column: number }>({ row: -HEAD_ROWS, column: 0 });
  const [bar, setBar] = useState(-1);
  const [brush, setBrush] = useState<number[]>([]);
  const shown = Math.ceil(BODY_PX / ROW_PX);
  const first = Math.max(0, Math.min(firstRow(top, count, BODY_PX), count - 1));
  const last = Math.min(count - 1, first + shown);
  const template = columns.map((c) => c.width ?? (WIDTHS[c.kind] ? `${WIDTHS[c.kind]}px` : "minmax(140px, 1fr)")).join(" ");
  const minWidth = columns.reduce((sum, c) => sum + (c.least ?? WIDTHS[c.kind] ?? 140), 0);

  useEffect(() => place.see(first, Math.max(first, last)), [first, last, count, place.tick]);
  useEffect(() => {
    if (at.row >= count) setAt({ ...at, row: Math.max(-HEAD_ROWS, count - 1) });
  }, [count]);
  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box || at.row < 0) return;
    const visibleRows = Math.floor(BODY_PX / ROW_PX);
    if (at.row < first) box.scrollTop = placeOf(at.row, count, BODY_PX);
    else if (at.row >= first + visibleRows) box.scrollTop = placeOf(at.row - visibleRows + 1, count, BODY_PX);
  }, [at.row]);
  const wasAt = useRef(at.column);
  useLayoutEffect(() => {
    if (wasAt.current === at.column) return; // nobody has moved: a grid that comes must not move the page
    wasAt.current = at.column;
    scroller.current?.querySelector(`#${id}-${at.row}-${at.column}`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [at.column]);

  const summary = props.summaries[columns[at.column]?.name ?? ""];
  const choose = (column: string, chosen: number[]): void => {
    const bars = props.summaries[column]?.bars ?? [];
    setBrush(chosen);
    place.filter(column, chosen.flatMap((n) => (bars[n] ? [bars[n][3]] : [])));
  };
  const inBars = (event: KeyboardEvent): boolean => {
    const most = (summary?.bars.length ?? 0) - 1;
    const name = columns[at.column]?.name ?? "";
    if (event.key === "ArrowRight") setBar(Math.min(most, bar + 1));
    else if (event.key === "ArrowLeft") setBar(Math.max(0, bar - 1));
    else if (event.key === " " || event.key === "Enter") choose(name, event.shiftKey ? [...brush, bar] : [bar]);
    else if (event.key === "Delete" || event.key === "Backspace") choose(name, []);
    else if (event.key === "Escape") setBar(-1);
    else return false;
    return true;
  };
  const inCells = (event: KeyboardEvent): boolean => {
    const page = Math.floor(BODY_PX / ROW_PX);
    const isFar = event.ctrlKey || event.metaKey;
    const go = (row: number, column: number): void =>
      setAt({ row: Math.max(-HEAD_ROWS, Math.min(count - 1, row)), column: Math.max(0, Math.min(columns.length - 1, column)) });
    const { row, column } = at;
    const one = isPlain && (row === 0 || row === -HEAD_ROWS) ? HEAD_ROWS : 1; // over the row that is not there
    if (event.key === "ArrowDown") go(row + (row < 0 ? one : 1), column);
    else if (event.key === "ArrowUp") go(row - (row < 0 ? 1 : one), column);
    else if (event.key === "ArrowRight") go(row, column + 1);
    else if (event.key === "ArrowLeft") go(row, column - 1);
    else if (event.key === "PageDown") go(row + page, column);
    else if (event.key === "PageUp") go(row - page, column);
    else if (event.key === "Home") go(isFar ? 0 : row, 0);
    else if (event.key === "End") go(isFar ? count - 1 : row, columns.length - 1);
    else if (event.key === "Enter" || event.key === " ") {
      if (row === -HEAD_ROWS) place.sort(columns[column]?.name ?? "", event.shiftKey);
      else if (row === -1) setBar(summary?.bars.length ? 0 : -1);
      else place.pick(row, event.shiftKey || isFar, event.shiftKey);
    } else return false;
    return true;
  };
  const onKey = (event: KeyboardEvent): void => {
    if (bar >= 0 ? inBars(event) : inCells(event)) event.preventDefault();
  };
  const active = bar >= 0 ? `${id}-bar-${at.column}-${bar}` : `${id}-${at.row}-${at.column}`;
  const rows: VNode[] = [];
  for (let row = first; row <= last; row++) rows.push(html`<${Row} key=${row} id=${id} row=${row} at=${at} ...${props} />`);
  return html`
    <div class="pj-grid-box" ref=${scroller} tabindex="0" role="grid" aria-label=${visible(label)} aria-multiselectable="true"
      aria-rowcount=${count + HEAD_ROWS} aria-colcount=${columns.length} aria-activedescendant=${active} data-version=${props.version}
      style=${{ height: `${BODY_PX + HEAD_PX + (isPlain ? 0 : BARS_PX)}px` }} onKeyDown=${onKey}
      onScroll=${(e: Event) => setTop((e.target as HTMLElement).scrollTop)}>
      <div class="pj-grid-inside" role="presentation" style=${{ minWidth: `${minWidth}px`, "--pj-columns": template }}>
        <div class="pj-grid-head" role="rowgroup">
          <div class="pj-row" role="row" aria-rowindex="1">
            ${columns.map((c, n) => html`<${Head} key=${c.name} id=${`${id}-${-HEAD_ROWS}-${n}`} column=${c} index=${n} sorts=${props.sorts}
              isAt=${at.row === -HEAD_ROWS && at.column === n} onSort=${(isMore: boolean) => { setAt({ row: -HEAD_ROWS, column: n }); place.sort(c.name, isMore); }} />`)}
          </div>
          ${isPlain ? null : html`<div class="pj-row pj-row-bars" role="row" aria-rowindex="2">
            ${columns.map((c, n) => html`<${Histogram} key=${c.name} id=${id} index=${n} column=${c} bars=${props.summaries[c.name]} bar=${at.column === n ? bar : -1}
              isAt=${at.row === -1 && at.column === n} isFiltered=${c.name in props.filters}
              onChoose=${(chosen: number[]) => { setAt({ row: -1, column: n }); setBar(-1); choose(c.name, chosen); }} />`)}
          </div>`}
        </div>
        <div role="rowgroup" class="pj-grid-body" style=${{ height: `${Math.min(MOST_PX, count * ROW_PX)}px` }}>
          <div role="presentation" style=${{ transform: `translateY(${placeOf(first, count, BODY_PX)}px)` }}>${rows}</div>
        </div>
        ${count === 0 ? html`<div role="rowgroup"><div role="row"><div class="pj-empty" role="gridcell" aria-colspan=${columns.length} aria-live="polite">${
          props.isNarrowed ? "No row is left. Take a filter away." : "There are no rows."}</div></div></div>` : null}
      </div>
    </div>`;
}

interface RowProps extends Props {
  id: string;
  row: number;
  at: { row: number; column: number };
}

function Row({ id, row, at, columns, place, chosen }: RowProps): VNode {
  const isChosen = chosen.has(row);
  return html`
    <div class=${isChosen ? "pj-row pj-picked" : "pj-row"} role="row" aria-rowindex=${row + 1 + HEAD_ROWS} aria-selected=${isChosen}
      onClick=${(e: MouseEvent) => place.pick(row, e.shiftKey || e.ctrlKey || e.metaKey, e.shiftKey)}>
      ${columns.map((c, n) => {
        const value = place.cell(row, n);
        const isAt = at.row === row && at.column === n;
        const words = value === undefined ? "" : value === null ? "null" : text(value);
        const kind = `pj-cell${RIGHT.has(c.kind) ? " pj-right" : ""}${value === null ? " pj-null" : c.isId ? " pj-id" : ""}${isAt ? " pj-at" : ""}`;
        return html`<div key=${n} id=${`${id}-${row}-${n}`} role="gridcell" aria-colindex=${n + 1} class=${kind} title=${words.length > 16 ? words : undefined}>${c.isId && value ? html`<bdi dir="ltr">${words}</bdi>` : words}</div>`;
      })}
    </div>`;
}

interface HeadProps {
  id: string;
  column: Column;
  index: number;
  sorts: [string, "asc" | "desc"][];
  isAt: boolean;
  onSort: (isMore: boolean) => void;
}

function Head({ id, column, index, sorts, isAt, onSort }: HeadProps): VNode {
  const place = sorts.findIndex(([n]) => n === column.name);
  const direction = sorts[place]?.[1];
  const said = direction === "asc" ? "ascending" : direction === "desc" ? "descending" : "none";
  const glyph = direction ? `${direction === "asc" ? "▲" : "▼"}${sorts.length > 1 ? place + 1 : ""}` : "";
  return html`
    <div id=${id} role="columnheader" aria-colindex=${index + 1} aria-sort=${said} class=${`pj-cell pj-col${RIGHT.has(column.kind) ? " pj-right" : ""}${isAt ? " pj-at" : ""}`}
      title=${`${visible(column.name)}, ${visible(column.type)}. Click to sort, Shift-click to sort by one more.`} onClick=${(e: MouseEvent) => onSort(e.shiftKey)}>
      <span class="pj-col-name">${visible(column.name)}</span> <span class="pj-sort" aria-hidden="true">${glyph}</span>
    </div>`;
}

interface HistogramProps {
  id: string;
  index: number;
  column: Column;
  bars: Bars | undefined;
  bar: number;
  isAt: boolean;
  isFiltered: boolean;
  onChoose: (chosen: number[]) => void;
}

function Histogram({ id, index, column, bars, bar, isAt, isFiltered, onChoose }: HistogramProps): VNode {
  const from = useRef(-1);
  const [span, setSpan] = useState<[number, number] | null>(null);
  const most = Math.max(1, ...(bars?.bars ?? []).map(([, total]) => total));
  const notes = bars ? [bars.distinct === null ? "" : `≈ ${text(bars.distinct)} values`, bars.nulls ? `${text(bars.nulls)} null` : "", bars.others && bars.kind === "histogram" ? `${text(bars.others)} other` : ""] : [];
  const said = bars ? `${visible(column.name)}: ${bars.bars.length} ${bars.kind === "histogram" ? "bins" : "values"}${bars.bars.length ? ". Enter to choose among them" : ""}` : `${visible(column.name)}: being counted`;
  const through = (to: number): void => {
    if (from.current < 0) return;
    const [a, b] = [Math.min(from.current, to), Math.max(from.current, to)];
    setSpan([a, b]);
    onChoose(Array.from({ length: b - a + 1 }, (_, k) => a + k));
  };
  const up = (to: number): void => {
    through(to);
    from.current = -1;
    setSpan(null);
  };
  return html`
    <div id=${`${id}--1-${index}`} role="gridcell" aria-colindex=${index + 1} aria-label=${said} class=${`pj-cell pj-bars${isAt && bar < 0 ? " pj-at" : ""}${isFiltered ? " pj-filtered" : ""}`}
      onPointerLeave=${() => { from.current = -1; setSpan(null); }}>
      <div class="pj-plot" role=${bars?.bars.length ? "listbox" : undefined} aria-label=${bars?.bars.length ? said : undefined} aria-multiselectable=${bars?.bars.length ? "true" : undefined}>
        ${(bars?.bars ?? []).map(([label, total, count], n) => {
          const isIn = span !== null && n >= span[0] && n <= span[1];
          const words = `${visible(label)}: ${text(count)} of ${text(total)}`;
          return html`
            <div key=${n} id=${`${id}-bar-${index}-${n}`} role="option" aria-selected=${isIn} aria-label=${words} title=${words}
              class=${`pj-plot-bar${isIn ? " pj-brushed" : ""}${bar === n ? " pj-at" : ""}`}
              onPointerDown=${() => { from.current = n; setSpan([n, n]); }}
              onPointerEnter=${() => through(n)}
              onPointerUp=${() => up(n)}>
              <i class="pj-ghost" style=${{ height: `${(100 * total) / most}%` }} /><i class="pj-solid" style=${{ height: `${(100 * count) / most}%`, minHeight: count ? "2px" : "0" }} />
            </div>`;
        })}
      </div>
      <div class="pj-notes">${notes.filter(Boolean).join(" · ")}</div>
    </div>`;
}
