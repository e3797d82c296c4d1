"""A read-only lab at a past moment."""

from __future__ import annotations

import weakref
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self

from pjais_lab.core.event import micros
from pjais_lab.errors import ClosedError, ReadOnlyError, SnapshotNotFoundError
from pjais_lab.reactive._params import plain

if TYPE_CHECKING:
    import polars as pl

    from pjais_lab.core.registry import Registry
    from pjais_lab.lab.parts import Parts
    from pjais_lab.storage.past import Past

__all__ = ["PastLab"]


class PastLab:
    """State and history as they were; closes by itself when nobody holds it.

    Args:
        parts: the open workspace.
        when: a position of the log, or a time.
        clock: what a time means: the personas' world, or the commits.

    Attributes:
        moment: the position or time it shows.
        clock: what a time means.
    """

    def __init__(
        self, parts: Parts, when: int | datetime | str, clock: Literal["world", "commit"]
    ) -> None:
        self._parts = parts
        self.moment = _parsed(when)
        self.clock: Literal["world", "commit"] = clock
        self._position: int | None = None
        condition = _condition(self.moment, clock, parts.store.position)
        stack = ExitStack()
        self._state: Past | None = stack.enter_context(parts.state.past(condition))
        self._forget = weakref.finalize(self, stack.close)
        self._forget.atexit = False
        parts.pasts.add(self)

    def query(self, sql: str, **params: Any) -> pl.DataFrame:
        """Answer a question about state and history as they were.

        Args:
            sql: one SELECT in DuckDB's dialect; parameters are written ``$name``.
            params: their values.

        Raises:
            QueryError: the SQL is wrong, or would write.
            ClosedError: this or the lab is closed.
        """
        return self._open_state().query(sql, plain(params))

    @property
    def position(self) -> int:
        """The last event until the moment; 0 if there was none.

        Raises:
            ClosedError: this or the lab is closed.
        """
        state = self._open_state()
        if self._position is None:
            self._position = int(state.query("SELECT max(seq) FROM events").item() or 0)
        return self._position

    @property
    def registry(self) -> Registry:
        """What is declared now: events, tables and upcasters."""
        return self._parts.store.registry

    def commit(self, *items: object, **options: object) -> NoReturn:
        """Refuse: the past does not change.

        Raises:
            ReadOnlyError: always.
        """
        del items, options
        msg = f"The past at {self.moment} cannot be changed."
        raise ReadOnlyError(msg, hint="Commit to the lab itself.")

    @property
    def is_closed(self) -> bool:
        """Whether it has been closed, or its lab."""
        return self._state is None

    def close(self) -> None:
        """Forget the folded tables; closing twice is fine."""
        self._state = None
        self._forget()

    def __enter__(self) -> Self:
        """The past lab itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close."""
        self.close()

    def _open_state(self) -> Past:
        if self._state is None:
            msg = "This past lab is closed."
            raise ClosedError(msg, hint="Ask lab.at() again.")
        return self._state

    def __repr__(self) -> str:
        """The moment."""
        return f"PastLab({self._parts.workspace.path.name!r} at {self.moment})"


def _parsed(given: Any) -> int | datetime:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    when: object = given
    if not isinstance(when, (datetime, str)):
        msg = f"{when!r} is not a moment; expected a position, or a time such as 2026-11-01 14:30."
        raise SnapshotNotFoundError(msg, moment=when)
    if isinstance(when, str):
        try:
            at = datetime.fromisoformat(when)
        except ValueError:
            msg = f"{when!r} is not a moment; expected a position, or a time such as 2026-11-01 14:30."
            raise SnapshotNotFoundError(msg, moment=when) from None
    else:
        at = when
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at


def _condition(when: int | datetime, clock: Literal["world", "commit"], position: int) -> str:
    if clock not in {"world", "commit"}:
        msg = f"There is no clock {clock!r}; expected 'world' or 'commit'."
        raise SnapshotNotFoundError(msg, clock=clock)
    if isinstance(when, int):
        if not 0 <= when <= position:
            msg = f"The log has no position {when:,}; it goes from 0 to {position:,}."
            raise SnapshotNotFoundError(msg, position=when)
        return f"seq <= {when}"
    us = micros(when)
    if clock == "world":
        return f"occurred_at <= make_timestamp({us}::BIGINT)"
    stamp = f"{max(0, us // 1000):012x}"  # ids know no time before 1970
    return f"id <= '{stamp[:8]}-{stamp[8:]}-7fff-bfff-ffffffffffff'::UUID"
