/** Notebook 7 opens a notebook in another tab: the extension of that tab runs it, once, when this one has asked for it. */
import type { NotebookPanel } from "./jupyter";

const KEY = "pjais-lab:run";
const FRESH_MS = 60_000;

export class Later {
  private own = "";

  constructor(
    private readonly run: (panel: NotebookPanel) => Promise<void>,
    private readonly store: Pick<Storage, "getItem" | "setItem" | "removeItem"> = localStorage,
  ) {}

  /** A notebook that we wrote is about to be opened, here or in another tab. */
  expect(path: string): void {
    this.own = path;
    this.store.setItem(KEY, JSON.stringify({ path, at: Date.now() }));
  }

  /** It is open here after all, so no other tab will run it. */
  here(): void {
    this.store.removeItem(KEY);
  }

  /** A notebook is open: run it if another tab has asked for it. */
  async opened(panel: NotebookPanel): Promise<void> {
    if (panel.context.path === this.own) return; // Notebook 7 makes a panel here, too, and throws it away
    const asked = JSON.parse(this.store.getItem(KEY) ?? "{}") as { path?: string; at?: number };
    if (asked.path !== panel.context.path || Date.now() - (asked.at ?? 0) > FRESH_MS) return;
    this.store.removeItem(KEY);
    await this.run(panel);
  }
}
