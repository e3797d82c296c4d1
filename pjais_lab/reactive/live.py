"""A query that answers again by itself."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

import polars as pl

from pjais_lab.errors import LiveQueryError
from pjais_lab.reactive._compare import is_same_frame
from pjais_lab.reactive._invalidation import Touched, dependencies
from pjais_lab.reactive.node import Change, Fed, Feeder, Node

if TYPE_CHECKING:
    from pjais_lab.storage.sqlparse import Analysis

__all__ = ["LiveQuery"]

_ROWS_SHOWN: Final = 10
_TOLD: Final = ["frame", "error", "stale"]


class _News:
    """Wakes a coroutine when a query has another answer, from the moment this is made."""

    def __init__(self, query: LiveQuery) -> None:
        self._query = query
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        query.observe(self.wake, _TOLD)
        query.waiting.add(self)

    def wake(self, _: object) -> None:
        """There is news, or the end; called from any thread."""
        with suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            self._loop.call_soon_threadsafe(self._event.set)

    async def next(self) -> bool:
        """Wait; False when the query was closed."""
        if not self._query.is_closed:
            await self._event.wait()
            self._event.clear()
        return not self._query.is_closed

    def close(self) -> None:
        """Listen no more."""
        self._query.unobserve(self.wake, _TOLD)
        self._query.waiting.discard(self)


class LiveQuery(Node):
    """A query whose answer follows the log. Made by ``lab.live``; keep a reference to it.

    Its traits can be observed and linked; observers run in the hub's thread. Reading a trait shows
    at least what this process has committed.

    Attributes:
        sql: the query.
        params: the values of its parameters.
    """

    frame = Fed[pl.DataFrame](
        None, help="The answer, a polars frame; the same object while it is the same."
    )
    elapsed_ms = Fed[float](0.0, help="Milliseconds the last run took.")

    def __init__(
        self,
        hub: Feeder,
        analysis: Analysis,
        tables: Collection[str],
        sql: str,
        params: dict[str, Any],
    ) -> None:
        self.sql = sql
        self.params = params
        self.waiting: set[_News] = set()
        self._has_order = analysis.has_order_by
        self._needs = dependencies(analysis, params, tables)
        one_line = " ".join(sql.split())
        super().__init__(hub, f"live query {one_line[:60]!r}")

    @property
    def identity(self) -> tuple[str, str]:
        """Equal for queries that always have the same answer."""
        return self.sql, repr(sorted(self.params.items()))

    def depends(self, touched: Touched) -> bool:
        """Whether changes may give it another answer."""
        return touched.hits(self._needs)

    def take(self, answer: Any, position: int) -> list[Change]:
        """Show an answer, an error, or at None that nothing has changed. Called by the hub."""
        if answer is None:
            return self.put_status(position, self.exception)
        if isinstance(answer, Exception):
            return self.put_status(position, answer)
        frame, elapsed_ms = answer
        self.put("elapsed_ms", elapsed_ms)
        old = self._trait_values.get("frame")
        changes = self.put_status(position, None)
        if old is not None and is_same_frame(old, frame, has_order=self._has_order):
            return changes
        self._trait_values["frame"] = frame
        return [*changes, ("frame", old, frame)]

    async def changed(self) -> pl.DataFrame:
        """Wait for the next other answer.

        Raises:
            LiveQueryError: the query failed instead.
        """
        before = self._shown()
        async for frame in self:
            if frame is not before:
                return frame
        return before

    async def wait_for(
        self, predicate: Callable[[pl.DataFrame], bool], timeout_s: float | None = None
    ) -> pl.DataFrame:
        """Wait until an answer satisfies ``predicate``.

        Raises:
            TimeoutError: it did not within ``timeout_s`` seconds.
        """
        async with asyncio.timeout(timeout_s):
            async for frame in self:
                if predicate(frame):
                    return frame
        return self._shown()

    def __aiter__(self) -> AsyncIterator[pl.DataFrame]:
        """The answer now, then each newer one; those in between that nobody waited for are skipped.

        Raises:
            LiveQueryError: the query failed.
        """
        return self._frames(_News(self))

    async def _frames(self, news: _News) -> AsyncIterator[pl.DataFrame]:
        try:
            shown = self._sound()
            yield shown
            while await news.next():
                frame = self._sound()
                if frame is not shown:
                    shown = frame
                    yield frame
        finally:
            news.close()

    def _sound(self) -> pl.DataFrame:
        frame = self._shown()
        if self.exception is not None:
            msg = f"{self.label} failed: {self.exception}"
            raise LiveQueryError(msg) from self.exception
        return frame

    def dropped(self) -> None:
        """Wake whoever waits for an answer that will not come. Called by the hub."""
        for news in list(self.waiting):
            news.wake(None)

    def __enter__(self) -> Self:
        """The query itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close."""
        self.close()

    def _shown(self) -> pl.DataFrame:
        frame: pl.DataFrame | None = self.frame
        return frame if isinstance(frame, pl.DataFrame) else pl.DataFrame()

    def __repr__(self) -> str:
        """The query and its answer."""
        state = f"error: {self.error}" if self.error else f"version {self.version}"
        return f"LiveQuery({self.sql!r}, {state})\n{self._shown()}"

    def _repr_html_(self) -> str:
        """The answer as a table, as it is now; every text in it is inert."""
        frame = self._shown()
        head = "".join(f"<th>{html.escape(c)}</th>" for c in frame.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(str(v))}</td>" for v in row) + "</tr>"
            for row in frame.head(_ROWS_SHOWN).rows()
        )
        more = f", first {_ROWS_SHOWN} shown" if frame.height > _ROWS_SHOWN else ""
        state = html.escape(self.error or f"at event {self.version:,}")
        note = f"live query, {state}, {frame.height:,} rows{more}, {self.elapsed_ms or 0:.1f} ms"
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><small>{note}</small>"
