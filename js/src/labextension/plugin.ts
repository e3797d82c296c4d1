/** What JupyterLab and Notebook 7 activate. */
import { CATEGORY, COMMANDS, Commands } from "./commands";
import { ICON } from "./icon";
import type { App, FileBrowsers, Launcher, Lent, NotebookTracker, Palette, Plugin } from "./jupyter";
import { lend, type Scope } from "./shares";

const NAMES: Record<keyof Lent, string> = {
  apputils: "@jupyterlab/apputils",
  filebrowser: "@jupyterlab/filebrowser",
  launcher: "@jupyterlab/launcher",
  notebook: "@jupyterlab/notebook",
  services: "@jupyterlab/services",
  ui: "@jupyterlab/ui-components",
};

/** The plugin, made of modules that the page lends. */
export async function plugin(scope: Scope): Promise<Plugin> {
  const found = await Promise.all(Object.entries(NAMES).map(async ([key, name]) => [key, await lend(scope, name)] as const));
  const missing = found.filter(([key, module]) => !module && key !== "launcher").map(([key]) => NAMES[key as keyof Lent]);
  if (missing.length) throw new Error(`PJAIS Lab's extension needs JupyterLab 4.4 or newer: this page has no ${missing.join(", ")}.`);
  const lent = Object.fromEntries(found) as unknown as Lent;
  return {
    id: "pjais-lab:commands",
    description: "Opens a lab, its dashboard and its log.",
    autoStart: true,
    requires: [lent.notebook.INotebookTracker],
    optional: [lent.apputils.ICommandPalette, lent.filebrowser.IFileBrowserFactory, ...(lent.launcher ? [lent.launcher.ILauncher] : [])],
    activate: ((app: App, notebooks: NotebookTracker, palette: Palette | null, browsers: FileBrowsers | null, launcher: Launcher | null = null) =>
      activate(app, lent, notebooks, palette, browsers, launcher)) as Plugin["activate"],
  };
}

function activate(
  app: App, lent: Lent, notebooks: NotebookTracker, palette: Palette | null, browsers: FileBrowsers | null, launcher: Launcher | null,
): void {
  new Commands(app, lent, notebooks, browsers).add(new lent.ui.LabIcon({ name: "pjais-lab:icon", svgstr: ICON }));
  Object.values(COMMANDS).forEach((command, rank) => {
    launcher?.add({ command, category: CATEGORY, rank });
    palette?.addItem({ command, category: CATEGORY });
    palette?.addItem({ command, category: CATEGORY, args: { insert: true } });
    const selector = ".jp-DirListing-item[data-isdir='true']";
    if (browsers) app.contextMenu.addItem({ command, selector, rank: 1.5 + rank / 10, args: { selected: true } });
  });
}
