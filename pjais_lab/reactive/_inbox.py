"""What the store has announced and no round has taken up yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pjais_lab.reactive._invalidation import Touched

if TYPE_CHECKING:
    from pjais_lab.reactive.source import Changes

__all__ = ["Inbox"]

_MANY: Final = 1_000


class Inbox:
    """Changes in the order of positions. Its owner locks.

    Args:
        position: what has been seen already.

    Attributes:
        position: of the newest change announced.
        announced: how many changes there were; not each of them has another position.
        taken: how many of them rounds have taken up.
    """

    def __init__(self, position: int) -> None:
        self.position = position
        self.announced = self.taken = 0
        self._waiting: list[tuple[int, Changes | None, int]] = []
        self._is_in_doubt = False

    @property
    def count(self) -> int:
        """How many changes wait."""
        return len(self._waiting)

    def put(self, changes: Changes) -> None:
        """Note a change."""
        self.position = max(self.position, changes.position)
        self.announced += 1
        self._waiting.append((changes.position, changes, self.announced))
        if len(self._waiting) > _MANY:
            self._waiting = [(self.position, None, self._waiting[0][2])]

    def doubt(self) -> None:
        """Take it that anything may have changed, the next time somebody looks."""
        self._is_in_doubt = True

    def take(self, touched: Touched, before: int, position: int) -> None:
        """Move what a state at ``position`` contains into ``touched``.

        Args:
            touched: what is known to be touched already.
            before: how many waited before that state was opened; it contains them, whatever they are.
            position: of that state.
        """
        if self._is_in_doubt or position > self.position:
            touched.add_everything()
        self._is_in_doubt = False
        rest: list[tuple[int, Changes | None, int]] = []
        last = self._waiting[before - 1][0] if 0 < before <= len(self._waiting) else -1
        for index, (at, changes, number) in enumerate(self._waiting):
            if index >= before and not last < at <= position:
                rest.append((at, changes, number))
            elif changes is None:
                touched.add_everything()
            else:
                touched.add(changes.tables, changes.names)
        self._waiting = rest
        self.taken = rest[0][2] - 1 if rest else self.announced
