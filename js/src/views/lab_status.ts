import { useState } from "preact/hooks";
import type { VNode } from "preact";
import { ago, num, rows, stamp, text, visible, type Cell, type Frame } from "../frame";
import { Reactive, type Graph } from "../graph";
import { html } from "../html";
import { Facts, reachable, SmallTable } from "../parts";
import { Shell } from "../shell";
import type { View } from "../view";

interface Follower {
  name: string;
  is_alive: boolean;
  behind: number;
  error: string | null;
}
interface Status {
  position: number;
  head: number;
  floor: number;
  sealed: number;
  unsealed: number;
  shards: number;
  replica: string;
  runs: number;
  quarantined: number;
  unknown: Record<string, number>;
  ignored: Record<string, string>;
  has_keeper: boolean;
  journal_bytes: number;
  last_commit: string | null;
  sealer: { pid: string; is_here: boolean; left_s: number } | null;
  lake: { sealed_at: string | null; checkpoint: number | null; shards: { shard: number; files: number; size_bytes: number; rows: number }[] };
  memory_bytes: number;
  followers: Follower[];
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** A size for people. */
export function bytes(size: number): string {
  let n = 0;
  while (size >= 1000 && n < UNITS.length - 1) {
    size /= 1000;
    n++;
  }
  return `${n && size < 100 ? size.toFixed(1) : Math.round(size)} ${UNITS[n]}`;
}

/** Rows in the order of a column; what has no value comes last, either way. */
export function sorted<T extends Record<string, Cell>>(all: readonly T[], by: string, isDown: boolean): T[] {
  const weigh = (row: T): number => num(row[by]);
  const isNumber = all.some((row) => !Number.isNaN(weigh(row)));
  const order = (a: T, b: T): number => {
    if (!isNumber) return (isDown ? -1 : 1) * text(a[by]).localeCompare(text(b[by]));
    const [x, y] = [weigh(a), weigh(b)];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return isDown ? y - x : x - y;
  };
  return [...all].sort(order);
}

const when = (iso: string | null): VNode | string => {
  if (!iso) return "never";
  const ms = Date.parse(`${iso}Z`);
  return html`<span title=${`${stamp(ms)} UTC`}>${ago(ms)}</span>`;
};
const bad = (words: string): VNode => html`<span class="pj-fail"><span aria-hidden="true">■</span> ${visible(words)}</span>`;
const good = (words: string): VNode => html`<span class="pj-ok"><span aria-hidden="true">●</span> ${words}</span>`;

function health({ is_alive, behind, error }: Follower): VNode {
  if (error) return bad(error);
  if (!is_alive) return bad("has stopped");
  return behind ? html`<span>${text(behind)} behind</span>` : good("works");
}

/** What the lab is doing. Each piece reads its own parts, so that a commit draws again what it moves and no more. */
export default function LabStatus({ view }: { view: View }): VNode {
  const status = view.part<Status>("status").value;
  const counts = status ? [html`event <${Position} view=${view} />`, `${text(status.shards)} shards`] : [];
  return html`
    <${Shell} view=${view} counts=${counts}>
      <div class="pj-grid">
        ${status ? html`<${Journal} view=${view} status=${status} />` : null}
        <section><h3>State${status ? html` <span class="pj-quiet">(${bytes(status.memory_bytes)} in memory)</span>` : null}</h3><${Tables} view=${view} /></section>
        ${status ? html`<${Lake} status=${status} /><${Followers} status=${status} />` : null}
        <${Live} view=${view} />
        <${Follows} view=${view} />
      </div>
    <//>`;
}

function Position({ view }: { view: View }): VNode {
  return html`${text(view.part<number>("position").value)}`;
}

function Tables({ view }: { view: View }): VNode {
  const tables = view.part<Frame>("tables").value;
  return tables ? html`<${SmallTable} frame=${tables} label="Rows of each table" />` : html`<div class="pj-empty">Waiting for the lab…</div>`;
}

function Journal({ view, status }: { view: View; status: Status }): VNode {
  const { sealer } = status;
  const position = view.part<number>("position").value ?? status.position;
  return html`
    <section><h3>Journal</h3>
      <${Facts} values=${[
        ["last event", text(Math.max(position, status.head))],
        ["shown here", text(position)],
        ["not sealed yet", text(Math.max(0, position - status.sealed))],
        ["files", bytes(status.journal_bytes)],
        ["last commit", when(status.last_commit)],
        ["sealing now", sealer ? `process ${text(sealer.pid)}${sealer.is_here ? " (this one)" : ""}` : "nobody"],
      ]} />
    </section>`;
}

function Lake({ status }: { status: Status }): VNode {
  const { lake } = status;
  const total = (of: "files" | "size_bytes"): number => lake.shards.reduce((sum, shard) => sum + shard[of], 0);
  return html`
    <section><h3>Lake</h3>
      <${Facts} values=${[
        ["sealed up to", text(status.sealed)],
        ["last seal", when(lake.sealed_at)],
        ["checkpoint at", lake.checkpoint === null ? "none" : text(lake.checkpoint)],
        ["files of events", lake.shards.length ? `${text(total("files"))} · ${bytes(total("size_bytes"))}` : "none"],
      ]} />
      ${lake.shards.length ? html`<details class="pj-more"><summary>By shard</summary><div class="pj-scroll" ref=${reachable}>
        <table class="pj-table" aria-label="Files by shard"><thead><tr>${["shard", "files", "size", "events"].map((n) => html`<th key=${n} scope="col" class="pj-num">${n}</th>`)}</tr></thead>
        <tbody>${lake.shards.map((s) => html`<tr key=${s.shard}>${[text(s.shard), text(s.files), bytes(s.size_bytes), text(s.rows)].map((v, n) => html`<td key=${n} class="pj-num">${v}</td>`)}</tr>`)}</tbody></table></div></details>` : null}
    </section>`;
}

function Followers({ status }: { status: Status }): VNode {
  const total = Object.values(status.unknown).reduce((a, b) => a + b, 0);
  const unknown = Object.entries(status.unknown).map(([name, n]) => `${text(name)}: ${text(n)}`).join(", ");
  return html`
    <section><h3>Followers and oddities</h3>
      <${Facts} values=${[
        ...status.followers.map((f) => [text(f.name), health(f)] as const),
        ...(status.has_keeper ? [] : [["sealing by itself", "off"] as const]),
        ["events nobody declares", html`<span title=${unknown}>${text(total)}</span>`],
        ["events that could not be read", status.quarantined ? bad(text(status.quarantined)) : "0"],
        ...Object.entries(status.ignored).map(([table, why]) => [`checkpoint of ${text(table)}`, bad(why)] as const),
      ]} />
      ${unknown ? html`<div class="pj-quiet pj-text">${unknown}</div>` : null}
    </section>`;
}

/** What is live and what it costs; a head sorts. */
function Live({ view }: { view: View }): VNode {
  const frame = view.part<Frame>("live").value;
  const [by, setBy] = useState<{ name: string; isDown: boolean }>({ name: "total ms", isDown: true });
  const found = frame ? rows(frame) : [];
  const numbers = new Set(["runs", "last ms", "total ms", "rows", "at event"]);
  const extra = new Set(["runs", "last ms", "rows", "at event"]);
  const shape = (n: string): string => `${numbers.has(n) ? "pj-num" : n === "what" ? "pj-text" : ""}${extra.has(n) ? " pj-extra" : ""}`;
  const names = frame?.names ?? [];
  const head = (n: string): VNode => {
    const isBy = by.name === n;
    return html`<th key=${n} scope="col" class=${shape(n)} aria-sort=${isBy ? (by.isDown ? "descending" : "ascending") : "none"}>
      <button type="button" class="pj-sorter" onClick=${() => setBy({ name: n, isDown: isBy ? !by.isDown : numbers.has(n) })}>${n}${isBy ? html` <span aria-hidden="true">${by.isDown ? "▼" : "▲"}</span>` : null}</button></th>`;
  };
  const cell = (row: Record<string, Cell>, n: string): VNode => {
    const words = text(row[n]);
    const isBad = n === "state" && words !== "follows" && words !== "rests";
    return html`<td key=${n} class=${shape(n)} title=${n === "what" || isBad ? words : undefined}>${isBad ? bad(words) : words}</td>`;
  };
  return html`
    <section class="pj-wide"><h3>Live (${text(found.length)})</h3>
      ${found.length ? html`<div class="pj-scroll pj-tall" ref=${reachable}><table class="pj-table pj-live" aria-label="What is live">
        <thead><tr>${names.map(head)}</tr></thead>
        <tbody>${sorted(found, by.name, by.isDown).map((row, n) => html`<tr key=${n}>${names.map((name) => cell(row, name))}</tr>`)}</tbody>
      </table></div>` : html`<div class="pj-empty">Nothing is live.</div>`}
    </section>`;
}

function Follows({ view }: { view: View }): VNode | null {
  const graph = view.part<Graph>("graph").value;
  if (!graph?.edges.length) return null;
  return html`<section class="pj-wide"><h3>What follows what</h3><${Reactive} graph=${graph} /></section>`;
}
