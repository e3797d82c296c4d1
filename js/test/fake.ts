import type { Model } from "../src/types";

/** A widget's model whose kernel is the test. */
export class FakeModel implements Model {
  readonly sent: Record<string, unknown>[] = [];
  comm_live = true;
  private readonly ears = new Map<string, Set<(...args: never[]) => void>>();

  constructor(private readonly traits: Record<string, unknown> = {}) {}

  get(name: string): unknown {
    return this.traits[name];
  }
  on(name: string, heard: (...args: never[]) => void): void {
    this.ears.set(name, (this.ears.get(name) ?? new Set()).add(heard));
  }
  off(name: string, heard?: (...args: never[]) => void): void {
    if (heard) this.ears.get(name)?.delete(heard);
  }
  send(content: unknown): void {
    this.sent.push(content as Record<string, unknown>);
  }
  /** The kernel says something. */
  hear(message: Record<string, unknown>, buffers: DataView[] = []): void {
    for (const heard of this.ears.get("msg:custom") ?? []) (heard as (...args: unknown[]) => void)(message, buffers);
  }
  /** The connection came or went. */
  live(isLive: boolean): void {
    this.comm_live = isLive;
    for (const heard of this.ears.get("comm_live_update") ?? []) (heard as () => void)();
  }
  said(kind: string): Record<string, unknown>[] {
    return this.sent.filter((m) => m.t === kind);
  }
  get listeners(): number {
    return [...this.ears.values()].reduce((n, set) => n + set.size, 0);
  }
}
