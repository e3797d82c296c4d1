/** The container that the page loads, as webpack's module federation has it: it gives its modules, and may take the page's. */
import { plugin } from "./plugin";
import type { Scope } from "./shares";

let scope: Scope = {};
const container = {
  init(shared: Scope): void {
    scope = shared;
  },
  async get(module: string): Promise<() => unknown> {
    if (module !== "./extension") throw new Error(`PJAIS Lab's extension has no module ${module}.`);
    const made = await plugin(scope);
    return () => ({ __esModule: true, default: [made] });
  },
};
((globalThis as { _JUPYTERLAB?: Record<string, unknown> })._JUPYTERLAB ??= {})["pjais-lab"] = container;
