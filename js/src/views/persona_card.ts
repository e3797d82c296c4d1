import type { VNode } from "preact";
import { ignored } from "../blocks";
import { Chips, Copy } from "../controls";
import { ago, many, num, rows, stamp, text, type Frame } from "../frame";
import { html } from "../html";
import { Bars, Course, reachable, SmallTable } from "../parts";
import { Shell } from "../shell";
import type { View } from "../view";

interface Who {
  is_alive: boolean;
  description: string;
  mood: string;
  mood_intensity: number;
  is_active: boolean;
  traits: Record<string, number>;
}

interface State {
  filters: Record<string, string>;
  python: string;
}

/** One persona: traits, the course of its mood, what it remembers, what happened last. */
export default function PersonaCard({ view }: { view: View }): VNode {
  const who = view.part<Who>("who").value;
  const state = view.part<State>("state").value;
  const unfilter = (name: string): void => void view.request("unfilter", { name }).catch(ignored);
  const counts = who?.is_alive ? [`${who.mood} ${text(who.mood_intensity)}`, who.is_active ? "active" : "retired"] : [];
  return html`
    <${Shell} view=${view} counts=${counts} actions=${state ? html`<${Copy} python=${state.python} />` : null}>
      ${state ? html`<${Chips} filters=${state.filters} onRemove=${unfilter} />` : null}
      ${who?.is_alive ? html`<${Body} view=${view} who=${who} />` : html`<div class="pj-empty">${who ? "There is no such persona any more." : "Waiting for the lab…"}</div>`}
    <//>`;
}

function Body({ view, who }: { view: View; who: Who }): VNode {
  const memories = view.part<Frame>("memories").value;
  const events = view.part<Frame>("events").value;
  return html`
    ${who.description ? html`<p class="pj-text pj-quiet">${text(who.description)}</p>` : null}
    <div class="pj-grid">
      <section><h3>Traits</h3><${Bars} values=${Object.entries(who.traits)} top=${100} /></section>
      <section><h3>Memories by kind and tier</h3>${memories ? html`<${SmallTable} frame=${memories} label="Memories by kind and tier" />` : null}</section>
      <section class="pj-wide"><h3>Mood</h3><${Mood} frame=${view.part<Frame>("moods").value} /></section>
      <section class="pj-wide"><h3>Last events</h3>${events ? html`<${Events} frame=${events} />` : null}</section>
    </div>`;
}

function Mood({ frame }: { frame: Frame | undefined }): VNode {
  const found = frame ? rows(frame) : [];
  const last = found[found.length - 1];
  const first = found[0];
  if (!last || !first) return html`<div class="pj-empty">The mood has not changed yet.</div>`;
  const times = found.map((r) => num(r.at));
  const values = found.map((r) => num(r.intensity));
  const changes = many(found.length, "change");
  const label = `Intensity of the mood, ${changes}, now ${text(last.emotion)} at ${text(last.intensity)} of 100`;
  return html`
    <${Course} times=${times} values=${values} top=${100} label=${label} />
    <div class="pj-quiet">${stamp(num(first.at))} to ${stamp(num(last.at))} · ${changes} · now ${text(last.emotion)} ${text(last.intensity)}</div>`;
}

function Events({ frame }: { frame: Frame }): VNode {
  return html`
    <div class="pj-scroll" ref=${reachable}><table class="pj-table" aria-label="Last events">
      <thead><tr><th scope="col">event</th><th scope="col">when</th><th scope="col">what</th><th scope="col" class="pj-extra">actor</th></tr></thead>
      <tbody>${rows(frame).map((r) => html`
        <tr key=${text(r.id)}>
          <td class="pj-word">${text(r.name)}</td>
          <td class="pj-word" title=${`${stamp(num(r.at))} UTC`}>${ago(num(r.at))}</td>
          <td class="pj-text">${text(r.said)}</td>
          <td class="pj-word pj-extra">${text(r.actor)}</td>
        </tr>`)}</tbody>
    </table></div>`;
}
