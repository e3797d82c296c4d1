"""Noticing when observers keep answering commits with commits, and holding those observers back."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from pjais_lab.errors import FeedbackLoopError
from pjais_lab.reactive._cell import Change
from pjais_lab.reactive._weak import WeakBag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pjais_lab.reactive._cell import Cell
    from pjais_lab.reactive._delivery import Outbox

__all__ = ["Feedback"]

_CHAIN_SHOWN: Final = 6
_STATUS: Final = frozenset({"error", "stale", "version"})


class Feedback:
    """Counts the rounds in a row that only observers caused.

    Args:
        limit: how many are fine.

    Attributes:
        depth: how many it has been.
    """

    def __init__(self, limit: int) -> None:
        self.depth = 0
        self._limit = limit
        self._chain: deque[str] = deque(maxlen=_CHAIN_SHOWN)
        self._suspects: WeakBag[Cell] = WeakBag()
        self._held: WeakBag[Cell] = WeakBag()

    def settle(self, outbox: Outbox, causes: Iterable[Cell], *, is_external: bool) -> None:
        """Decide whose observers are told of a round.

        Args:
            outbox: the changes of the round; those held back are taken out.
            causes: the cells whose observers committed since the last round.
            is_external: something other than observers had a part in the round.
        """
        self._count(causes, is_external=is_external)
        if is_external:
            for cell in self._held:
                outbox[cell] = _release(cell, outbox.get(cell, []))
            self._held = WeakBag()
        error = self._loop() if self.depth > self._limit else None
        for cell, changes in outbox.items():
            if error is not None and cell.loop is None and cell in self._suspects:
                cell.loop = error
                self._held.add(cell)
                changes = [*cell.put_error(), *changes]  # noqa: PLW2901
            if cell.loop is not None:
                outbox[cell] = _hold(cell, changes)

    def _count(self, causes: Iterable[Cell], *, is_external: bool) -> None:
        if is_external:
            self.depth = 0
            self._chain.clear()
            self._suspects = WeakBag()
            return
        self.depth += 1
        for cell in causes:
            self._suspects.add(cell)
            self._chain.append(cell.label)

    def _loop(self) -> FeedbackLoopError:
        chain = " -> ".join(self._chain)
        msg = f"Observers answered commits with commits {self.depth} times in a row: {chain}."
        hint = "The events stay. Let the observer commit only when there is something new to say."
        return FeedbackLoopError(msg, hint=hint, chain=tuple(self._chain))


def _hold(cell: Cell, changes: list[Change]) -> list[Change]:
    """Keep what the observers do not hear for later; gives what they do hear."""
    for change in changes:
        if change.name not in _STATUS:
            first = cell.missed.get(change.name, change)
            cell.missed[change.name] = Change(change.name, first.old, change.new, change.is_quiet)
    return [c for c in changes if c.name in _STATUS]


def _release(cell: Cell, changes: list[Change]) -> list[Change]:
    cell.loop = None
    _hold(cell, changes)
    missed, cell.missed = cell.missed, {}
    return [*missed.values(), *(c for c in changes if c.name in _STATUS), *cell.put_error()]
