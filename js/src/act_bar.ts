/** The bar of a view's acts: what runs, what was done, the ways back and forth, and their keys. */
import { useEffect, useRef } from "preact/hooks";
import type { RefObject, VNode } from "preact";
import type { Acting } from "./acts";
import { ignored } from "./blocks";
import { Copy } from "./controls";
import { text, visible } from "./frame";
import { html } from "./html";
import type { View } from "./view";

export type Way = "undo" | "redo";

const COMMAND = /Mac|iP(hone|ad)/.test(navigator.platform) ? "⌘" : "Ctrl+";
const KEYS: Record<Way, string> = { undo: `${COMMAND}Z`, redo: COMMAND === "⌘" ? "⇧⌘Z" : "Ctrl+Shift+Z" };
/** Inputs in which nothing is typed. */
const UNTYPED = new Set(["button", "checkbox", "color", "file", "image", "radio", "range", "reset", "submit"]);

/** What a key asks for; null when it asks for neither, or a text is being typed, which has its own undo. */
export function wayOf(event: KeyboardEvent): Way | null {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || isTyped(event.composedPath()[0])) return null;
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? "redo" : "undo";
  return key === "y" && !event.shiftKey ? "redo" : null;
}

function isTyped(target: EventTarget | undefined): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !UNTYPED.has(target.type);
  return target instanceof HTMLTextAreaElement || target.isContentEditable;
}

interface Props {
  view: View;
  acts: Acting;
}

export function Bar({ view, acts }: Props): VNode {
  const box = useRef<HTMLDivElement>(null);
  const sent = useRef("");
  const pressed = useRef<Way | null>(null);
  const { run = null, last = null, turn = "", undo = null, redo = null } = acts.state ?? {};
  const ask = (op: string, args: Record<string, unknown> = {}): Promise<unknown> => view.request(op, args).catch(ignored);
  const go = (way: Way): void => {
    const isOffered = way === "undo" ? undo !== null : redo !== null && redo.refused === null;
    if (!isOffered || acts.blocked !== null || acts.open !== null || sent.current === turn) return;
    sent.current = turn;
    view.request(`${way}_act`, { token: turn }).catch((error: unknown) => {
      sent.current = "";
      ignored(error);
    });
  };
  useKeys(box, go);
  useFocusKept(box, pressed, run === null);
  const press = (way: Way, event: MouseEvent): void => {
    if (event.detail > 1) return; // the second click of a double click is none
    pressed.current = way;
    go(way);
  };
  const buttons = html`
    ${undo ? html`<${WayButton} way="undo" said=${undo.said} refused=${acts.blocked} onPress=${press} />` : null}
    ${redo ? html`<${WayButton} way="redo" said=${redo.said} refused=${acts.blocked ?? redo.refused} onPress=${press} />` : null}`;
  return html`<div ref=${box} class="pj-acts" role="status" aria-live="polite">
    ${run
      ? html`<div class="pj-act-bar"><span>${visible(run.title)}${run.of ? `: ${text(run.done)} of ${text(run.of)}` : "…"}</span>
          <progress aria-label=${visible(run.title)} value=${run.done} max=${Math.max(1, run.of)} />
          <button type="button" class="pj-button" disabled=${!run.can_cancel} onClick=${() => void ask("cancel_act")}>Cancel</button></div>`
      : last
        ? html`<div class="pj-act-bar"><span class=${last.failed ? "pj-grow pj-text pj-fail" : "pj-grow pj-text"} role=${last.failed ? "alert" : undefined}>${visible(last.said)}</span>
            <span class="pj-act-ways">${last.python ? html`<${Copy} python=${last.python} />` : null}${buttons}
              <button type="button" class="pj-button" aria-label="Dismiss" title=${`Dismiss; what was done stays done${undo ? `, and ${KEYS.undo} still undoes it` : ""}`}
                onClick=${() => void ask("dismiss_act")}>×</button></span></div>`
        : null}
  </div>`;
}

interface WayProps {
  way: Way;
  said: string;
  /** Why it cannot be done now; null when it can. */
  refused: string | null;
  onPress: (way: Way, event: MouseEvent) => void;
}

function WayButton({ way, said, refused, onPress }: WayProps): VNode {
  const words = `${way === "undo" ? "Undo" : "Redo"}: ${visible(said)}`;
  return html`<button type="button" class="pj-button pj-act-way" data-way=${way} aria-disabled=${refused !== null}
    title=${refused === null ? `${words} (${KEYS[way]})` : visible(refused)} onClick=${(e: MouseEvent) => onPress(way, e)}>${words}</button>`;
}

/** Undo and redo by keys, wherever in the view the focus is, save where a text is typed. */
function useKeys(box: RefObject<HTMLElement | null>, go: (way: Way) => void): void {
  const newest = useRef(go);
  newest.current = go;
  useEffect(() => {
    const root = box.current?.closest<HTMLElement>(".pj-view");
    const onKey = (event: KeyboardEvent): void => {
      const way = event.defaultPrevented ? null : wayOf(event);
      if (way === null) return;
      event.preventDefault();
      if (!event.repeat) newest.current(way);
    };
    root?.addEventListener("keydown", onKey);
    return () => root?.removeEventListener("keydown", onKey);
  }, []);
}

/**
 * Acts take away what began them: a button of this bar, a link's. When that had the focus, the view
 * gets it, or else the next key would be the notebook's; the button pressed, when it is there again.
 */
function useFocusKept(box: RefObject<HTMLElement | null>, pressed: RefObject<Way | null>, isIdle: boolean): void {
  const check = useRef<() => void>(() => undefined);
  useEffect(() => {
    const root = box.current?.closest<HTMLElement>(".pj-view");
    if (!root) return;
    let isInside = false;
    const look = (event: Event): void => {
      isInside = root.contains(event.target as Node);
      if (event.target !== root) pressed.current = null;
    };
    check.current = () => requestAnimationFrame(() => {
      const way = pressed.current;
      const isLost = document.activeElement === document.body;
      if (!isInside || !(isLost || (way && document.activeElement === root))) return;
      (root.querySelector<HTMLElement>(`[data-way=${way}]`) ?? root).focus({ preventScroll: true });
    });
    const gone = (event: FocusEvent): void => {
      if (event.relatedTarget === null) check.current();
    };
    document.addEventListener("focusin", look, true);
    document.addEventListener("pointerdown", look, true);
    root.addEventListener("focusout", gone);
    return () => {
      document.removeEventListener("focusin", look, true);
      document.removeEventListener("pointerdown", look, true);
      root.removeEventListener("focusout", gone);
    };
  }, []);
  useEffect(() => check.current(), [isIdle]);
}
