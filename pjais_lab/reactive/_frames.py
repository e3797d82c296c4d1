"""Waiting for values in an event loop: the newest one only, so that a slow reader lags and never queues."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from pjais_lab.errors import LiveQueryError

if TYPE_CHECKING:
    from pjais_lab.reactive._cell import Cell

__all__ = ["Frames", "next_value"]


class Frames:
    """An asynchronous iterator: the current value, then the newest one after each change.

    It ends when the live object is closed and raises when its query fails.

    Args:
        cell: whose values.
        keep: held as long as the iteration lasts.
        skip: begin with the next value rather than with the current one.
    """

    def __init__(self, cell: Cell, keep: object, *, skip: bool = False) -> None:
        self._cell = cell
        self._keep = keep
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._seen = cell.current[0] if skip else -1
        self._is_first = not skip
        cell.wakers.add(self)

    def wake(self) -> None:
        """There is news; called from the hub's thread."""
        if not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(self._news.set)
            except RuntimeError:  # the loop was closed in between
                self._cell.wakers.discard(self)

    def __aiter__(self) -> Self:
        """Itself."""
        return self

    async def __anext__(self) -> Any:
        """The next value.

        Raises:
            LiveQueryError: the query fails now.
            StopAsyncIteration: the live object was closed.
        """
        if self._is_first:
            self._is_first = False
            await asyncio.to_thread(self._cell.hub.wait_values, self._cell)
        while True:
            self._news.clear()
            revision, value, failure = self._cell.current
            if revision != self._seen:
                self._seen = revision
                if failure is not None:
                    msg = f"{self._cell.label} cannot be refreshed: {failure}"
                    raise LiveQueryError(msg) from failure
                return value
            if self._cell.is_closed:
                self._cell.wakers.discard(self)
                raise StopAsyncIteration
            await self._news.wait()


async def next_value(frames: Frames, timeout_s: float | None) -> Any:
    """The next value, or an error when it takes too long.

    Raises:
        LiveQueryError: the query fails, or the live object was closed.
        TimeoutError: there was none in time.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await anext(frames)
    except StopAsyncIteration:
        msg = "The live query was closed while it was waited for."
        raise LiveQueryError(msg) from None
