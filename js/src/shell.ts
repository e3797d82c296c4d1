import { useState } from "preact/hooks";
import type { ComponentChildren, VNode } from "preact";
import { visible } from "./frame";
import { html } from "./html";
import type { Connection } from "./transport";
import type { View } from "./view";

interface Props {
  view: View;
  /** Short facts beside the title. */
  counts?: readonly (string | VNode)[];
  /** Of what has been, which nothing moves any more. */
  moment?: string | null;
  /** Buttons at the right of the header. */
  actions?: ComponentChildren;
  children?: ComponentChildren;
}

const SAID: Record<Connection, [string, string, string]> = {
  connecting: ["◌", "connecting", "Waiting for the kernel's first answer."],
  live: ["●", "live", "This view follows the log."],
  busy: ["◐", "kernel busy", "The kernel is running a cell and answers afterwards."],
  offline: ["○", "not connected", "There is no kernel. Run the cell to bring the view to life."],
  closed: ["■", "closed", "This view was closed in the kernel. Run the cell again."],
};

/** The frame around every view: title, counts, actions; body; SQL, time, connection; the error strip. */
export function Shell({ view, counts = [], moment = null, actions, children }: Props): VNode {
  const error = view.part<string | null>("$error").value ?? view.trouble.value;
  const query = view.part<{ sql: string; ms?: number }>("$query").value;
  const state = view.connection.value;
  const isStale = state === "offline" || state === "closed";
  return html`
    <header class="pj-head">
      <h2 class="pj-title">${visible(view.title)}</h2>
      <span class="pj-counts">${counts.map((c, n) => html`<span key=${n}>${c}</span>`)}</span>
      <span class="pj-actions">${actions}</span>
    </header>
    <div class=${isStale ? "pj-body pj-stale" : "pj-body"}>${children}</div>
    ${error ? html`<div class="pj-error" role="alert"><${Cross} />${visible(error)}</div>` : null}
    <footer class="pj-foot">
      ${query ? html`<${Sql} sql=${query.sql} />` : html`<span class="pj-grow" />`}
      ${query?.ms !== undefined ? html`<span class="pj-ms">${query.ms.toFixed(1)} ms</span>` : null}
      <${Chip} state=${state} moment=${moment} />
    </footer>`;
}

function Chip({ state, moment }: { state: Connection; moment: string | null }): VNode {
  const isPast = state === "live" && moment !== null;
  const [glyph, word, hint] = isPast ? ["◇", visible(moment), "This view shows what was; nothing moves it."] : SAID[state];
  return html`<span class="pj-chip pj-chip-${state}" title=${hint} role="status"><span aria-hidden="true">${glyph}</span> ${word}</span>`;
}

function Sql({ sql }: { sql: string }): VNode {
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(sql);
    setCopied(true);
    setTimeout(() => setCopied(false), 1_500);
  };
  return html`
    <details class="pj-sql pj-grow">
      <summary>SQL</summary>
      <pre tabindex="0" aria-label="The query behind this view">${visible(sql)}</pre>
      <button type="button" class="pj-button" onClick=${copy}>${isCopied ? "Copied" : "Copy SQL"}</button>
    </details>`;
}

function Cross(): VNode {
  return html`<svg class="pj-icon" viewBox="0 0 16 16" aria-hidden="true"><path d="M4 4l8 8M12 4l-8 8" /></svg>`;
}
