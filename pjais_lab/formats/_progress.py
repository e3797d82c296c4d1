"""A progress bar, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

__all__ = ["Advance", "progress_bar"]

Advance = Callable[[int], None]


@contextmanager
def progress_bar(title: str, *, is_wanted: bool) -> Generator[Advance]:
    """Show how many rows are done, on standard error, when that is a terminal.

    Args:
        title: what is going on; not markup.
        is_wanted: False shows nothing at all.

    Yields:
        A function to call with the number of rows just done.
    """
    if not (is_wanted and sys.stderr.isatty()):
        yield lambda _: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda rows: bar.advance(task, rows)
