/** Keys that belong to the notebook even while a view has the focus. */
function isForNotebook(event: KeyboardEvent): boolean {
  const command = event.ctrlKey || event.metaKey;
  return (command && event.key.toLowerCase() === "s") || (command && event.shiftKey && event.key.toLowerCase() === "c");
}

/** Whether a view is shown inside another one, which then keeps keys and snapshots for both. */
export function isInside(root: HTMLElement): boolean {
  return Boolean(root.parentElement?.closest(".pj-view"));
}

/** Keeps keys typed in a view from the notebook's shortcuts: `b` must not insert a cell. */
export function keepKeys(root: HTMLElement): void {
  root.addEventListener("keydown", (event) => {
    const isLeaving = event.key === "Escape" && event.target === root;
    if (!isForNotebook(event) && !isLeaving && !isInside(root)) event.stopPropagation();
  });
}
