/** One event whole: its envelope, its content, and what it hangs together with. */
import { useEffect, useState } from "preact/hooks";
import type { VNode } from "preact";
import { Name } from "./rows";
import { text, visible } from "../frame";
import { html } from "../html";
import { Superseded } from "../transport";
import type { View } from "../view";

type Line = [depth: number, name: string, kind: string, words: string];
interface Whole {
  seq: string;
  id: string;
  name: string;
  mark: string;
  persona_id: string | null;
  persona: string | null;
  actor: string;
  occurred_at: string;
  committed_at: string;
  entity: string | null;
  entity_id: string | null;
  epoch: string;
  shard: string;
  origin: string;
  origin_seq: string;
  cause: string | null;
  stored: Line[];
  read: { name: string; lines: Line[] } | null;
  trouble: string | null;
}
interface Link {
  id: string;
  seq: number | null;
  name: string;
  said: string;
  occurred_at?: string;
  depth?: number;
}
type Around = Record<"causes" | "effects" | "together" | "entity", Link[]>;
export interface Acts {
  go(event: string): void;
  only(by: "names" | "without" | "persona" | "actor", value: string): void;
  close(): void;
}

const failed = (error: unknown): void => {
  if (!(error instanceof Superseded)) console.debug(error);
};

export function Detail({ view, event, isHidden, acts }: { view: View; event: string; isHidden: boolean; acts: Acts }): VNode {
  const [whole, setWhole] = useState<Whole | null>(null);
  const [around, setAround] = useState<Around | null>(null);
  useEffect(() => {
    let isOld = false;
    setAround(null);
    const ask = async (): Promise<void> => {
      const found = await view.request<Whole>("look", { event });
      if (isOld) return;
      setWhole(found);
      const near = await view.request<Around>("around", { event });
      if (!isOld) setAround(near);
    };
    ask().catch(failed);
    return () => {
      isOld = true;
    };
  }, [event]);
  if (!whole) return html`<aside class="pj-log-detail" aria-label="Event"><div class="pj-empty">Looking it up…</div></aside>`;
  const only = (by: "names" | "without" | "persona" | "actor", value: string, word: string): VNode =>
    html`<button type="button" class="pj-log-mini" aria-label=${`${word}: ${visible(value)}`} onClick=${() => acts.only(by, value)}>${word}</button>`;
  const w = whole;
  return html`
    <aside class="pj-log-detail" aria-label=${`Event ${w.seq}`} tabindex="0">
      <div class="pj-log-detail-head">
        <strong><${Name} name=${w.name} mark=${w.mark} /></strong>
        <button type="button" class="pj-log-mini" aria-label="Close" title="Close (Escape)" onClick=${acts.close}>×</button>
      </div>
      <div class="pj-log-whole">
      ${isHidden ? html`<p class="pj-log-note">The filters hide this event; the log stands where it would be.</p>` : null}
      <dl class="pj-log-facts">
        <dt>event</dt><dd>${visible(w.name)} ${only("names", w.name, "only")} ${only("without", w.name, "without")}</dd>
        <dt>persona</dt><dd>${w.persona_id ? html`${visible(w.persona ?? w.persona_id)} ${only("persona", w.persona_id, "only")}` : "none"}</dd>
        <dt>actor</dt><dd>${visible(w.actor)} ${only("actor", w.actor, "only")}</dd>
        <dt>happened</dt><dd>${w.occurred_at}</dd>
        <dt>committed</dt><dd>${w.committed_at}</dd>
        <dt>position</dt><dd>${text(Number(w.seq))}, replica ${visible(w.origin)} no. ${text(Number(w.origin_seq))}</dd>
        ${w.entity_id ? html`<dt>${visible(w.entity ?? "entity")}</dt><dd class="pj-log-id">${w.entity_id}, epoch ${w.epoch}, shard ${w.shard}</dd>` : null}
        <dt>id</dt><dd class="pj-log-id">${w.id}</dd>
        ${w.cause ? html`<dt>cause</dt><dd class="pj-log-id">${w.cause}</dd>` : null}
      </dl>
      ${w.trouble ? html`<p class="pj-log-note">${visible(w.trouble)}</p>` : null}
      ${w.read ? html`<h3>Read as ${visible(w.read.name)}</h3><${Tree} lines=${w.read.lines} label=${`Read as ${w.read.name}`} />` : null}
      <h3>${w.read ? `Stored as ${visible(w.name)}` : "Content"}</h3>
      ${w.mark === "erased" ? html`<div class="pj-empty">Erased with its persona.</div>` : html`<${Tree} lines=${w.stored} label="Content" />`}
      </div>
      <div class="pj-log-links">${around ? html`
        <${Links} title="Caused by" links=${around.causes} go=${acts.go} />
        <${Links} title="Caused" links=${around.effects} go=${acts.go} />
        <${Links} title="Committed with it" links=${around.together} go=${acts.go} />
        <${Links} title=${`The same ${w.entity ?? "entity"}`} links=${around.entity} go=${acts.go} />` : null}</div>
    </aside>`;
}

/** A value as a tree; each text whole. */
export function Tree({ lines, label }: { lines: Line[]; label: string }): VNode {
  if (!lines.length) return html`<div class="pj-empty">Nothing.</div>`;
  return html`
    <table class="pj-table pj-log-tree" aria-label=${visible(label)}><tbody>
      ${lines.map(([depth, name, kind, words], n) => {
        const isBox = kind === "object" || kind === "array";
        const shown = isBox ? `${kind === "array" ? "[" : "{"}${words}${kind === "array" ? "]" : "}"}` : words === "" ? html`<span class="pj-quiet">""</span>` : visible(words);
        return html`<tr key=${n}><th scope="row" style=${{ paddingLeft: `${12 * depth}px` }}>${visible(name)}</th><td class=${`pj-log-tree-${kind}`}>${shown}</td></tr>`;
      })}
    </tbody></table>`;
}

function Links({ title, links, go }: { title: string; links: Link[]; go: (event: string) => void }): VNode | null {
  if (!links.length) return null;
  return html`
    <h3>${visible(title)} <span class="pj-quiet">${links.length}</span></h3>
    <ul class="pj-log-links">${links.map((link) => html`
      <li key=${link.id} style=${{ paddingLeft: `${12 * (link.depth ?? 0)}px` }}>
        ${link.seq === null
          ? html`<span class="pj-quiet">${link.id} is not in the log</span>`
          : html`<button type="button" class="pj-log-link" title=${link.occurred_at} onClick=${() => go(link.id)}><b>${visible(link.name.replace(/^v\d+\./, ""))}</b> <span class="pj-quiet">${link.seq}</span> ${visible(link.said)}</button>`}
      </li>`)}</ul>`;
}
