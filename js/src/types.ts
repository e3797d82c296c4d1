/** What anywidget hands over, as far as we use it. */
export interface Model {
  get(name: string): unknown;
  on(name: string, heard: (...args: never[]) => void): void;
  off(name: string, heard?: (...args: never[]) => void): void;
  send(content: unknown, callbacks?: unknown, buffers?: unknown): void;
  widget_manager?: Manager;
}

/** The model that brings the bundle. */
export interface Carrier extends Model {
  set(name: string, value: unknown): void;
}

/** The part of a widget manager that JupyterLab, Notebook 7 and others share. */
export interface Manager {
  get_model?(id: string): Promise<unknown>;
  has_model?(id: string): boolean;
  create_view?(model: unknown): Promise<{ luminoWidget: Lumino }>;
  context?: unknown;
}

/** What JupyterLab draws a widget in. */
interface Lumino {
  constructor: { attach(widget: Lumino, host: HTMLElement): void };
  node: HTMLElement;
  processMessage(message: { type: string }): void;
  dispose(): void;
}

export interface RenderContext {
  model: Model;
  el: HTMLElement;
}

/** A part of a state as it travels: a frame by its buffer, or JSON. */
export type Packed = { json: unknown } | { arrow: number | DataView };
export type Parts = Record<string, Packed>;
