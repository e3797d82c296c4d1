"""Ctrl-C between acts, not inside them: what must be whole is finished first.

Python raises KeyboardInterrupt in the main thread after any call, also between taking a lock and
noting that it is held. So it is put off while a commit is made, save where the commit only waits.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, Self

__all__ = ["interruptible", "shielded"]

_Handler = Callable[[int, FrameType | None], Any]


class _Guard:
    """What is known about Ctrl-C; touched by the main thread alone.

    Attributes:
        depth: how many shields are up.
        is_waiting: Ctrl-C may pass, for nothing would be left half done.
        is_pending: Ctrl-C was pressed behind a shield.
        handler: who is told in the end.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.is_waiting = False
        self.is_pending = False
        self.handler: _Handler | None = None

    def note(self, number: int, frame: FrameType | None) -> None:
        """The handler while a shield is up."""
        self.is_pending = True
        if self.is_waiting:
            self.tell(number, frame)

    def tell(self, number: int = signal.SIGINT, frame: FrameType | None = None) -> None:
        """Call whoever would have been called, once."""
        is_pending, self.is_pending = self.is_pending, False
        if is_pending and self.handler is not None:
            self.handler(number, frame)


_GUARD: Final = _Guard()


class shielded:  # noqa: N801 - used like a function
    """Put Ctrl-C off until the end of a ``with`` block. May be nested; free in other threads."""

    def __enter__(self) -> Self:
        """Put the shield up."""
        self._is_up = threading.current_thread() is threading.main_thread()
        if not self._is_up:
            return self
        if _GUARD.depth == 0:
            handler = signal.getsignal(signal.SIGINT)
            if not callable(handler):
                self._is_up = False
                return self
            _GUARD.handler = handler
            signal.signal(signal.SIGINT, _GUARD.note)
        _GUARD.depth += 1
        return self

    def __exit__(self, *exc: object) -> None:
        """Take it down; what was put off happens now."""
        if not self._is_up:
            return
        _GUARD.depth -= 1
        if _GUARD.depth == 0:
            if signal.getsignal(signal.SIGINT) == _GUARD.note:
                with contextlib.suppress(TypeError, ValueError):
                    signal.signal(signal.SIGINT, _GUARD.handler)
            _GUARD.tell()


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C through for a ``with`` block inside ``shielded``, as while waiting for a lock."""
    if _GUARD.depth == 0 or threading.current_thread() is not threading.main_thread():
        yield
        return
    was_waiting, _GUARD.is_waiting = _GUARD.is_waiting, True
    try:
        _GUARD.tell()
        yield
    finally:
        _GUARD.is_waiting = was_waiting
