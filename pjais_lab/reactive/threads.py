"""Threads for which the end of the interpreter waits."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

__all__ = ["begin", "is_over"]

_LAST_S: Final = 10.0  # how long the end waits for what it told, and then for what it cancelled
_LOCK: Final = threading.Lock()
_OVER: Final = threading.Event()


class _End(NamedTuple):
    """What is called when the interpreter ends."""

    tell: Callable[[], object] | None
    cancel: Callable[[], object] | None


_UNDER_WAY: Final[WeakKeyDictionary[threading.Thread, _End]] = WeakKeyDictionary()


def begin(
    work: Callable[[], object],
    name: str,
    *,
    tell: Callable[[], object] | None = None,
    cancel: Callable[[], object] | None = None,
) -> bool:
    """Work in a thread of its own; False when the interpreter is ending, and nothing was begun.

    The thread is a daemon, so that one that waits for ever keeps nobody from leaving; but a daemon
    that the end of the interpreter meets in DuckDB takes the process down, so the end waits for it.

    Args:
        work: what the thread does.
        name: the thread's.
        tell: called when the interpreter ends, before the thread is waited for: it ends soon now.
        cancel: called when the thread has not ended ten seconds later; it is waited for once more.

    Raises:
        RuntimeError: the system has no thread to give.
    """
    thread = threading.Thread(target=work, name=name, daemon=True)
    with _LOCK:
        if _OVER.is_set():
            return False
        thread.start()
        _UNDER_WAY[thread] = _End(tell, cancel)
    return True


def is_over() -> bool:
    """Whether the interpreter is ending."""
    return _OVER.is_set()


def _end() -> None:
    """Begin nothing more; what is under way ends, or is cancelled, or only waits and is left."""
    with _LOCK:
        _OVER.set()
        left = dict(_UNDER_WAY)
    for thread, ending in left.items():
        if thread.is_alive() and ending.tell is not None:  # none is in a child that was forked
            ending.tell()
    _wait(left)
    for thread, ending in left.items():
        if thread.is_alive() and ending.cancel is not None:
            ending.cancel()
    _wait(left)


def _wait(left: Mapping[threading.Thread, object]) -> None:
    until = time.monotonic() + _LAST_S
    for thread in left:
        thread.join(max(0.0, until - time.monotonic()))


# Before the pools of threads are shut down, which work may need; `atexit` runs after that.
_at_end: Callable[[Callable[[], None]], object] = getattr(
    threading, "_register_atexit", atexit.register
)
_at_end(_end)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release
    )
