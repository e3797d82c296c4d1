/** Keys that belong to the notebook even while a view has the focus. */
function isForNotebook(event: KeyboardEvent): boolean {
  const command = event.ctrlKey || event.metaKey;
  return (command && event.key.toLowerCase() === "s") || (command && event.shiftKey && event.key.toLowerCase() === "c");
}

/** Keeps keys typed in a view from the notebook's shortcuts: `b` must not insert a cell. */
export function keepKeys(root: HTMLElement): void {
  root.addEventListener("keydown", (event) => {
    const isLeaving = event.key === "Escape" && event.target === root;
    if (!isForNotebook(event) && !isLeaving) event.stopPropagation();
  });
}
