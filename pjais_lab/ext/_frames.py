"""``%lab frames on``: frames as the last line of a cell are live tables."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from IPython.core.interactiveshell import InteractiveShell

from pjais_lab.core.markup import visible
from pjais_lab.errors import QueryError
from pjais_lab.ext._moving import Stage, cell_of

__all__ = ["Frames"]

_KINDS: Final = (
    ("polars.dataframe.frame", "DataFrame"),
    ("pandas", "DataFrame"),
    ("pandas.core.frame", "DataFrame"),
    ("pyarrow.lib", "Table"),
)
_MOST: Final = 20  # tables at a time; older ones stand still
_LARGEST: Final = 1 << 30
Bundle = tuple[dict[str, Any], dict[str, Any]]


class Frames:
    """Shows polars, pandas and Arrow tables as ``pj.views.Table`` while it is on.

    Args:
        shell: whose frames.
        stage: closes a table when its cell runs again.
    """

    def __init__(self, shell: InteractiveShell, stage: Stage) -> None:
        self._shell = shell
        self._stage = stage
        self._tables: deque[Any] = deque()
        formatter: Any = shell.display_formatter
        self._of: Any = formatter.mimebundle_formatter

    def switch(self, words: list[str]) -> None:
        """``on``, ``off``, or nothing, which says how it is.

        Raises:
            QueryError: something else.
        """
        if words == ["on"]:
            self.on()
        elif words == ["off"]:
            self.off()
        elif not words:
            print(f"Frames are shown as tables: {'on' if self._is_on else 'off'}.")  # noqa: T201
        else:
            msg = f"%lab frames takes on or off; got {' '.join(words)!r}."
            raise QueryError(msg, hint="Write %lab frames on.")

    def on(self) -> None:
        """From now on; a kind of frame that the user shows in a way of their own stays as it is."""
        for module, name in _KINDS:
            kind = getattr(sys.modules.get(module), name, None)
            if kind in self._of.type_printers or (module, name) in self._of.deferred_printers:
                continue
            self._of.for_type_by_name(module, name, self._show)

    def off(self) -> None:
        """As it was; what is shown as a table stays one."""
        for printers in (self._of.type_printers, self._of.deferred_printers):
            for key in [key for key, show in printers.items() if show == self._show]:
                del printers[key]

    def close(self) -> None:
        """Off, and nothing of it is live any more."""
        self.off()
        while self._tables:
            self._tables.popleft().close()

    @property
    def _is_on(self) -> bool:
        printers = (*self._of.type_printers.values(), *self._of.deferred_printers.values())
        return self._show in printers

    def _show(self, frame: Any) -> Bundle | None:
        """A table's bundle; None, and the frame is shown as ever, when there can be no table."""
        try:
            return self._bundle(frame)
        except Exception as error:  # noqa: BLE001 - a display must not fail
            said = visible(f"{type(error).__name__}: {error}")
            print(f"This frame is not shown as a table. {said}", file=sys.stderr)  # noqa: T201
            return None

    def _bundle(self, frame: Any) -> Bundle | None:
        size = _size(frame)
        if size > _LARGEST:
            msg = f"It has {size / _LARGEST:.1f} GiB and a table copies it."
            raise QueryError(msg, hint="pj.views.Table(frame) shows it all the same.")
        from pjais_lab.views.table import Table  # noqa: PLC0415 - loads anywidget

        kind = type(frame).__module__.partition(".")[0]
        table: Any = Table(_with_index(frame), title=f"{kind} frame")
        self._stage.made(table, cell_of(self._shell))
        self._tables.append(table)
        if len(self._tables) > _MOST:
            self._tables.popleft().close()
        data, metadata = table._repr_mimebundle_()
        del data["text/plain"]  # the frame's own stands there
        return data, metadata


def _with_index(frame: Any) -> Any:
    """A pandas frame with its index as columns, unless that only counts the rows, or they are there."""
    index = getattr(frame, "index", None)
    if index is None or type(index).__name__ == "RangeIndex":
        return frame
    try:
        return frame.reset_index()
    except ValueError:
        return frame


def _size(frame: Any) -> int:
    ask: Callable[[], Any] | None = getattr(frame, "estimated_size", None)
    if ask is not None:
        return int(ask())
    use = getattr(frame, "memory_usage", None)
    return int(use().sum()) if use is not None else int(getattr(frame, "nbytes", 0))
