/** What stands in the cells. No JupyterLab here. */
export type What = "lab" | "dashboard" | "log";

const SHOW: Record<What, (lab: string) => string> = {
  lab: (lab) => lab,
  dashboard: (lab) => `${lab}.dashboard()`,
  log: (lab) => `pj.views.EventLog(${lab})`,
};
const OPENED = /^\s*([A-Za-z_]\w*)\s*=\s*(?:pj|pjais_lab)\.open\(/m;

/** The cells that open a workspace and show it. */
export function opening(workspace: string, what: What): string[] {
  // What JSON makes of a text is a text in Python, too.
  const open = `%load_ext pjais_lab\nimport pjais_lab as pj\n\nlab = pj.open(${JSON.stringify(workspace)})`;
  return [open, SHOW[what]("lab")];
}

/** The cell that shows the lab which is open in a notebook. */
export function showing(lab: string, what: What): string[] {
  return [SHOW[what](lab)];
}

/** The variable that holds a lab, as the cells of a notebook say; the last one if there are several. */
export function opened(sources: string[]): string | undefined {
  const found = sources.map((source) => OPENED.exec(source)?.[1]).filter((name) => name !== undefined);
  return found.at(-1);
}

/** A notebook of some cells. */
export function notebook(cells: string[], kernel: { name: string; display_name: string; language: string }): unknown {
  return { cells: cells.map(cell), metadata: { kernelspec: kernel }, nbformat: 4, nbformat_minor: 5 };
}

export function cell(source: string): Record<string, unknown> {
  return { cell_type: "code", id: crypto.randomUUID().slice(0, 8), metadata: {}, source, outputs: [], execution_count: null };
}

/** A file name that is not taken yet, after the workspace's. */
export function freshName(workspace: string, taken: ReadonlySet<string>): string {
  const own = workspace.split(/[\\/]+/).filter((part) => !/^\.*$/.test(part)).at(-1)?.replace(/[:*?"<>|\x00-\x1f]/g, "") || "lab";
  for (let n = 1; ; n++) {
    const name = n === 1 ? `${own}.ipynb` : `${own} ${n}.ipynb`;
    if (!taken.has(name)) return name;
  }
}
