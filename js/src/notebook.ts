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
interface NotebookModel {
  dirty: boolean;
  cells: { length: number; get(index: number): { outputs?: Outputs } };
  toJSON(): unknown;
  [PATCHED]?: Snapshots;
}
type Snapshots = Map<string, string>;
interface Context {
  model?: NotebookModel;
  ready?: Promise<void>;
}
interface LabManager extends Manager {
  restoredStatus?: boolean;
  restored?: { connect(heard: () => void): void };
}

export interface Keeper {
  /** Keep a view's last static form at hand; gives what undoes it. */
  keep(id: string, view: View): () => void;
}

/** Make saving a notebook keep its views; does nothing where there is no notebook. */
export function keepInNotebook(manager: Manager): Keeper {
  const context = manager.context as Context | undefined;
  const snapshots: Snapshots = context?.model?.[PATCHED] ?? new Map<string, string>();
  if (context?.model?.cells) {
    patch(context.model, snapshots);
    void thawLater(manager as LabManager, context);
  }
  return { keep: (id, view) => keep(id, view, snapshots) };
}

function keep(id: string, view: View, snapshots: Snapshots): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = (): void => {
    view.request<string>("snapshot", {}, "$snapshot").then((found) => snapshots.set(id, found), () => undefined);
  };
  const stop = effect(() => {
    if (view.moved.value === 0) return;
    clearTimeout(timer);
    timer = setTimeout(ask, QUIET_MS);
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
    if (!id || !output.data?.["text/html"] || id in states) return output;
    const { [WIDGET]: _live, ...data } = output.data;
    return { ...output, data: { ...data, "text/html": snapshots.get(id) ?? data["text/html"] } };
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
