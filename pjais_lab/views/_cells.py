"""Which run of which cell made a view, so that running the cell again lets go of the old one."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, NamedTuple, Protocol

__all__ = ["Birth", "born_with", "forget", "here", "is_outdated", "note"]


class Birth(NamedTuple):
    """A run of a cell; both empty outside of a notebook."""

    cell: str
    run: str


class Closable(Protocol):
    """A view."""

    @property
    def is_shown(self) -> bool:
        """Whether a page shows it."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


_PARENT: Final[ContextVar[Birth | None]] = ContextVar("_PARENT", default=None)
_NEWEST: Final[dict[str, str]] = {}
_VIEWS: Final[weakref.WeakKeyDictionary[Any, Birth]] = weakref.WeakKeyDictionary()


@contextmanager
def born_with(birth: Birth) -> Iterator[None]:
    """Views made in this block belong to the cell of the one that makes them, whatever runs now."""
    token = _PARENT.set(birth)
    try:
        yield
    finally:
        _PARENT.reset(token)


def here() -> Birth:
    """The cell that runs now."""
    if (parents := _PARENT.get()) is not None:
        return parents
    from IPython.core.getipython import get_ipython  # noqa: PLC0415 - a terminal has no need of it

    shell: Any = get_ipython()
    parent = getattr(shell, "parent_header", None) or {}
    cell = str((parent.get("metadata") or {}).get("cellId") or "")
    run = str((parent.get("header") or {}).get("msg_id") or "")
    return Birth(cell, run) if cell else Birth("", "")


def note(view: Closable, birth: Birth) -> None:
    """A view is born; those whose cells have run again since, and no page shows, are closed."""
    if birth.cell and _PARENT.get() is None:
        _NEWEST[birth.cell] = birth.run
        for other, its in list(_VIEWS.items()):
            if is_outdated(its) and not other.is_shown:
                other.close()
    _VIEWS[view] = birth


def is_outdated(birth: Birth) -> bool:
    """Whether the cell has made another view in a later run."""
    return bool(birth.cell) and _NEWEST.get(birth.cell) != birth.run


def forget(view: object) -> None:
    """A view is closed."""
    _VIEWS.pop(view, None)
