"""What the domain asks of the store."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import polars as pl

    from pjais_lab.core.event import Draft, Event
    from pjais_lab.reactive.commit import Command, Commit

__all__ = ["Committer"]


class Committer(Protocol):
    """Something that commits events and answers questions: a store."""

    def commit(
        self,
        *items: Draft | Event | Command,
        expected: int | None = None,
        key: str | None = None,
        actor: str | None = None,
        cause: str | None = None,
    ) -> Commit:
        """Append events and apply them, all or none.

        Raises:
            RejectedError: an event does not fit; nothing was stored.
        """
        ...

    def batch(
        self, *, expected: int | None = None, key: str | None = None
    ) -> AbstractContextManager[None]:
        """Collect the commits of a ``with`` block into one."""
        ...

    def query(self, sql: str, **params: Any) -> pl.DataFrame:
        """Answer a question about state and history.

        Raises:
            QueryError: the SQL is wrong, or would write.
        """
        ...
