/** Which folders of the file browser hold a workspace. The server looks, once for every change of a listing. */
import type { App, FileBrowser, FileBrowsers, Item, Lent } from "./jupyter";

export const MARK = "workspace.toml";

export class Folders {
  private readonly known = new Map<string, { state: string; names: ReadonlySet<string> }>();

  constructor(
    private readonly app: App,
    private readonly lent: Lent,
  ) {}

  /** Keep an eye on every file browser of the page. */
  watch(browsers: FileBrowsers): void {
    const one = (browser: FileBrowser): void => {
      const look = (): void => void this.look(browser.model.path, [...browser.model.items()]);
      browser.model.refreshed.connect(look);
      look();
    };
    browsers.tracker.forEach(one);
    browsers.tracker.widgetAdded.connect((_tracker, browser) => one(browser));
  }

  /** Whether a folder is known to hold a workspace. */
  has(folder: string, name: string): boolean {
    return this.known.get(folder)?.names.has(name) ?? false;
  }

  /** The workspaces in a folder. */
  async look(folder: string, items: Item[]): Promise<ReadonlySet<string>> {
    const inside = items.filter((item) => item.type === "directory");
    const state = inside.map((item) => `${item.name}/${item.last_modified}`).join("\n");
    const before = this.known.get(folder);
    if (before?.state === state) return before.names;
    const names = new Set(inside.length ? await this.ask(folder, inside.map((item) => item.name)) : []);
    this.known.set(folder, { state, names });
    return names;
  }

  private async ask(folder: string, names: string[]): Promise<string[]> {
    const { serverSettings } = this.app.serviceManager;
    const body = JSON.stringify({ folder, names });
    try {
      const request = this.lent.services.ServerConnection.makeRequest;
      const answer = await request(`${serverSettings.baseUrl}pjais-lab/workspaces`, { method: "POST", body }, serverSettings);
      return answer.ok ? ((await answer.json()) as { workspaces: string[] }).workspaces : [];
    } catch {
      return []; // a server without our extension
    }
  }
}
