"""What the hub asks of the store that feeds it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import polars as pl

    from pjais_lab.storage.sqlparse import Analysis

__all__ = ["Changes", "Keys", "Reader", "Source"]

Keys = Collection[tuple[str, str | None]] | None
"""(entity id, persona id) of every row touched; None when there are too many to tell."""


class Changes(Protocol):
    """What one application of events touched."""

    @property
    def position(self) -> int:
        """The position of the state after it."""
        ...

    @property
    def tables(self) -> Mapping[str, Keys]:
        """Table -> the rows touched; ``events`` may be among them, for the log itself."""
        ...

    @property
    def names(self) -> frozenset[str] | None:
        """Names of the events that were added; None when there may be others."""
        ...


class Reader(Protocol):
    """Answers queries from one state."""

    @property
    def position(self) -> int:
        """The position of that state."""
        ...

    @property
    def is_spent(self) -> bool:
        """Whether a failed query ended its transaction, so that it answers no more."""
        ...

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """Run a query that has been checked.

        Raises:
            QueryError: it failed.
        """
        ...

    def interrupt(self) -> None:
        """Stop the query that is running."""
        ...


class Source(Protocol):
    """A state that moves from position to position."""

    @property
    def position(self) -> int:
        """The position the state has reached."""
        ...

    @property
    def tables(self) -> Collection[str]:
        """The tables that ``Changes`` speaks about."""
        ...

    def analyse(self, sql: str) -> Analysis:
        """Check that the SQL only reads, and find what.

        Raises:
            QueryError: it cannot be parsed, or would write.
        """
        ...

    def snapshot(self, spares: int = 0) -> AbstractContextManager[Reader]:
        """Read the state as it is now, while commits go on; ``spares`` queries may fail."""
        ...
