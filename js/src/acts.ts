/** The browser's end of views/_acts.py: buttons that act, the dialog that asks, progress, and the ways back. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren, VNode } from "preact";
import { ActField, isFilled, startOf, type Field, type Values } from "./act_fields";
import { Bar } from "./act_bar";
import { ignored } from "./blocks";
import { visible } from "./frame";
import { html } from "./html";
import type { View } from "./view";

export interface Offered {
  title: string;
  destroys: boolean;
  refused: string | null;
}
export interface ActsState {
  acts: Record<string, Offered>;
  run: { title: string; done: number; of: number; can_cancel: boolean } | null;
  last: { said: string; failed: boolean; python: string | null } | null;
  /** What Undo and Redo must name, so that each is begun once. */
  turn: string;
  undo: { said: string } | null;
  redo: { said: string; refused: string | null } | null;
}
interface Asked {
  token: string;
  question: { title: string; lines: string[]; confirm: string } | null;
  fields: Field[];
  destroys: boolean;
  has_python: boolean;
}
type Given = Record<string, unknown>;
interface Open extends Asked {
  name: string;
  given: Given;
  opener: HTMLElement | null;
}
export interface Acting {
  state: ActsState | undefined;
  open: Open | null;
  /** Why nothing at all can be begun now; null when something can. */
  blocked: string | null;
  /** Why an act cannot be begun now; null when it can. */
  refusal(name: string): string | null;
  begin(name: string, given: Given): void;
  start(values: Values): Promise<void>;
  cancel(): void;
}

function focused(): HTMLElement | null {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return found instanceof HTMLElement ? found : null;
}

/** The acts of a view, for its buttons and for `<Acts>`. */
export function useActs(view: View): Acting {
  const state = view.part<ActsState>("acts").value;
  const [open, setOpen] = useState<Open | null>(null);
  const isAsking = useRef(false);
  const connection = view.connection.value;
  const blocked =
    connection === "offline" || connection === "closed" ? "There is no kernel behind this view." : state?.run ? `${state.run.title} is still running.` : null;
  const refusal = (name: string): string | null => blocked ?? state?.acts[name]?.refused ?? null;
  const begin = (name: string, given: Given): void => {
    if (isAsking.current || refusal(name) !== null) return;
    isAsking.current = true;
    const opener = focused();
    view
      .request<Asked>("ask_act", { name, given })
      .then(async (asked) => {
        if (asked.question) setOpen({ ...asked, name, given, opener });
        else await view.request("start_act", { name, given, token: asked.token });
      })
      .catch(ignored)
      .finally(() => (isAsking.current = false));
  };
  const close = (): void => {
    setOpen(null);
    const back = open?.opener;
    // The element may have been drawn anew; then the view itself has the focus.
    requestAnimationFrame(() => (back?.isConnected ? back.focus() : undefined));
  };
  const start = async (values: Values): Promise<void> => {
    if (!open) return;
    await view.request("start_act", { name: open.name, given: { ...open.given, ...values }, token: open.token });
    close();
  };
  return { state, open, blocked, refusal, begin, start, cancel: close };
}

interface ButtonProps {
  acts: Acting;
  name: string;
  given: Given;
  /** Why there is nothing to act on; null when there is. */
  lacks?: string | null;
  /** Other words than the act's title. */
  children?: ComponentChildren;
  label?: string;
}

/** Begins an act. When it cannot be, it says why and can still be reached. */
export function ActButton({ acts, name, given, lacks = null, children, label }: ButtonProps): VNode | null {
  const offered = acts.state?.acts[name];
  if (!offered) return null;
  const why = acts.refusal(name) ?? lacks;
  const act = (event: MouseEvent): void => {
    if (why === null && event.detail < 2) acts.begin(name, given); // the second click of a double click acts no more
  };
  return html`<button type="button" class="pj-button" aria-disabled=${why !== null} aria-label=${label} title=${why === null ? label : visible(why)}
    onClick=${act}>${children ?? visible(offered.title)}</button>`;
}

/** Buttons in a row: one stop for Tab, arrows inside. */
export function Toolbar({ label, children }: { label: string; children?: ComponentChildren }): VNode {
  const bar = useRef<HTMLDivElement>(null);
  const buttons = (): HTMLElement[] => [...(bar.current?.querySelectorAll<HTMLElement>("button") ?? [])];
  const keepOne = (now?: HTMLElement): void => {
    const all = buttons();
    const at = now ?? all.find((b) => b.tabIndex === 0) ?? all[0];
    for (const b of all) b.tabIndex = b === at ? 0 : -1;
  };
  useEffect(() => keepOne());
  const onKey = (event: KeyboardEvent): void => {
    const all = buttons();
    const at = all.indexOf(event.target as HTMLElement);
    const to = event.key === "ArrowRight" ? at + 1 : event.key === "ArrowLeft" ? at - 1 : event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : -2;
    if (at < 0 || to === -2) return;
    event.preventDefault();
    all[(to + all.length) % all.length]?.focus();
  };
  return html`<div ref=${bar} class="pj-toolbar" role="toolbar" aria-label=${label} onKeyDown=${onKey}
    onFocusIn=${(e: FocusEvent) => keepOne(e.target as HTMLElement)}>${children}</div>`;
}

/** The dialog, when something is asked; the bar, when something runs or has been done. */
export function Acts({ view, acts }: { view: View; acts: Acting }): VNode {
  return html`<${Bar} view=${view} acts=${acts} />${acts.open ? html`<${Dialog} key=${acts.open.token} view=${view} acts=${acts} open=${acts.open} />` : null}`;
}

const FOCUSABLE = "button:not(:disabled), input, select, [tabindex='0']";

/** Where Tab goes from a place among `count`: it stays in the dialog. */
export function nextStop(at: number, count: number, isBack: boolean): number {
  return (at + (isBack ? -1 : 1) + count) % count;
}

function Dialog({ view, acts, open }: { view: View; acts: Acting; open: Open }): VNode {
  const box = useRef<HTMLDivElement>(null);
  const [values, setValues] = useState<Values>(() => startOf(open.fields));
  const [wrong, setWrong] = useState<string | null>(null);
  const [isCopied, setCopied] = useState(false);
  const isSent = useRef(false);
  const id = `pj-dialog-${open.token}`;
  const question = open.question ?? { title: "", lines: [], confirm: "" };
  const isReady = isFilled(open.fields, values);
  useEffect(() => {
    const first = box.current?.querySelector<HTMLElement>(open.fields.length && !open.destroys ? "input, select" : ".pj-safe");
    first?.focus();
    box.current?.scrollIntoView({ block: "nearest" });
  }, []);
  const stops = (): HTMLElement[] => [...(box.current?.querySelectorAll<HTMLElement>(FOCUSABLE) ?? [])];
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "Escape") acts.cancel();
    else if (event.key === "Tab") {
      const all = stops();
      all[nextStop(all.indexOf(event.target as HTMLElement), all.length, event.shiftKey)]?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const go = (event: Event): void => {
    event.preventDefault();
    if (!isReady || isSent.current) return;
    isSent.current = true;
    acts.start(values).catch((error: unknown) => {
      isSent.current = false;
      setWrong(error instanceof Error ? error.message : String(error));
    });
  };
  const copy = async (): Promise<void> => {
    const code = await view.request<string>("act_python", { name: open.name, given: { ...open.given, ...values } });
    await navigator.clipboard.writeText(code);
    setCopied(true);
  };
  return html`
    <div class="pj-veil" onPointerDown=${(e: Event) => { if (e.target === e.currentTarget) acts.cancel(); }}>
      <div ref=${box} class="pj-dialog" role=${open.destroys ? "alertdialog" : "dialog"} aria-modal="true" aria-labelledby=${id} aria-describedby=${`${id}-lines`} onKeyDown=${onKey}>
        <form onSubmit=${go}>
          <h3 id=${id}>${visible(question.title)}</h3>
          <div id=${`${id}-lines`}>${question.lines.map((line, n) => html`<p key=${n} class="pj-text">${visible(line)}</p>`)}</div>
          ${open.fields.map((field) => html`<${ActField} key=${field.name} view=${view} field=${field} value=${values[field.name]}
            onValue=${(v: unknown) => { setCopied(false); setValues((held) => ({ ...held, [field.name]: v })); }} />`)}
          ${wrong ? html`<p class="pj-fail pj-text" role="alert">${visible(wrong)}</p>` : null}
          <div class="pj-dialog-buttons">
            ${open.has_python ? html`<button type="button" class="pj-button pj-left" disabled=${!isReady} onClick=${() => void copy().catch(ignored)}>${isCopied ? "Copied" : "Copy as Python"}</button>` : null}
            <button type="button" class="pj-button pj-safe" onClick=${() => acts.cancel()}>Cancel</button>
            <button type="submit" class=${open.destroys ? "pj-button pj-danger" : "pj-button pj-go"} disabled=${!isReady}>${visible(question.confirm)}</button>
          </div>
        </form>
      </div>
    </div>`;
}
