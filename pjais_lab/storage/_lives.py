"""Epochs of entities that were asked for lately: to look one up takes longer than to append an event."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Final

__all__ = ["Life", "Lives"]

Life = tuple[int, str | None]
"""Epoch and persona id."""
_MOST: Final = 4_096


class Lives:
    """What is known of entities until an event concerns them.

    Attributes:
        turn: how often something was forgotten.
    """

    def __init__(self) -> None:
        self.turn = 0
        self._known: dict[str, dict[str, Life]] = {}  # id, kind
        self._lock = threading.Lock()

    def of(self, kind: str, ids: Iterable[str]) -> tuple[dict[str, Life], list[str]]:
        """What is known, and the ids of which nothing is."""
        found: dict[str, Life] = {}
        missing: list[str] = []
        for each in ids:
            life = self._known.get(each, {}).get(kind)
            if life is None:
                missing.append(each)
            else:
                found[each] = life
        return found, missing

    def keep(self, turn: int, kind: str, found: Mapping[str, Life]) -> None:
        """Remember what was read, unless something was forgotten since.

        Args:
            turn: as it was before the reading began.
            kind: of the entities.
            found: by id.
        """
        with self._lock:
            if turn != self.turn or len(found) > _MOST:
                return
            if len(self._known) + len(found) > _MOST:
                self._known.clear()
            for each, life in found.items():
                self._known.setdefault(each, {})[kind] = life

    def forget(self, ids: Iterable[str | None] | None = None) -> None:
        """The state has changed, in these entities or anywhere."""
        with self._lock:
            self.turn += 1
            if ids is None:
                self._known.clear()
                return
            for each in ids:
                if each is not None:
                    self._known.pop(each, None)
