import { useEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { Chips, Copy } from "../controls";
import { text, visible } from "../frame";
import { html } from "../html";
import { Shell } from "../shell";
import type { View } from "../view";

interface Panel {
  title: string;
  model: string | null;
  error: string | null;
  is_shown: boolean;
}
interface State {
  rows: Panel[][];
  maximised: string | null;
  python: string;
}
interface Picked {
  filters: Record<string, string>;
  python: string;
}

/** Views in rows: each opened, hidden and maximised by itself; those that are not here ask and get nothing. */
export default function Dashboard({ view }: { view: View }): VNode {
  const state = view.part<State>("panels").value;
  const picked = view.part<Picked>("selection").value;
  const root = useRef<HTMLDivElement>(null);
  const act = (op: string, args: Record<string, unknown>): void => void view.request(op, args).catch(() => undefined);
  const most = state?.maximised ?? null;
  // Escape that nothing inside has used gives the other panels back.
  const onKey = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || event.defaultPrevented || most === null) return;
    event.preventDefault();
    act("maximise", { title: null });
  };
  if (!state) return html`<${Shell} view=${view}><div class="pj-empty">Waiting for the lab…</div><//>`;
  const panels = state.rows.flat();
  const isHere = (panel: Panel): boolean => panel.is_shown && (most === null || most === panel.title);
  const here = panels.filter(isHere);
  return html`
    <${Shell} view=${view} counts=${[`${here.length} of ${panels.length} panels`]}
      actions=${html`<${Copy} python=${picked?.python ?? state.python} />`}>
      <div ref=${root} onKeyDown=${onKey}>
        <${Toggles} panels=${panels} isHere=${isHere} act=${act} />
        <${Selected} picked=${picked} act=${act} />
        ${state.rows.map((row, n) => {
          const open = row.filter(isHere);
          if (!open.length) return null;
          return html`<div key=${n} class="pj-panels" style=${{ "--pj-in-row": open.length }}>
            ${open.map((panel) => html`<${Place} key=${panel.title} view=${view} panel=${panel} isMost=${most === panel.title} act=${act} />`)}
          </div>`;
        })}
        ${here.length ? null : html`<div class="pj-empty" role="status">No panel is open. Open one above.</div>`}
      </div>
    <//>`;
}

type Act = (op: string, args: Record<string, unknown>) => void;

/** Which place of a toolbar the arrows lead to; null when the key is another one. */
export function moved(key: string, at: number, count: number): number | null {
  if (key === "ArrowRight") return (at + 1) % count;
  if (key === "ArrowLeft") return (at + count - 1) % count;
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : null;
}

/** One button a panel; one stop for Tab, arrows inside. */
function Toggles({ panels, isHere, act }: { panels: Panel[]; isHere: (panel: Panel) => boolean; act: Act }): VNode {
  const [at, setAt] = useState(0);
  const bar = useRef<HTMLDivElement>(null);
  const onKey = (event: KeyboardEvent): void => {
    const next = moved(event.key, Math.min(at, panels.length - 1), panels.length);
    if (next === null) return;
    event.preventDefault();
    setAt(next);
    (bar.current?.children[next] as HTMLElement | undefined)?.focus();
  };
  return html`
    <div class="pj-toggles" role="toolbar" aria-label="Panels" ref=${bar} onKeyDown=${onKey}>
      ${panels.map((panel, n) => {
        const isOn = isHere(panel);
        return html`<button type="button" key=${panel.title} class=${isOn ? "pj-button pj-on" : "pj-button"} aria-pressed=${isOn}
          tabindex=${n === Math.min(at, panels.length - 1) ? 0 : -1} title=${`${isOn ? "Hide" : "Show"} ${text(panel.title)}`}
          onClick=${() => { setAt(n); act("place", { title: panel.title, is_shown: !isOn }); }}>
          <span aria-hidden="true">${isOn ? "▪" : "▫"}</span> ${text(panel.title)}${panel.error ? html` <span class="pj-fail" aria-label="failed">■</span>` : null}</button>`;
      })}
    </div>`;
}

/** What the views have picked. */
function Selected({ picked, act }: { picked: Picked | undefined; act: Act }): VNode {
  const count = Object.keys(picked?.filters ?? {}).length;
  if (!picked || !count) return html`<div class="pj-selected pj-quiet" role="group" aria-label="Selection">Nothing is selected. What you pick in a panel filters the others.</div>`;
  return html`
    <div class="pj-selected" role="group" aria-label="Selection">
      <${Chips} filters=${picked.filters} onRemove=${(name: string) => act("drop", { name })} />
      <button type="button" class="pj-button" onClick=${() => act("clear", {})}>Clear the selection</button>
    </div>`;
}

/** One panel: the view, and the buttons over it. */
function Place({ view, panel, isMost, act }: { view: View; panel: Panel; isMost: boolean; act: Act }): VNode {
  const name = text(panel.title);
  const body = panel.model
    ? html`<${Mounted} key=${panel.model} view=${view} model=${panel.model} />`
    : html`<div class="pj-panel-empty"><strong>${name}</strong>${panel.error
        ? html`<div class="pj-error" role="alert">${visible(panel.error)}</div>
            <button type="button" class="pj-button" onClick=${() => act("place", { title: panel.title, is_shown: true })}>Try again</button>`
        : html`<div class="pj-empty">Opening…</div>`}</div>`;
  return html`
    <section class="pj-panel" aria-label=${name}>
      <div class="pj-panel-tools">
        <button type="button" class="pj-button" aria-pressed=${isMost} aria-label=${isMost ? `Give the other panels back` : `Maximise ${name}`}
          title=${isMost ? "Give the other panels back (Escape)" : "Maximise"} onClick=${() => act("maximise", { title: isMost ? null : panel.title })}>
          <svg class="pj-icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${isMost ? "M7 3v4H3M9 13V9h4" : "M9 3h4v4M7 13H3V9"} /></svg></button>
        <button type="button" class="pj-button" aria-label=${`Hide ${name}`} title="Hide" onClick=${() => act("place", { title: panel.title, is_shown: false })}>
          <svg class="pj-icon" viewBox="0 0 16 16" aria-hidden="true"><path d="M4 4l8 8M12 4l-8 8" /></svg></button>
      </div>
      ${panel.model ? html`<strong class="pj-panel-title">${name}</strong>` : null}
      ${body}
    </section>`;
}

/** Another view, here as long as this is. */
function Mounted({ view, model }: { view: View; model: string }): VNode {
  const box = useRef<HTMLDivElement>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    let undo: (() => void) | null = null;
    let isGone = false;
    const el = box.current;
    if (el) {
      view.mount(model, el).then(
        (done) => (isGone ? done() : (undo = done)),
        (failure: unknown) => setError(failure instanceof Error ? failure.message : String(failure)),
      );
    }
    return () => {
      isGone = true;
      undo?.();
    };
  }, [model]);
  return html`<div class="pj-mounted" ref=${box}></div>${error ? html`<div class="pj-error" role="alert">${visible(error)}</div>` : null}`;
}
