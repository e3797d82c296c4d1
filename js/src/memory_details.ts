/** One memory whole, beside the table: its text, its links, what happened to it. */
import { useEffect, useState } from "preact/hooks";
import type { VNode } from "preact";
import { ActButton, type Acting } from "./acts";
import { ignored } from "./blocks";
import { text, visible } from "./frame";
import { html } from "./html";
import { Facts, reachable } from "./parts";
import type { View } from "./view";

interface Link {
  way: "to" | "from";
  relation: string;
  strength: number;
  other: string;
  content: string | null;
}
interface Happened {
  id: string;
  name: string;
  at: string;
  committed: string;
  actor: string;
  said: string;
}
interface Memory {
  id: string;
  is_alive: boolean;
  content: string;
  is_cut: boolean;
  kind: string;
  content_type: string;
  tier: string;
  importance: number;
  tags: string[];
  recalls: number;
  persona: string | null;
  source: string | null;
  created_at: string | null;
  last_recalled_at: string | null;
  revised_at: string | null;
  expires_at: string | null;
  links: Link[];
  events: Happened[];
  is_more: boolean;
}
interface Props {
  view: View;
  acts: Acting;
  memory: string;
  version: number;
  onPick: (key: string) => void;
}

/** What scrolls can be scrolled with the keyboard. */
function tall(el: HTMLElement | null): void {
  if (el) requestAnimationFrame(() => (el.tabIndex = el.scrollHeight > el.clientHeight ? 0 : -1));
}

export function Details({ view, acts, memory, version, onPick }: Props): VNode {
  const [found, setFound] = useState<Memory | null>(null);
  useEffect(() => {
    view.request<Memory>("details", { key: memory }).then(setFound, ignored);
  }, [memory, version]);
  const isOther = found?.id !== memory;
  return html`<aside class="pj-details" aria-label="The picked memory" aria-busy=${isOther} tabindex="0">
    ${!found ? null : found.is_alive ? html`<${Whole} found=${found} acts=${acts} onPick=${onPick} />` : html`<div class="pj-empty">This memory was forgotten.</div>`}
  </aside>`;
}

function Whole({ found, acts, onPick }: { found: Memory; acts: Acting; onPick: (key: string) => void }): VNode {
  const facts: [string, string | null][] = [
    ["whose", found.persona],
    ["kind", found.content_type === "text" ? found.kind : `${found.kind} (${found.content_type})`],
    ["tier", found.tier],
    ["importance", text(found.importance)],
    ["tags", found.tags.join(", ")],
    ["formed", found.created_at],
    ["recalled", found.recalls ? `${text(found.recalls)} ×, last ${found.last_recalled_at ?? ""}` : "never"],
    ["revised", found.revised_at],
    ["expires", found.expires_at],
    ["source", found.source],
  ];
  return html`
    <p class="pj-text pj-memory-text" ref=${(el: HTMLElement | null) => tall(el)}>${visible(found.content)}${found.is_cut ? "…" : ""}</p>
    <${Facts} values=${facts.flatMap(([name, value]) => (value ? [[name, visible(value)]] : []))} />
    <h3>Links</h3>
    ${found.links.length ? html`<ul class="pj-links">${found.links.map((l) => html`<${LinkRow} key=${`${l.way} ${l.relation} ${l.other}`} memory=${found.id} link=${l} acts=${acts} onPick=${onPick} />`)}</ul>` : html`<div class="pj-empty">None.</div>`}
    <h3>What happened</h3>
    <div class="pj-scroll" ref=${reachable}><table class="pj-table" aria-label="Events of this memory"><tbody>${found.events.map((e) => html`
      <tr key=${e.id}><td class="pj-word" title=${e.committed ? `committed ${e.committed} UTC` : "UTC"}>${e.at}</td><td class="pj-text">${visible(e.name)} <span class="pj-quiet">${visible(e.said)}</span></td>
        <td class="pj-word">${visible(e.actor)}</td></tr>`)}</tbody></table></div>
    ${found.is_more ? html`<div class="pj-quiet">Only the newest are listed.</div>` : null}`;
}

function LinkRow({ memory, link, acts, onPick }: { memory: string; link: Link; acts: Acting; onPick: (key: string) => void }): VNode {
  const [source, target] = link.way === "to" ? [memory, link.other] : [link.other, memory];
  const words = link.content === null ? "forgotten" : visible(link.content);
  const said = `${link.way === "to" ? "→" : "←"} ${visible(link.relation)} ${text(link.strength)}`;
  return html`<li><span class="pj-quiet pj-word">${said}</span>
    ${link.content === null ? html`<span class="pj-grow pj-null">${words}</span>` : html`<button type="button" class="pj-link pj-grow" title=${words} onClick=${() => onPick(link.other)}>${words}</button>`}
    <${ActButton} acts=${acts} name="unlink" given=${{ source, target, relation: link.relation }} label=${`Unlink: ${said} ${words}`}>×<//></li>`;
}
