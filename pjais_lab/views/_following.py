"""The live queries of a view: they rest while nobody sees it, and cost nothing until somebody looks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pjais_lab.reactive.live_query import LiveQuery

__all__ = ["Following"]


class Following:
    """What one view observes.

    A live query that others observe too goes on for them; one that code reads answers it.

    Attributes:
        is_resting: whether nobody sees the view.
    """

    def __init__(self) -> None:
        self.is_resting = False
        self._lock = threading.Lock()
        self._held: list[tuple[LiveQuery, Callable[..., Any]]] = []

    def add(self, query: LiveQuery, heard: Callable[..., Any], names: Sequence[str]) -> None:
        """Observe some traits of a live query.

        Args:
            query: it may be the user's own.
            heard: the observer.
            names: of the traits.
        """
        query.observe(heard, names)
        with self._lock:
            self._held = [(q, h) for q, h in self._held if not q.is_closed]
            self._held.append((query, heard))
            if self.is_resting:
                query.rest(heard)

    def rest(self) -> None:
        """Nobody sees the view any more."""
        with self._lock:
            self.is_resting = True
            for query, heard in self._held:
                query.rest(heard)

    def resume(self) -> None:
        """Somebody sees it: what has changed meanwhile is told next. From any thread, at once."""
        with self._lock:
            if self.is_resting:
                self.is_resting = False
                for query, heard in self._held:
                    query.resume(heard)

    def close(self) -> None:
        """Let go of them; they are closed by whom they belong to."""
        self.resume()
        with self._lock:
            self._held.clear()
