/**
 * Saved notebooks. JupyterLab writes an output as "a widget" and, without the kernel, shows an error for it even when
 * there is HTML beside it. So what is saved is the last static view alone; when the notebook is opened again and the
 * kernel is still there, the live view is put back.
 */
import { effect } from "@preact/signals";
import type { Manager } from "./types";
import type { View } from "./view";

const WIDGET = "application/vnd.jupyter.widget-view+json";
const QUIET_MS = 1_500;
/** A view that has no static form yet is asked for it sooner: somebody may save what he has just run. */
const YOUNG_MS = 400;
const PATCHED = Symbol.for("pjais_lab.saves");

type Json = Record<string, unknown>;
interface Output {
  data?: Json;
  metadata?: { pjais_lab?: { model_id?: string } };
}
interface Saved {
  cells: { outputs?: Output[] }[];
  metadata: { widgets?: Record<string, { state?: Json }> };
}
interface Outputs {
  length: number;
  get(index: number): { toJSON(): Output };
  set(index: number, output: Output): void;
}
export interface NotebookModel {
  dirty: boolean;
  cells: { length: number; get(index: number): { outputs?: Outputs } };
  contentChanged?: { connect(heard: () => void): void; disconnect(heard: () => void): void };
  toJSON(): unknown;
  [PATCHED]?: Snapshots;
}
export type Snapshots = Map<string, string>;
interface Context {
  model?: NotebookModel;
  ready?: Promise<void>;
}
interface LabManager extends Manager {
  restoredStatus?: boolean;
  restored?: { connect(heard: () => void): void };
}

export interface Keeper {
  /** Whether there is a notebook that is saved from here; the kernel then leaves the static form to this page. */
  readonly isSaving: boolean;
  /** Keep a view's last static form at hand; gives what undoes it. */
  keep(id: string, view: View): () => void;
  /** Its kernel is gone. */
  close(): void;
}

/**
 * Make saving a notebook keep its views; does nothing where there is no notebook.
 * `ask` gives a view's static form, of the kernel.
 */
export function keepInNotebook(manager: Manager, ask: (id: string) => Promise<string>): Keeper {
  const context = manager.context as Context | undefined;
  const model = context?.model?.cells ? context.model : undefined;
  const snapshots: Snapshots = model?.[PATCHED] ?? new Map<string, string>();
  let close = (): void => undefined;
  const take = (id: string): void => void ask(id).then((found) => snapshots.set(id, found), () => undefined);
  if (context && model) {
    patch(model, snapshots);
    // Also of views that were never scrolled to, and so never drawn.
    const look = later(() => {
      for (const id of young(model, snapshots)) if (manager.has_model?.(id)) take(id);
    });
    model.contentChanged?.connect(look);
    close = () => void model.contentChanged?.disconnect(look);
    look();
    void thawLater(manager as LabManager, context);
  }
  return { isSaving: !!model, keep: (id, view) => keep(id, view, take), close: () => close() };
}

/** The views that a notebook shows without a static form; forgets those that it shows no more. */
export function young(model: NotebookModel, snapshots: Snapshots): string[] {
  const shown = new Map<string, boolean>();
  for (let c = 0; c < model.cells.length; c++) {
    const outputs = model.cells.get(c).outputs;
    for (let i = 0; i < (outputs?.length ?? 0); i++) {
      const { data, metadata } = outputs?.get(i).toJSON() ?? {};
      const id = metadata?.pjais_lab?.model_id;
      if (id) shown.set(id, data?.["text/html"] !== undefined);
    }
  }
  for (const id of snapshots.keys()) if (!shown.has(id)) snapshots.delete(id);
  return [...shown].flatMap(([id, isKnown]) => (isKnown || snapshots.has(id) ? [] : [id]));
}

/** Calls once for what happens within a moment. */
function later(work: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      work();
    }, YOUNG_MS);
  };
}

function keep(id: string, view: View, take: (id: string) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = effect(() => {
    if (view.moved.value === 0) return;
    clearTimeout(timer);
    timer = setTimeout(take, QUIET_MS, id);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}

function patch(model: NotebookModel, snapshots: Snapshots): void {
  if (model[PATCHED]) return;
  model[PATCHED] = snapshots;
  const original = model.toJSON.bind(model);
  model.toJSON = () => freeze(original() as Saved, snapshots);
}

/** A notebook as it is saved: our views as HTML, unless the user saves the state of widgets. */
export function freeze(saved: Saved, snapshots: Snapshots): Saved {
  const states = saved.metadata.widgets?.["application/vnd.jupyter.widget-state+json"]?.state ?? {};
  const frozen = (output: Output): Output => {
    const id = output.metadata?.pjais_lab?.model_id;
    if (!id || !output.data || id in states) return output;
    const { [WIDGET]: _live, ...data } = output.data;
    const shown = snapshots.get(id) ?? data["text/html"]; // none: saved in the second after it was shown
    return { ...output, data: shown === undefined ? data : { ...data, "text/html": shown } };
  };
  const cells = saved.cells.map((cell) => (cell.outputs ? { ...cell, outputs: cell.outputs.map(frozen) } : cell));
  return { ...saved, cells };
}

async function thawLater(manager: LabManager, context: Context): Promise<void> {
  await context.ready;
  if (manager.restoredStatus) thaw(manager, context);
  manager.restored?.connect(() => thaw(manager, context));
}

function thaw(manager: LabManager, { model }: Context): void {
  if (!model) return;
  const wasDirty = model.dirty;
  for (let c = 0; c < model.cells.length; c++) {
    const outputs = model.cells.get(c).outputs;
    for (let i = 0; i < (outputs?.length ?? 0); i++) {
      const output = outputs?.get(i).toJSON();
      const id = output?.metadata?.pjais_lab?.model_id;
      if (!output?.data || !id || output.data[WIDGET] || !manager.has_model?.(id)) continue;
      const live = { version_major: 2, version_minor: 0, model_id: id };
      outputs?.set(i, { ...output, data: { [WIDGET]: live, ...output.data } });
    }
  }
  model.dirty = wasDirty;
}
