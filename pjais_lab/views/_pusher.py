"""The thread that sends for every view of a process, those first that have waited longest."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from operator import itemgetter
from typing import Final, Protocol

from pjais_lab.reactive import threads

__all__ = ["Pusher", "pusher"]

_LOG: Final = logging.getLogger("pjais_lab.views")
_RATE: Final = 200.0  # pushes a second in all, over time
_AT_ONCE: Final = 20.0  # so that what one commit moved on a page is painted in one frame
_IDLE_S: Final = 30.0


class Sending(Protocol):
    """What a view has to send."""

    def due_at(self, now: float) -> float | None:
        """When the next push may leave, in seconds of ``time.monotonic``; None if there is none."""
        ...

    def push(self) -> None:
        """Send it."""
        ...

    def fail(self, error: BaseException | None, source: str = "") -> None:
        """Show an error under the view."""
        ...


class Pusher:
    """The thread that sends for every view of this process."""

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._waiting: weakref.WeakSet[Sending] = weakref.WeakSet()
        self._is_running = False
        self._left, self._counted_at = _AT_ONCE, time.monotonic()

    def wake(self, channel: Sending) -> None:
        """A channel may have something to send."""
        with self._ready:
            self._waiting.add(channel)
            if not self._is_running:
                self._is_running = threads.begin(self._run, "pjais-views", tell=self._wake)
            self._ready.notify_all()

    def _wake(self) -> None:
        with self._ready:
            self._ready.notify_all()

    def _run(self) -> None:
        while not threads.is_over():
            due = self._next()
            if due is not None:
                _push(due)
                del due
                self._pace()

    def _pace(self) -> None:
        """Wait after a push, once many have left in a moment."""
        now = time.monotonic()
        self._left = min(_AT_ONCE, self._left + (now - self._counted_at) * _RATE) - 1
        self._counted_at = now
        if self._left < 0:
            time.sleep(-self._left / _RATE)

    def _next(self) -> Sending | None:
        """Wait until a channel may send; the one that has waited longest."""
        with self._ready:
            now = time.monotonic()
            due = [(at, c) for c in list(self._waiting) if (at := c.due_at(now)) is not None]
            self._waiting = weakref.WeakSet(channel for _, channel in due)
            at, first = min(due, key=itemgetter(0), default=(now + _IDLE_S, None))
            if threads.is_over():
                return None
            if first is not None and at <= now:
                return first
            del due, first  # nothing is kept alive by waiting for it
            self._ready.wait(at - now)
            return None


def _push(channel: Sending) -> None:
    try:
        channel.push()
    except Exception as error:  # noqa: BLE001 - one view's trouble is not another's
        _LOG.exception("A view could not be sent.")
        channel.fail(error)


_PUSHERS: Final[dict[int, Pusher]] = {}


def pusher() -> Pusher:
    """This process's pusher; threads do not survive a fork, so a child has its own."""
    pid = os.getpid()
    if pid not in _PUSHERS:
        _PUSHERS[pid] = Pusher()
    return _PUSHERS[pid]
