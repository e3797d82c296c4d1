"""The reading half of a store: follows the journal, answers questions, tells who listens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Final

from pjais_lab.core.event import Chunk
from pjais_lab.errors import ClosedError
from pjais_lab.reactive._params import plain
from pjais_lab.storage.interrupts import interruptible, shielded
from pjais_lab.storage.journal import GapError

if TYPE_CHECKING:
    import polars as pl

    from pjais_lab.core.registry import Registry
    from pjais_lab.storage.changes import Changes
    from pjais_lab.storage.journal import Journal
    from pjais_lab.storage.reader import Reader
    from pjais_lab.storage.sqlparse import Analysis
    from pjais_lab.storage.state import State

__all__ = ["StoreView"]

_READ_CHUNKS: Final = 2_000


class StoreView:
    """State that follows the journal.

    Args:
        journal: where commits are durable.
        state: the tables of this process.
        refill: brings the state over a gap when the journal was purged past its position.
    """

    def __init__(self, journal: Journal, state: State, refill: Callable[[State], None]) -> None:
        self.journal = journal
        self.state = state
        self._refill = refill
        self._apply_lock = threading.RLock()
        self._listeners: list[Callable[[Changes], None]] = []
        self._is_behind = False
        self._is_closed = False

    @property
    def registry(self) -> Registry:
        """The declarations in force."""
        return self.state.registry

    @property
    def position(self) -> int:
        """The place in the log that this process's state has reached."""
        return self.state.position

    @property
    def tables(self) -> Collection[str]:
        """The tables that changes speak of; ``events`` stands for the log."""
        return self.state.tables

    def query(self, sql: str, **params: Any) -> pl.DataFrame:
        """Answer a question about state and history.

        Raises:
            QueryError: the SQL is wrong, or would write.
            ClosedError: the lab is closed.
        """
        self._check_open()
        if self._is_behind:  # an application of events failed: try again before answering
            self._apply_missing()
        return self.state.query(sql, plain(params))

    def analyse(self, sql: str) -> Analysis:
        """Check that SQL only reads, and find what.

        Raises:
            QueryError: it cannot be parsed, or would write.
        """
        return self.state.analyse(sql)

    def snapshot(self, spares: int = 0) -> AbstractContextManager[Reader]:
        """Read the state as it is now, while commits go on; ``spares`` queries may fail."""
        return self.state.snapshot(spares)

    def declare(self, registry: Registry) -> list[str]:
        """Take new declarations; gives the tables that were rebuilt, because they changed."""
        self._check_open()
        with self._apply_lock:
            rebuilt = self.state.declare(registry)
            self._announce(self.state.all_changed())
        return rebuilt

    def on_apply(self, callback: Callable[[Changes], None]) -> None:
        """Call ``callback`` after every application of events, from the thread that applied them.

        It is called under the lock, so that callbacks come in the order of positions; it must only
        take note.
        """
        self._listeners.append(callback)

    def catch_up(self) -> bool:
        """Apply what other processes appended; True when there was something.

        Raises:
            ClosedError: the lab is closed.
        """
        return self._apply_missing()

    def close(self) -> None:
        """Refuse further commits."""
        self._is_closed = True

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Hold off every application of events, for readers of several things at one position."""
        with self._apply_lock:
            yield

    def _apply_missing(self, fresh: Chunk | None = None) -> bool:
        """Bring the state to the journal's head; ``fresh`` is the chunk just appended here.

        Returns:
            Whether there was something to apply.
        """
        try:
            is_moved = self._apply(fresh)
        except BaseException:
            self._is_behind = True
            raise
        self._is_behind = False
        return is_moved

    def _apply(self, fresh: Chunk | None) -> bool:
        with shielded(), self._apply_lock:
            self._check_open()
            state, before = self.state, self.state.position
            if fresh is not None and before == fresh.seq_first - 1:
                self._announce(state.ingest([fresh]))
                return True
            while state.position < self.journal.head():
                with interruptible():
                    pass  # between two transactions
                try:
                    chunks = self.journal.read(state.position, _READ_CHUNKS)
                except GapError:  # purged past us
                    self._refill(state)
                    self._announce(state.all_changed())
                else:
                    self._announce(state.ingest(chunks))
            return state.position > before

    def _announce(self, changes: Changes) -> None:
        for listener in self._listeners:
            listener(changes)

    def _check_open(self) -> None:
        if self._is_closed:
            msg = "This lab is closed."
            raise ClosedError(msg, hint="Open it again with pj.open().")
