// @vitest-environment happy-dom
import { signal } from "@preact/signals";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test } from "vitest";
import { html } from "../src/html";
import { usePicks } from "../src/picks";
import { PAGE } from "../src/transport";
import type { View } from "../src/view";

const home = document.createElement("div");
afterEach(() => render(null, home));

async function shown(): Promise<{ pick: (...keys: string[]) => Promise<void>; tell: (keys: string[], turn?: number) => Promise<void>; refuse: () => Promise<void>; seen: () => string; asked: unknown[] }> {
  const told = signal<unknown>({ keys: [], heard: {} });
  const asked: unknown[] = [];
  const refusals: (() => void)[] = [];
  const request = (_op: string, args: unknown): Promise<unknown> => {
    asked.push(args);
    return new Promise((_, reject) => refusals.push(() => reject(new Error("no"))));
  };
  const view = { part: () => told, request } as unknown as View;
  let picks: (keys: string[]) => void = () => {};
  const Picked = (): unknown => {
    const [keys, pick] = usePicks(view);
    picks = pick;
    return html`<p>${keys.join()}</p>`;
  };
  await act(() => render(html`<${Picked} />`, home));
  return {
    pick: (...keys) => act(() => picks(keys)),
    tell: (keys, turn) => act(() => void (told.value = { keys, heard: turn === undefined ? { other: 9 } : { [PAGE]: turn } })),
    refuse: () => act(async () => refusals.at(-1)?.()),
    seen: () => home.textContent ?? "",
    asked,
  };
}

test("what is picked is seen at once; what the kernel said before it knew of it is not", async () => {
  const { pick, tell, seen, asked } = await shown();
  await pick("a");
  await pick("a", "b");
  const seens = [seen()];
  for (const turn of [undefined, 1]) {
    await tell(["a"], turn);
    seens.push(seen());
  }
  await tell(["a", "b"], 2);
  await tell(["c"], 2); // picked elsewhere since
  seens.push(seen());

  expect(asked).toEqual([{ keys: ["a"], turn: [PAGE, 1] }, { keys: ["a", "b"], turn: [PAGE, 2] }]);
  expect(seens).toEqual(["a,b", "a,b", "a,b", "c"]);
});

test("a pick that is refused is taken back, unless there is a newer one", async () => {
  const { pick, tell, refuse, seen } = await shown();
  await tell(["a"], 0);
  await pick("b");
  await refuse();
  const back = seen();
  await tell(["d"]);

  expect(back).toBe("a");
  expect(seen()).toBe("d");
});
