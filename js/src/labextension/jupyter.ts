/** The part of JupyterLab and Notebook 7 that the extension touches. Both lend their own modules at run time. */
export interface Signal<S, A> {
  connect(heard: (sender: S, args: A) => void): boolean;
}

export interface CommandOptions {
  label: string | ((args: Args) => string);
  caption: string;
  icon?: unknown;
  isEnabled?(args: Args): boolean;
  isVisible?(args: Args): boolean;
  describedBy?: { args: unknown };
  execute(args: Args): Promise<unknown>;
}
export interface Args {
  /** Where the workspace is, as Python in the notebook's folder finds it; asked for when it is left out. */
  workspace?: string;
  /** The folder of the new notebook; that of the file browser when it is left out. */
  cwd?: string;
  /** Put the cells into the active notebook, not into a new one. */
  insert?: boolean;
  /** Take the folder that is selected in the file browser. */
  selected?: boolean;
}

export interface App {
  commands: {
    addCommand(id: string, options: CommandOptions): void;
    execute(id: string, args?: unknown): Promise<unknown>;
    notifyCommandChanged(id?: string): void;
  };
  contextMenu: { addItem(item: { command: string; selector: string; rank: number; args: Args }): void };
  serviceManager: { contents: Contents; kernelspecs: Kernelspecs; serverSettings: { baseUrl: string } };
}
interface Contents {
  get(path: string, options: { content: boolean }): Promise<{ content: Item[] }>;
  save(path: string, options: { type: string; format: string; content: unknown }): Promise<unknown>;
}
export interface Kernelspecs {
  ready: Promise<void>;
  specs: { default: string; kernelspecs: Record<string, { name: string; display_name: string; language: string }> } | null;
}

export interface NotebookPanel {
  isAttached: boolean;
  isDisposed: boolean;
  context: { path: string; ready: Promise<void> };
  sessionContext: { ready: Promise<void> };
  content: Notebook;
}
interface Notebook {
  activeCellIndex: number;
  deselectAll(): void;
  model: { sharedModel: { cells: { cell_type: string; getSource(): string }[]; insertCells(at: number, cells: unknown[]): unknown } } | null;
}
export interface NotebookTracker {
  currentWidget: NotebookPanel | null;
  widgetAdded: Signal<unknown, NotebookPanel>;
  currentChanged: Signal<unknown, unknown>;
}

export interface Item {
  name: string;
  type: string;
  last_modified: string;
}
export interface FileBrowser {
  model: { path: string; items(): Iterable<Item>; refreshed: Signal<unknown, unknown> };
  selectedItems(): Iterable<Item>;
}
export interface FileBrowsers {
  tracker: {
    currentWidget: FileBrowser | null;
    find(is: (b: FileBrowser) => boolean): FileBrowser | undefined;
    forEach(f: (b: FileBrowser) => void): void;
    widgetAdded: Signal<unknown, FileBrowser>;
  };
}

export interface Palette {
  addItem(item: { command: string; category: string; args?: Args }): void;
}
export interface Launcher {
  add(item: { command: string; category: string; rank: number }): void;
}

/** What the host lends; a host without a launcher lends none. */
export interface Lent {
  apputils: {
    ICommandPalette: unknown;
    InputDialog: { getItem(options: Record<string, unknown>): Promise<{ button: { accept: boolean }; value: string | null }> };
    showErrorMessage(title: string, error: string): Promise<void>;
  };
  filebrowser: { IFileBrowserFactory: unknown };
  launcher?: { ILauncher: unknown };
  notebook: {
    INotebookTracker: unknown;
    NotebookActions: {
      run(notebook: Notebook, session: unknown): Promise<boolean>;
      runAll(notebook: Notebook, session: unknown): Promise<boolean>;
    };
  };
  services: { ServerConnection: { makeRequest(url: string, init: RequestInit, settings: unknown): Promise<Response> } };
  ui: { LabIcon: new (options: { name: string; svgstr: string }) => unknown };
}

export interface Plugin {
  id: string;
  description: string;
  autoStart: true;
  requires: unknown[];
  optional: unknown[];
  activate(app: App, ...services: never[]): void;
}
