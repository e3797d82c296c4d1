"""A live query that moves where it was shown."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Final, Protocol

from IPython.core.formatters import HTMLFormatter
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import DisplayHandle

from pjais_lab.reactive import threads
from pjais_lab.reactive.live_query import LiveQuery

__all__ = ["Moving", "Stage", "cell_of"]

_HANDLE: Any = DisplayHandle  # without types
_HTML: Any = HTMLFormatter()
_GAP_S: Final = 0.05
_WATCHED: Final = ["frame", "error"]


class Closable(Protocol):
    """A live query or a view."""

    def close(self) -> None:
        """Let go."""
        ...


Cell = tuple[str, str]
"""A cell and a run of it; both empty outside of a notebook."""


def cell_of(shell: InteractiveShell) -> Cell:
    """The cell that runs now."""
    parent: Any = getattr(shell, "parent_header", None) or {}
    cell = str((parent.get("metadata") or {}).get("cellId") or "")
    return (cell, str((parent.get("header") or {}).get("msg_id") or "")) if cell else ("", "")


class Moving:
    """Shows a live query, and again when its answer changes: at most 20 times a second, the newest.

    The live query holds it, so it moves for as long as somebody holds the query.

    Args:
        live: what is shown.
    """

    def __init__(self, live: LiveQuery) -> None:
        self._live = live
        self._handle: Any = _HANDLE()
        self._lock = threading.Lock()
        self._drawing = threading.Lock()
        self._next_s = 0.0
        self._is_due = False
        self._stopped = threading.Event()

    def show(self) -> None:
        """Show it below the cell that runs, and follow it from now on."""
        self._live.observe(self._moved, _WATCHED)
        with self._drawing:
            self._handle.display(_bundle(self._live), raw=True)

    def stop(self) -> None:
        """Follow it no longer; what is shown stays."""
        self._live.unobserve(self._moved, _WATCHED)
        self._stopped.set()

    def _moved(self, _change: object) -> None:
        """Draw as soon as it is time, in another thread: the hub's must not wait for a drawing."""
        with self._lock:
            if not self._is_due and not self._stopped.is_set():
                self._is_due = threads.begin(self._draw, "pjais-moving", tell=self._stopped.set)

    def _draw(self) -> None:
        self._stopped.wait(self._next_s - time.monotonic())
        with self._drawing:
            with self._lock:
                self._is_due = False
                self._next_s = time.monotonic() + _GAP_S
            if self._stopped.is_set():
                return
            self._handle.update(_bundle(self._live), raw=True)


class Stage:
    """What is shown and made by the cells of a kernel."""

    def __init__(self) -> None:
        self._shown: weakref.WeakKeyDictionary[Moving, Cell] = weakref.WeakKeyDictionary()
        self._made: weakref.WeakKeyDictionary[Closable, Cell] = weakref.WeakKeyDictionary()

    def show(self, live: LiveQuery, cell: Cell) -> None:
        """Show a live query under a cell."""
        moving = Moving(live)
        moving.show()
        self._shown[moving] = cell

    def made(self, live: Closable, cell: Cell) -> None:
        """A cell made a live query or a view, which is closed when the cell runs again."""
        self._made[live] = cell

    def begin(self, cell: Cell) -> None:
        """A cell runs: what its earlier runs showed stands still, what they made is closed."""
        if cell[0]:
            self._clear(lambda its: its[0] == cell[0] and its[1] != cell[1])

    def clear(self) -> None:
        """Nothing moves any more."""
        self._clear(lambda _: True)

    def _clear(self, is_over: Callable[[Cell], bool]) -> None:
        for moving in [m for m, its in self._shown.items() if is_over(its)]:
            moving.stop()
            del self._shown[moving]
        for live in [q for q, its in self._made.items() if is_over(its)]:
            live.close()
            del self._made[live]


def _bundle(live: LiveQuery) -> dict[str, str]:
    return {"text/plain": repr(live), "text/html": _HTML(live)}
