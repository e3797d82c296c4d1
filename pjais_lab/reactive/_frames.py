"""Waiting for answers in an event loop: the newest only, so that a slow reader lags and never queues."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NoReturn, Protocol, Self

from pjais_lab.errors import LiveQueryError

if TYPE_CHECKING:
    import polars as pl

    from pjais_lab.reactive._weak import WeakBag
    from pjais_lab.reactive.node import Waker

__all__ = ["Answering", "Frames", "closed"]


class Answering(Protocol):
    """A live query, as those who wait for it see it."""

    current: tuple[int, pl.DataFrame, Exception | None]
    label: str
    is_closed: bool
    wakers: WeakBag[Waker]

    def wait(self) -> None:
        """Return when it shows what the store shows."""
        ...


class Frames:
    """An asynchronous iterator over a live query's answers.

    Args:
        query: whose answers; kept for as long as the iteration lasts.
        skip: begin with the next answer rather than with the current one.
    """

    def __init__(self, query: Answering, *, skip: bool = False) -> None:
        self._query = query
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._seen = query.current[0] if skip else -1
        self._is_first = not skip
        query.wakers.add(self)

    def wake(self) -> None:
        """There is news; called from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._news.set)
        except RuntimeError:  # the loop has ended
            self._query.wakers.discard(self)

    def __aiter__(self) -> Self:
        """Itself."""
        return self

    async def __anext__(self) -> pl.DataFrame:
        """The newest answer that was not given yet.

        Raises:
            LiveQueryError: the query fails now.
            StopAsyncIteration: it was closed.
        """
        if self._is_first:
            self._is_first = False
            await asyncio.to_thread(self._query.wait)
        while True:
            self._news.clear()
            is_closed = self._query.is_closed
            revision, frame, failure = self._query.current
            if revision != self._seen:
                self._seen = revision
                if failure is not None:
                    msg = f"{self._query.label} failed: {failure}"
                    raise LiveQueryError(msg) from failure
                return frame
            if is_closed:
                raise StopAsyncIteration
            await self._news.wait()


def closed(query: Answering) -> NoReturn:
    """Say that a query was closed under somebody who waited for it.

    Raises:
        LiveQueryError: always.
    """
    msg = f"{query.label} was closed while somebody waited for it."
    raise LiveQueryError(msg)
