/** The one bundle of a page; each kernel carries it. The comm of the model that does is the line for requests. */
import { effect, untracked } from "@preact/signals";
import { Component, render as draw, type ComponentChildren, type VNode } from "preact";
import { isInside, keepKeys } from "./a11y";
import { visible } from "./frame";
import { html } from "./html";
import { kit } from "./kit";
import { keepInNotebook, type Keeper } from "./notebook";
import { Line, State } from "./transport";
import type { Carrier, Manager, Model, RenderContext } from "./types";
import { View } from "./view";
import css from "virtual:styles";
import views from "virtual:views";

type Draw = (props: { view: View; kit?: typeof kit }) => VNode;
interface Api {
  /** `own` draws a view that has a module of its own. */
  render(context: RenderContext, own?: Draw): Promise<() => void>;
  /** Take on a kernel, by the model that brought the bundle. */
  carry(model: Carrier): void;
}

const MOVED = "pj-moved";
/** By the id of the model that carried the bundle. */
const lines = new Map<string, Line>();
/** What a notebook is saved by, and that model. */
const keepers = new WeakMap<Manager, Keeper & { carrier: Carrier }>();

/** Shows an error of a view's own code where the view would be. */
class Guard extends Component<{ children?: ComponentChildren }, { error?: string }> {
  override componentDidCatch(error: unknown): void {
    this.setState({ error: String(error) });
  }
  override render(): ComponentChildren {
    return this.state.error ? html`<div class="pj-error" role="alert">${this.state.error}</div>` : this.props.children;
  }
}

function style(el: HTMLElement): void {
  const root = el.getRootNode();
  const home = root instanceof ShadowRoot ? root : document.head;
  if (home.querySelector("style[data-pjais='__PJAIS_SYMBOL__']")) return;
  const sheet = document.createElement("style");
  sheet.dataset.pjais = "__PJAIS_SYMBOL__";
  sheet.textContent = css;
  home.append(sheet);
}

async function lineOf(model: Model, id: string): Promise<Line> {
  if (!id) return new Line(model); // marimo: every view speaks for itself
  const found = lines.get(id);
  if (found) return found;
  const manager = model.widget_manager;
  const own = (await manager?.get_model?.(id)) as Model | undefined;
  const again = lines.get(id);
  if (again) return again;
  if (!own) throw new Error("This host does not give the views their runtime's connection.");
  const line = new Line(own, manager && keepers.get(manager)?.isSaving);
  lines.set(id, line);
  return line;
}

/** Shows another widget inside a view; gives what takes it away. */
async function mount(parent: Model, id: string, el: HTMLElement): Promise<() => void> {
  const manager = parent.widget_manager;
  const model = (await found(manager, id)) as Model;
  if (String(model.get("_kind")) in (views as object)) return render({ model, el });
  if (!manager?.create_view) throw new Error("This host cannot show this widget inside another view.");
  const { luminoWidget } = await manager.create_view(model);
  luminoWidget.constructor.attach(luminoWidget, el);
  return () => {
    // What it was in may be gone from the page already, which Lumino must be told.
    if (!luminoWidget.node.isConnected) for (const type of ["before-detach", "after-detach"]) luminoWidget.processMessage({ type });
    luminoWidget.dispose();
  };
}

/** The model of a widget that the kernel has made a moment ago. */
async function found(manager: Manager | undefined, id: string, tries = 20): Promise<unknown> {
  try {
    const model = await manager?.get_model?.(id);
    if (model) return model;
  } catch (error) {
    if (tries <= 1) throw error;
  }
  if (tries <= 1) throw new Error("This widget is not known here.");
  await new Promise((later) => setTimeout(later, 100));
  return found(manager, id, tries - 1);
}

async function render({ model, el }: RenderContext, own?: Draw): Promise<() => void> {
  const kind = String(model.get("_kind"));
  const body = own ?? (views as Record<string, Draw>)[kind];
  const root = document.createElement("div");
  root.className = "pj-view";
  root.dataset.kind = kind;
  root.tabIndex = -1;
  keepKeys(root);
  el.append(root);
  style(el);
  if (!body) {
    root.textContent = `This version of PJAIS Lab has no view '${kind}'.`;
    return () => root.remove();
  }
  const line = await lineOf(model, String(model.get("_rt")));
  const id = String(model.get("_me"));
  // anywidget hands over a proxy; only the model itself knows whether its kernel is there.
  const source = ((await model.widget_manager?.get_model?.(id)) as Model | undefined) ?? model;
  const state = new State(source, line, id);
  const view = new View(source, line, state, (which, where) => mount(source, which, where));
  const gone = (which: string): void => {
    if (which === id) view.close();
  };
  const shut = (): void => view.close();
  line.gone.add(gone);
  source.on("destroy", shut as never);
  root.setAttribute("role", "region");
  const named = effect(() => root.setAttribute("aria-label", visible(view.title)));
  draw(html`<${Guard}><${body} view=${view} kit=${kit} /><//>`, root);
  state.start();
  // A saved notebook keeps the outermost view, which is told when one inside it moves.
  const inner = (event: Event): void => {
    if (event.target !== root) view.moved.value = view.moved.peek() + 1;
  };
  root.addEventListener(MOVED, inner);
  const rise = effect(() => {
    if (view.moved.value) untracked(() => root.dispatchEvent(new CustomEvent(MOVED, { bubbles: true })));
  });
  const keeper = model.widget_manager && keepers.get(model.widget_manager);
  const forget = isInside(root) ? undefined : keeper?.keep(id, view);
  return () => {
    forget?.();
    rise();
    named();
    line.gone.delete(gone);
    source.off("destroy", shut as never);
    state.stop();
    if (!model.get("_rt")) line.close();
    draw(null, root);
    root.remove();
  };
}

function carry(model: Carrier): void {
  const manager = model.widget_manager;
  if (!manager) return;
  leave(manager);
  const ask = async (view: string): Promise<string> => {
    if (keepers.get(manager)?.carrier !== model) throw new Error("The kernel is gone.");
    const line = await lineOf(model, String(model.get("_me")));
    return line.ask(view, "snapshot", {}, "$snapshot") as Promise<string>;
  };
  keepers.set(manager, { ...keepInNotebook(manager, ask), carrier: model });
}

/** The kernel of a notebook is gone, as before a restart. Its views may still be there, and stay as they are. */
function leave(manager: Manager): void {
  const former = keepers.get(manager);
  if (!former) return;
  former.close();
  const id = String(former.carrier.get("_me"));
  const line = lines.get(id);
  if (!line || line.isAlive) return;
  line.close();
  lines.delete(id);
  // JupyterLab keeps the models of kernels that are gone; and a model the value before the last.
  for (let n = 0; n < 2; n++) former.carrier.set("_bundle", "");
}

const shared = ((globalThis as Record<symbol, unknown>)[Symbol.for("__PJAIS_SYMBOL__")] ??= Promise.withResolvers<Api>()) as PromiseWithResolvers<Api>;
shared.resolve({ render, carry });
