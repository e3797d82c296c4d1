/** The browser's end of views/_transport.py and views/_requests.py. */
import { signal, type Signal } from "@preact/signals";
import { unpack } from "./frame";
import type { Model, Parts } from "./types";

export const PAGE = Math.random().toString(36).slice(2, 10);
const HELLO_MS = 200;
const HELLOS = 25;
const HEART_MS = 5_000;
const ANSWER_MS = 60_000;
const AGAIN_MS = 2_000;
const BUSY_MS = 1_500;
const TOGETHER_MS = 20;

export type Connection = "connecting" | "live" | "busy" | "offline" | "closed";

interface Answer {
  t: "answer";
  page: string;
  req: number;
  error?: string;
  superseded?: boolean;
  /** It has come and is being worked on. */
  working?: boolean;
  many?: boolean;
  parts?: Parts;
}
interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
  timer: ReturnType<typeof setInterval>;
  asked: { t: "ask"; req: number; view: string; op: string; args: Record<string, unknown>; channel: string };
  /** When the kernel was last known to be at it. */
  since: number;
  /** Something newer was asked on the same channel. */
  isOutrun: boolean;
}

/** A newer request on the same channel took this one's place. */
export class Superseded extends Error {}

/** Requests to one kernel, on the comm of its runtime model. */
export class Line {
  readonly state: Signal<Connection> = signal<Connection>("connecting");
  readonly gone: Set<(view: string) => void> = new Set();
  private count = 0;
  private readonly waiting = new Map<number, Waiting>();
  private asked = 0;
  private offMain = false;
  private beats: ReturnType<typeof setInterval>;
  private late: Record<string, unknown>[] = [];
  private timer?: ReturnType<typeof setTimeout>;
  /** What this page was called before it was loaded anew; what it said at its end may be lost. */
  private was: string | undefined;

  constructor(
    private readonly model: Model,
    /** Whether this page keeps what views look like when it saves the notebook. */
    private readonly isSaving = false,
  ) {
    this.was = formerPage(String(model.get("_me")));
    model.on("msg:custom", this.heard as never);
    model.on("comm_live_update", this.lived as never);
    this.beats = setInterval(this.hello, HELLO_MS);
    this.hello();
  }

  /** Whether its kernel is there. */
  get isAlive(): boolean {
    return alive(this.model);
  }

  /** Say something that needs no answer, and what waits with it: each message costs the server some milliseconds. */
  say(message: Record<string, unknown>): void {
    clearTimeout(this.timer);
    const all = [...this.late, message];
    this.late = [];
    try {
      this.model.send(all.length > 1 ? { t: "all", all, page: PAGE } : { ...message, page: PAGE });
    } catch {
      this.state.value = "offline";
    }
  }

  /** Say something in a moment, together with what others say until then. */
  sayLater(message: Record<string, unknown>): void {
    if (!this.late.length) {
      this.timer = setTimeout(() => {
        const last = this.late.pop();
        if (last) this.say(last);
      }, TOGETHER_MS);
    }
    this.late.push(message);
  }

  /**
   * Ask a view's kernel half; on one channel only the newest question is answered. A question or its
   * answer can be lost, as while a kernel restarts, so it is asked again; see views/_repeats.py.
   */
  ask(view: string, op: string, args: Record<string, unknown>, channel = op): Promise<unknown> {
    const asked = { t: "ask", req: ++this.count, view, op, args, channel } as const;
    for (const w of this.waiting.values()) if (w.asked.view === view && w.asked.channel === channel) w.isOutrun = true;
    return new Promise((resolve, reject) => {
      const timer = setInterval(() => this.again(asked.req), AGAIN_MS);
      this.waiting.set(asked.req, { resolve, reject, timer, asked, since: Date.now(), isOutrun: false });
      this.say(asked);
    });
  }

  private again(req: number): void {
    const waiting = this.waiting.get(req);
    if (!waiting) return;
    if (Date.now() - waiting.since >= ANSWER_MS) this.settle(req)?.reject(new Error(`The kernel did not answer '${waiting.asked.op}'.`));
    else if (this.state.value === "live") this.say({ ...waiting.asked, again: true, ...(waiting.isOutrun ? { outrun: true } : {}) });
  }

  close(): void {
    clearInterval(this.beats);
    clearTimeout(this.timer);
    for (const { timer } of this.waiting.values()) clearInterval(timer);
    this.model.off("msg:custom", this.heard as never);
    this.model.off("comm_live_update", this.lived as never);
  }

  /** Repeated until it is answered beside the main thread, and then as a heartbeat. */
  private readonly hello = (): void => {
    if (!alive(this.model)) {
      this.state.value = "offline";
      return;
    }
    const now = Date.now();
    if (this.asked && now - this.asked > BUSY_MS) this.state.value = "busy";
    this.asked ||= now;
    this.say({ t: "hello", saves: this.isSaving, ...(this.was ? { was: this.was } : {}) });
  };

  private readonly lived = (): void => {
    if (!alive(this.model)) this.state.value = "offline";
  };

  private hellos = 0;
  private readonly heard = (said: { t: string; page?: string } & Record<string, unknown>, buffers: DataView[]): void => {
    if (said.page !== PAGE) return;
    this.asked = 0;
    this.was = undefined;
    this.state.value = "live";
    if (said.t === "hello" && !this.offMain && (!said.main || ++this.hellos >= HELLOS)) {
      this.offMain = true;
      clearInterval(this.beats);
      this.beats = setInterval(this.hello, HEART_MS);
    }
    if (said.t === "gone") {
      for (const tell of this.gone) tell(String(said.view));
      if (typeof said.req === "number") this.settle(said.req)?.reject(new Error("This view is closed in the kernel."));
    }
    if (said.t === "answer") this.answered(said as unknown as Answer, buffers);
  };

  private answered(said: Answer, buffers: DataView[]): void {
    if (said.working) {
      const under = this.waiting.get(said.req);
      if (under) under.since = Date.now();
      return;
    }
    const waiting = this.settle(said.req);
    if (!waiting) return;
    if (said.superseded) waiting.reject(new Superseded("A newer request took its place."));
    else if (said.error !== undefined) waiting.reject(new Error(said.error));
    else {
      const parts = Object.entries(said.parts ?? {}).map(([n, p]) => [n, unpack(p, buffers)] as const);
      waiting.resolve(said.many ? Object.fromEntries(parts) : parts[0]?.[1]);
    }
  }

  private settle(req: number): Waiting | undefined {
    const found = this.waiting.get(req);
    clearInterval(found?.timer);
    this.waiting.delete(req);
    return found;
  }
}

/** What a page that is loaded anew was called in its life before, in the same tab. */
function formerPage(line: string): string | undefined {
  const key = `pjais_lab page ${line}`;
  try {
    const found = sessionStorage.getItem(key) ?? undefined;
    sessionStorage.setItem(key, PAGE);
    return found === PAGE ? undefined : found;
  } catch {
    return undefined; // no storage in this frame
  }
}

/** Whether the kernel is there; hosts other than JupyterLab do not say. */
export function alive(model: Model): boolean {
  return (model as { comm_live?: boolean }).comm_live !== false;
}

interface Push {
  t: "push";
  seq: number;
  full: boolean;
  parts: Parts;
}

/** The parts of one view's state, as signals. */
export class State {
  readonly moved: Signal<number> = signal(0);
  private seq: number;
  private readonly signals = new Map<string, Signal<unknown>>();
  private heart?: ReturnType<typeof setInterval>;

  constructor(
    private readonly model: Model,
    private readonly line: Line,
    readonly id: string,
    private readonly painted: (done: () => void) => void = afterPaint,
  ) {
    const first = (model.get("_first") ?? { seq: -1, parts: {} }) as { seq: number; parts: Parts };
    this.seq = first.seq;
    this.apply(first.parts, []);
  }

  /** A part by its name; undefined until it came. */
  part<T>(name: string): Signal<T | undefined> {
    let found = this.signals.get(name);
    if (!found) this.signals.set(name, (found = signal<unknown>(undefined)));
    return found as Signal<T | undefined>;
  }

  start(): void {
    this.model.on("msg:custom", this.heard as never);
    this.attach();
    this.heart = setInterval(this.attach, HEART_MS);
    globalThis.addEventListener?.("pagehide", this.leave);
  }

  stop(): void {
    clearInterval(this.heart);
    globalThis.removeEventListener?.("pagehide", this.leave);
    this.model.off("msg:custom", this.heard as never);
    this.leave();
  }

  /** A page that is closed or loaded anew shows the view no more. */
  private readonly leave = (): void => this.line.say({ t: "bye", view: this.id });

  readonly attach = (): void => {
    if (!alive(this.model)) return;
    const message = { t: "attach", view: this.id, seq: this.seq };
    if (this.seq < 0) this.line.say(message);
    else this.line.sayLater(message);
  };

  private readonly heard = (said: Push, buffers: DataView[]): void => {
    if (said.t !== "push") return;
    const isGap = !said.full && said.seq !== this.seq + 1;
    this.seq = said.seq;
    this.apply(said.parts, buffers);
    this.moved.value++;
    this.painted(() => this.line.sayLater({ t: "ack", view: this.id, seq: said.seq }));
    if (isGap) this.line.say({ t: "attach", view: this.id, seq: -1 });
  };

  private apply(parts: Parts, buffers: DataView[]): void {
    for (const [name, packed] of Object.entries(parts)) {
      try {
        this.part(name).value = unpack(packed, buffers);
      } catch (error) {
        this.part("$error").value = `${name}: ${String(error)}`;
      }
    }
  }
}

/** Calls back when what was set is on the screen; a page in the background paints nothing and waits. */
export function afterPaint(done: () => void): void {
  if (document.hidden) setTimeout(done, 1_000);
  else requestAnimationFrame(() => setTimeout(done, 0));
}
