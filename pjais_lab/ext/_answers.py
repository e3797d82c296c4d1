"""Frames that ``%lab`` gave: shown so that no text in them can do anything."""

from __future__ import annotations

import weakref
from typing import Any, Final

import polars as pl
from IPython.core.formatters import HTMLFormatter

from pjais_lab.core.markup import count, grid, line, sheet, visible

__all__ = ["Answers"]

_ROWS_SHOWN: Final = 10
_OWN: Any = HTMLFormatter()
"""Polars' own way."""


class Answers:
    """The answers that somebody still holds; other frames are shown as polars shows them."""

    def __init__(self) -> None:
        self._frames: weakref.WeakValueDictionary[int, pl.DataFrame] = weakref.WeakValueDictionary()

    def note(self, frame: pl.DataFrame) -> None:
        """A query gave this."""
        self._frames[id(frame)] = frame

    def html(self, frame: pl.DataFrame) -> str | None:
        """For a page."""
        if frame not in self:
            shown: str | None = _OWN(frame)
            return shown
        first = frame.head(_ROWS_SHOWN).rows()
        numeric = [kind.is_numeric() for kind in frame.dtypes]
        table = grid(frame.columns, first, right=numeric, height=frame.height)
        return sheet(table, "" if frame.height > len(first) else line(count(frame.height, "row")))

    def text(self, frame: pl.DataFrame, printer: Any, _is_cycle: bool) -> None:  # noqa: FBT001 - IPython's way
        """For a terminal."""
        printer.text(visible(frame, lines=True) if frame in self else repr(frame))

    def __contains__(self, frame: pl.DataFrame) -> bool:
        return self._frames.get(id(frame)) is frame
