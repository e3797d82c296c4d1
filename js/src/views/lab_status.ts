import type { VNode } from "preact";
import { text, type Frame } from "../frame";
import { html } from "../html";
import { Facts, SmallTable } from "../parts";
import { Shell } from "../shell";
import type { View } from "../view";

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
  tailer_error: string | null;
  has_keeper: boolean;
  keeper_error: string | null;
}

const health = (error: string | null): VNode =>
  error
    ? html`<span class="pj-fail"><span aria-hidden="true">■</span> ${text(error)}</span>`
    : html`<span class="pj-ok"><span aria-hidden="true">●</span> works</span>`;

/** What the lab is doing: journal, lake, state, followers, and what is live at what cost. */
export default function LabStatus({ view }: { view: View }): VNode {
  const status = view.part<Status>("status").value;
  const tables = view.part<Frame>("tables").value;
  const live = view.part<Frame>("live").value;
  const counts = status ? [`event ${text(status.position)}`, `${text(status.shards)} shards`] : [];
  const total = (o: Record<string, number>): number => Object.values(o).reduce((a, b) => a + b, 0);
  return html`
    <${Shell} view=${view} counts=${counts}>
      ${status
        ? html`<div class="pj-grid">
            <section>
              <h3>Log</h3>
              <${Facts} values=${[
                ["journal's last event", text(status.head)],
                ["shown here", text(status.position)],
                ["sealed in the lake", text(status.sealed)],
                ["only in the journal", text(status.unsealed)],
                ["following other processes", health(status.tailer_error)],
                ["sealing by itself", status.has_keeper ? health(status.keeper_error) : "off"],
                ["events nobody declares", text(total(status.unknown))],
                ["events that could not be read", text(status.quarantined)],
              ]} />
            </section>
            <section><h3>State</h3>${tables ? html`<${SmallTable} frame=${tables} label="Rows of each table" />` : null}</section>
            <section class="pj-wide"><h3>Live (runs so far: ${text(status.runs)})</h3>
              ${live ? html`<${SmallTable} frame=${live} label="What is live" />` : null}
            </section>
          </div>`
        : html`<div class="pj-empty">Waiting for the lab…</div>`}
    <//>`;
}
