// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { keepKeys } from "../src/a11y";

/** Which keys, pressed on a button in a view, or on the view itself, reach the page around it. */
function reaching(init: KeyboardEventInit, onRoot = false): boolean {
  const page = document.createElement("div");
  const root = document.createElement("div");
  const button = document.createElement("button");
  page.append(root);
  root.append(button);
  keepKeys(root);
  let found = false;
  page.addEventListener("keydown", () => (found = true));
  (onRoot ? root : button).dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, ...init }));
  return found;
}

test("the notebook's shortcuts do not see what is typed in a view", () => {
  const typed = ["b", "a", "m", "d", "Enter", "ArrowDown", "Escape"];

  expect(typed.filter((key) => reaching({ key }))).toEqual([]);
  expect(reaching({ key: "Enter", shiftKey: true })).toBe(false);
});

test("saving, the command palette and Escape on the view itself reach the notebook", () => {
  expect(reaching({ key: "s", ctrlKey: true })).toBe(true);
  expect(reaching({ key: "S", metaKey: true })).toBe(true);
  expect(reaching({ key: "C", ctrlKey: true, shiftKey: true })).toBe(true);
  expect(reaching({ key: "Escape" }, true)).toBe(true);
});
