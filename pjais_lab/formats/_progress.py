"""A progress bar, on a terminal and in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

__all__ = ["Advance", "progress_bar"]

Advance = Callable[[int], None]


@contextmanager
def progress_bar(title: str, *, is_wanted: bool) -> Generator[Advance]:
    """Show how many rows are done, on a terminal's standard error or under a notebook's cell.

    Args:
        title: what is going on; not markup.
        is_wanted: False shows nothing at all.

    Yields:
        A function to call with the number of rows just done.
    """
    is_notebook = _is_notebook()
    if not (is_wanted and (is_notebook or sys.stderr.isatty())):
        yield lambda _: None
        return
    # Here, since rich takes a tenth of a second that most openings of a lab need not spend.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
    )
    console = Console() if is_notebook else Console(stderr=True)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda rows: bar.advance(task, rows)


def _is_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"
