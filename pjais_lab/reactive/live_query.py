"""A query that answers again by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, Self

import polars as pl

from pjais_lab.core.markup import card, count, cut, grid, line, one_line, trouble, visible
from pjais_lab.errors import QueryError
from pjais_lab.reactive._compare import is_same_frame
from pjais_lab.reactive._frames import Frames, closed
from pjais_lab.reactive._invalidation import Touched, dependencies
from pjais_lab.reactive._params import plain
from pjais_lab.reactive.node import Change, Fed, Feeder, Node

if TYPE_CHECKING:
    from pjais_lab.storage.sqlparse import Analysis

__all__ = ["LiveQuery"]

_ROWS_SHOWN: Final = 10
_LINES_SHOWN: Final = 22


class LiveQuery(Node):
    """A query whose answer follows the log. Made by ``lab.live``; keep a reference to it.

    Its traits can be observed and linked; observers run in the hub's thread. Reading a trait shows
    at least what this process has committed.

    Attributes:
        sql: the query.
        params: the values of its parameters.
        current: revision, answer and failure, replaced as one, for those who wait.
        total_ms: milliseconds that all its runs took.
    """

    frame = Fed[pl.DataFrame](
        pl.DataFrame(), help="The answer, a polars frame; the same object while it is the same."
    )
    elapsed_ms = Fed[float](0.0, help="Milliseconds the last run took.")
    runs = Fed[int](0, help="How often it was run; rises also when the answer stays the same.")

    def __init__(
        self,
        hub: Feeder,
        analysis: Analysis,
        tables: Collection[str],
        sql: str,
        params: dict[str, Any],
    ) -> None:
        self.sql = sql
        self.params = bind(analysis, params)
        self.current: tuple[int, pl.DataFrame, Exception | None] = (0, pl.DataFrame(), None)
        self._answer = pl.DataFrame()
        self._has_order = analysis.has_order_by
        self._has_answer = False
        self._resting: set[Callable[..., Any]] = set()
        self._needs = dependencies(analysis, self.params, tables)
        self.total_ms = 0.0
        super().__init__(hub, f"live query {' '.join(sql.split())[:60]!r}")

    @property
    def reads(self) -> tuple[str, ...] | None:
        """The tables it depends on; None when any change may matter."""
        is_any = self._needs.is_total or self._needs.is_volatile
        return None if is_any else tuple(sorted({need.table for need in self._needs.needs}))

    @property
    def identity(self) -> tuple[str, str]:
        """Equal for queries that always have the same answer."""
        return self.sql, repr(sorted(self.params.items()))

    def depends(self, touched: Touched) -> bool:
        """Whether changes may give it another answer."""
        return touched.hits(self._needs)

    def is_due(self, touched: Touched) -> bool:
        """Whether it is to be asked now; while it is asleep it only falls behind."""
        if not self.is_fed:
            return True
        self.is_behind = self.is_behind or self.depends(touched)
        return self.is_behind and not self.is_asleep

    @property
    def is_asleep(self) -> bool:
        """Whether all its observers rest and nobody else waits for it, so that only reading asks it."""
        if not self._resting or self.readers or len(self.wakers):
            return False
        heard = [h for by in list(self._trait_notifiers.values()) for h in list(by.values())]
        is_heard = any(one not in self._resting for handlers in heard for one in list(handlers))
        return not is_heard and all(node.is_closed for node in self.outputs)

    def rest(self, handler: Callable[..., Any]) -> None:
        """An observer needs no news for now."""
        self._resting.add(handler)

    def resume(self, handler: Callable[..., Any]) -> None:
        """It does again; what it has missed is told next."""
        self._resting.discard(handler)
        self._look()

    def take(self, answer: Any, position: int) -> list[Change]:
        """Show an answer, an error, or at None that nothing has changed. Called by the hub."""
        had = self.failure
        if answer is None and self.is_behind:
            return []
        self.is_behind = False
        if answer is None or isinstance(answer, Exception):
            changes = self.put_status(position, answer or had)
        else:
            frame, elapsed_ms = answer
            self.total_ms += elapsed_ms
            changes = [
                *self._put_frame(frame),
                *self.put_status(position, None),
                *self.put("elapsed_ms", elapsed_ms),
                *self.put("runs", self._trait_values.get("runs", 0) + 1),
            ]
        if had is not self.failure or any(name == "frame" for name, _, _ in changes):
            shown = self._trait_values.get("frame", self._answer)
            self.current = (self.current[0] + 1, shown, self.failure)
        return changes

    def _put_frame(self, frame: pl.DataFrame) -> list[Change]:
        if self._has_answer and is_same_frame(self._answer, frame, has_order=self._has_order):
            return []
        old = self._trait_values.get("frame", self._answer)
        self._has_answer, self._answer = True, frame.clone()
        self._trait_values["frame"] = frame
        return [("frame", old, frame)]

    @property
    def rows(self) -> int:
        """How many rows the answer has, without waiting for a newer one."""
        return self._answer.height

    def copy(self, *, wait: bool = True) -> pl.DataFrame:
        """The answer as a frame of its own, for a thread beside those that have ``frame``.

        polars locks a frame while it is written, and two threads that use the same one can then
        wait for each other for ever.

        Args:
            wait: until it shows what the store shows. Who holds a lock that an observer may want
                must not.
        """
        if wait:
            self.wait()
        return self._answer.clone()

    async def changed(self, timeout_s: float | None = None) -> pl.DataFrame:
        """Wait for the next other answer.

        Args:
            timeout_s: how long at most; for ever if None.

        Raises:
            LiveQueryError: the query failed instead, or was closed.
            TimeoutError: nothing changed in time.
        """
        if not self.is_fed or self.is_behind:
            await asyncio.to_thread(self.wait)
        async with asyncio.timeout(timeout_s):
            async for frame in Frames(self, skip=True):
                return frame
        return closed(self)

    async def wait_for(
        self, predicate: Callable[[pl.DataFrame], bool], timeout_s: float | None = None
    ) -> pl.DataFrame:
        """Wait until an answer, this one to begin with, satisfies ``predicate``.

        Args:
            predicate: gets the frame.
            timeout_s: how long at most; for ever if None.

        Raises:
            LiveQueryError: the query failed, or was closed.
            TimeoutError: none did in time.
        """
        async with asyncio.timeout(timeout_s):
            async for frame in Frames(self):
                if predicate(frame):
                    return frame
        return closed(self)

    def __aiter__(self) -> AsyncIterator[pl.DataFrame]:
        """The answer now, then each newer one; those in between that nobody waited for are skipped.

        Following begins here, not at the first step. The iteration ends when the query is closed,
        and raises LiveQueryError when it fails.
        """
        return Frames(self)

    def __enter__(self) -> Self:
        """The query itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close."""
        self.close()

    def __repr__(self) -> str:
        """The query and its answer."""
        frame = self.frame
        state = f"error: {one_line(self.error, 400)}" if self.error else f"version {self.version}"
        state += ", closed" if self.is_closed else ""
        text = visible(frame, lines=True).split("\n") if self._has_answer else []
        answer = [*text[:_LINES_SHOWN], "…"] if len(text) > _LINES_SHOWN else text
        return "\n".join([f"LiveQuery({self._short_sql!r}, {state})", *answer])

    def _repr_html_(self) -> str:
        """The answer as a table, as it is now; every text in it is inert."""
        frame, rows, took = self.frame, None, None
        where = f"at event {self.version:,}"
        parts = [trouble(self.error)]
        if self._has_answer:
            numeric = [kind.is_numeric() for kind in frame.dtypes]
            first = frame.head(_ROWS_SHOWN).rows()
            parts.append(grid(frame.columns, first, right=numeric, height=frame.height))
            rows = count(frame.height, "row") if frame.height <= len(first) else None
            took = f"{self.elapsed_ms or 0:.1f} ms"
            where = "the last answer before that" if self.error else where
        where = "closed" if self.is_closed else where
        return card("Live query", "", *parts, line(where, rows, took, self._short_sql))

    @property
    def _short_sql(self) -> str:
        return cut(" ".join(self.sql.split()))


def bind(analysis: Analysis, params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as DuckDB takes them; an object with an id stands for its id.

    Args:
        analysis: which ones the SQL names.
        params: their values.

    Raises:
        QueryError: one is missing, or the SQL does not name it.
    """
    missing, extra = (
        sorted(analysis.parameters - set(params)),
        sorted(set(params) - analysis.parameters),
    )
    if missing:
        msg = f"The SQL names the parameter '{missing[0]}', which was given no value."
        raise QueryError(msg, hint="Write $name in the SQL and give name=value.", missing=missing)
    if extra:
        msg = f"The SQL does not name the parameter '{extra[0]}'."
        raise QueryError(msg, hint=f"Write ${extra[0]} where it belongs.", extra=extra)
    return plain(params)
