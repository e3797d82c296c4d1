import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { State, Superseded, type Connection, type Line } from "./transport";
import type { Model } from "./types";

/** What a view's component gets: its parts, its requests, its title. */
export class View {
  readonly connection: ReadonlySignal<Connection>;
  /** An error that came up in the browser. */
  readonly trouble: Signal<string | null> = signal(null);
  private readonly isClosed = signal(false);

  constructor(
    private readonly model: Model,
    private readonly line: Line,
    private readonly state: State,
    /** Shows another widget, by its id, in an element of this view; gives what takes it away. */
    readonly mount: (id: string, el: HTMLElement) => Promise<() => void> = () => Promise.reject(new Error("Nothing can be shown in here.")),
  ) {
    this.connection = computed(() => (this.isClosed.value ? "closed" : line.state.value));
  }

  /** What stands above it; it may change while it is shown. */
  get title(): string {
    return this.part<string>("$title").value ?? String(this.model.get("_title") ?? "");
  }

  /** A named part of what Python put: a Frame or JSON; undefined until it came. */
  part<T>(name: string): Signal<T | undefined> {
    return this.state.part<T>(name);
  }

  /** Counts the pushes that were applied. */
  get moved(): Signal<number> {
    return this.state.moved;
  }

  /**
   * Calls a method that Python marks with @answer. A failure is shown under the view, and thrown.
   * On one channel only the newest request is answered; the others throw Superseded.
   */
  async request<T>(op: string, args: Record<string, unknown> = {}, channel: string = op): Promise<T> {
    try {
      const value = (await this.line.ask(this.state.id, op, args, channel)) as T;
      this.trouble.value = null;
      return value;
    } catch (error) {
      if (!(error instanceof Superseded)) this.trouble.value = error instanceof Error ? error.message : String(error);
      throw error;
    }
  }

  close(): void {
    this.isClosed.value = true;
  }
}
