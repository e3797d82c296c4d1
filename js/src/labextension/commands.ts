/** The commands: open a lab, its dashboard, its log; in a new notebook or in the active one. */
import { cell, freshName, notebook, opened, opening, showing, type What } from "./cells";
import { Folders, MARK } from "./folders";
import type { App, Args, CommandOptions, FileBrowser, FileBrowsers, Item, Kernelspecs, Lent, NotebookPanel, NotebookTracker } from "./jupyter";
import { Later } from "./later";

export const CATEGORY = "PJAIS Lab";
const TEXTS: Record<What, { label: string; insert: string; selected: string; caption: string }> = {
  lab: {
    label: "Open a Lab…",
    insert: "Insert an Open Lab",
    selected: "Open as a Lab",
    caption: "Open a workspace in a new notebook",
  },
  dashboard: {
    label: "Dashboard…",
    insert: "Insert the Dashboard",
    selected: "Open the Lab's Dashboard",
    caption: "Open a workspace and its dashboard in a new notebook",
  },
  log: {
    label: "Follow the Log…",
    insert: "Insert the Event Log",
    selected: "Follow the Lab's Log",
    caption: "Open a workspace and follow its event log in a new notebook",
  },
};
export const COMMANDS: Record<What, string> = { lab: "pjais-lab:open", dashboard: "pjais-lab:dashboard", log: "pjais-lab:log" };
const ARGS = {
  type: "object",
  properties: {
    workspace: { type: "string", description: "The workspace's directory, as Python finds it from the notebook's folder; asked for if left out." },
    cwd: { type: "string", description: "The folder of the new notebook; the file browser's if left out." },
    insert: { type: "boolean", description: "Put the cells into the active notebook, below the active cell." },
    selected: { type: "boolean", description: "Take the folder that is selected in the file browser." },
  },
};

export class Commands {
  readonly folders: Folders;
  private readonly later: Later;

  constructor(
    private readonly app: App,
    private readonly lent: Lent,
    private readonly notebooks: NotebookTracker,
    private readonly browsers: FileBrowsers | null,
  ) {
    this.folders = new Folders(app, lent);
    this.later = new Later((panel) => this.runAll(panel));
    if (browsers) this.folders.watch(browsers);
    notebooks.widgetAdded.connect((_tracker, panel) => void this.later.opened(panel));
    notebooks.currentChanged.connect(() => Object.values(COMMANDS).forEach((id) => app.commands.notifyCommandChanged(id)));
  }

  add(icon: unknown): void {
    for (const [what, id] of Object.entries(COMMANDS) as [What, string][]) {
      const texts = TEXTS[what];
      const options: CommandOptions = {
        label: (args) => (args.insert ? texts.insert : args.selected ? texts.selected : texts.label),
        caption: texts.caption,
        icon,
        describedBy: { args: ARGS },
        isEnabled: (args) => !args.insert || this.notebooks.currentWidget !== null,
        isVisible: (args) => !args.selected || this.selected() !== undefined,
        execute: (args) => this.execute(what, args),
      };
      this.app.commands.addCommand(id, options);
    }
  }

  /** Gives the path of the notebook; null when the user changed their mind. */
  private async execute(what: What, args: Args): Promise<string | null> {
    try {
      const panel = this.notebooks.currentWidget;
      return args.insert && panel ? await this.insert(what, args, panel) : await this.create(what, args);
    } catch (error) {
      await this.lent.apputils.showErrorMessage(CATEGORY, error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  private async create(what: What, args: Args): Promise<string | null> {
    const { contents, kernelspecs } = this.app.serviceManager;
    const cwd = args.cwd ?? this.here();
    const listing = await this.list(cwd);
    const chosen = args.workspace ?? (args.selected ? this.selected() : await this.choose(cwd, listing));
    if (!chosen) return null;
    const path = join(cwd, freshName(chosen, new Set(listing.map((item) => item.name))));
    const content = notebook(opening(chosen, what), await python(kernelspecs));
    await contents.save(path, { type: "notebook", format: "json", content });
    this.later.expect(path);
    const panel = (await this.app.commands.execute("docmanager:open", { path, factory: "Notebook" })) as NotebookPanel | undefined;
    if (panel?.isAttached && !panel.isDisposed) {
      this.later.here();
      await this.runAll(panel);
    }
    return path;
  }

  private async insert(what: What, args: Args, panel: NotebookPanel): Promise<string | null> {
    const { content: book, context, sessionContext } = panel;
    const shared = book.model?.sharedModel;
    if (!shared) return null;
    const lab = opened(shared.cells.filter((c) => c.cell_type === "code").map((c) => c.getSource()));
    const folder = context.path.split("/").slice(0, -1).join("/");
    let cells: string[];
    if (lab && what !== "lab" && !args.workspace) cells = showing(lab, what);
    else {
      const chosen = args.workspace ?? (await this.choose(folder));
      if (!chosen) return null;
      cells = opening(chosen, what);
    }
    const at = book.activeCellIndex + 1;
    shared.insertCells(at, cells.map(cell));
    for (let i = at; i < at + cells.length; i++) {
      book.deselectAll();
      book.activeCellIndex = i;
      if (!(await this.lent.notebook.NotebookActions.run(book, sessionContext))) break;
    }
    return context.path;
  }

  private async runAll(panel: NotebookPanel): Promise<void> {
    await panel.context.ready;
    await panel.sessionContext.ready;
    await this.lent.notebook.NotebookActions.runAll(panel.content, panel.sessionContext);
  }

  /** Asks which workspace; a folder that does not exist becomes a new lab. */
  private async choose(folder: string, listing?: Item[]): Promise<string | null> {
    const items = listing ?? (await this.list(folder));
    const found = [...(await this.folders.look(folder, items))].sort();
    if (items.some((item) => item.name === MARK)) found.unshift(".");
    const { button, value } = await this.lent.apputils.InputDialog.getItem({
      title: "Open a Lab",
      label: `The workspace's folder, seen from ${folder ? `"${folder}"` : "the top folder"}, or its full path. A folder that is not there yet becomes a new lab.`,
      items: found,
      current: 0,
      editable: true,
      okLabel: "Open",
      placeholder: "my-lab",
    });
    return button.accept ? value?.trim() || null : null;
  }

  private async list(folder: string): Promise<Item[]> {
    try {
      return (await this.app.serviceManager.contents.get(folder, { content: true })).content;
    } catch (error) {
      throw new Error(`The folder "${folder}" cannot be read (${String(error)}); open another one in the file browser.`);
    }
  }

  /** The folder that a new notebook goes to. */
  private here(): string {
    const browser = this.browser();
    return browser ? browser.model.path : (this.notebooks.currentWidget?.context.path.split("/").slice(0, -1).join("/") ?? "");
  }

  /** The file browser in use; before one was, the first. */
  private browser(): FileBrowser | null {
    const tracker = this.browsers?.tracker;
    return tracker?.currentWidget ?? tracker?.find(() => true) ?? null;
  }

  /** The one selected folder of the file browser, if it holds a workspace. */
  private selected(): string | undefined {
    const browser = this.browser();
    const [item, ...more] = browser?.selectedItems() ?? [];
    return browser && item && !more.length && this.folders.has(browser.model.path, item.name) ? item.name : undefined;
  }
}

const join = (folder: string, name: string): string => (folder && !folder.endsWith(":") ? `${folder}/${name}` : `${folder}${name}`);

async function python(kernelspecs: Kernelspecs): Promise<{ name: string; display_name: string; language: string }> {
  await kernelspecs.ready;
  const all = kernelspecs.specs?.kernelspecs ?? {};
  const usual = all[kernelspecs.specs?.default ?? ""];
  const found = usual?.language === "python" ? usual : Object.values(all).find((spec) => spec.language === "python");
  if (!found) throw new Error("This server has no Python kernel; install one with: python -m pip install ipykernel.");
  return { name: found.name, display_name: found.display_name, language: "python" };
}
