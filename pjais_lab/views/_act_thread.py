"""Acts run in threads of their own, for which the end of the interpreter waits."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final
from weakref import WeakKeyDictionary

from pjais_lab.errors import ViewError
from pjais_lab.views._acts import Run

__all__ = ["begin"]

_LAST_S: Final = 10.0  # how long the end waits for acts under way, and then for those it cancelled
_LOCK: Final = threading.Lock()
_OVER: Final = threading.Event()
_UNDER_WAY: Final[WeakKeyDictionary[threading.Thread, Run]] = WeakKeyDictionary()


def begin(run: Run, work: Callable[[], None]) -> None:
    """Work in a thread of its own.

    The thread is a daemon, so that one that waits for ever keeps nobody from leaving; but a daemon
    that the end of the interpreter meets in DuckDB takes the process down, so the end waits for it.

    Raises:
        ViewError: the interpreter is ending, or has no thread to give.
    """
    thread = threading.Thread(target=work, name="pjais-act", daemon=True)
    with _LOCK:
        if _OVER.is_set():
            msg = "The kernel is shutting down."
            raise ViewError(msg, hint="Act again when it runs.")
        try:
            thread.start()
        except RuntimeError as error:
            msg = f"{run.title!r} could not begin: {error}."
            raise ViewError(msg, hint="Try it again, or restart the kernel.") from error
        _UNDER_WAY[thread] = run


def _end() -> None:
    """Begin nothing more; what is under way ends, or is cancelled, or only waits and is left."""
    with _LOCK:
        _OVER.set()
        left = dict(_UNDER_WAY)
    _wait(left)
    for run in left.values():
        run.cancel()
    _wait(left)


def _wait(left: Mapping[threading.Thread, Run]) -> None:
    until = time.monotonic() + _LAST_S
    for thread in left:
        thread.join(max(0.0, until - time.monotonic()))


# Before the pools of threads are shut down, which an act may need; `atexit` runs after that.
_at_end: Callable[[Callable[[], None]], object] = getattr(
    threading, "_register_atexit", atexit.register
)
_at_end(_end)
