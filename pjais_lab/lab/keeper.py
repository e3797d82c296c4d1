"""The keeper: one thread that seals the journal into the lake when it has grown or aged."""

from __future__ import annotations

import logging
import queue
import threading
import weakref
from collections.abc import Callable
from typing import Final

from pjais_lab.errors import BusyError, ClosedError, LabError

__all__ = ["Keeper"]

_LOG = logging.getLogger("pjais_lab")
_CHECK_S: Final = 5.0


class Keeper:
    """Runs ``work`` every few seconds; the work itself decides whether anything is due.

    Args:
        work: seals when due; raises BusyError when another process is sealing.
        every_s: seconds between two looks.
    """

    def __init__(self, work: Callable[[], object], every_s: float = _CHECK_S) -> None:
        self.error: LabError | None = None
        """What the last attempt failed with; None when it worked."""
        self._work = work
        # The garbage collector may put into this one while the same thread gets from it.
        self._nudges: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread = threading.Thread(
            target=_run,
            args=(weakref.ref(self), self._nudges, every_s),
            name="pjais-keeper",
            daemon=True,
        )
        weakref.finalize(self, self._nudges.put, False).atexit = False  # noqa: FBT003
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def nudge(self) -> None:
        """Look now rather than at the next turn."""
        if self._nudges.empty():
            self._nudges.put(True)  # noqa: FBT003

    def close(self) -> None:
        """Stop after the work in hand."""
        self._nudges.put(False)  # noqa: FBT003
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def turn(self) -> bool:
        """Do the work once; False when the lab is closed. Called by the keeper's thread."""
        try:
            self._work()
        except ClosedError:
            return False
        except BusyError:
            return True
        except LabError as error:
            if self.error is None or str(error) != str(self.error):
                _LOG.warning("Sealing in the background failed: %s", error)
            self.error = error
            return True
        self.error = None
        return True


def _run(ref: weakref.ref[Keeper], nudges: queue.SimpleQueue[bool], every_s: float) -> None:
    """The keeper's thread, which holds the keeper only while it works."""
    while _waited(nudges, every_s):
        keeper = ref()
        if keeper is None or not keeper.turn():
            return
        del keeper


def _waited(nudges: queue.SimpleQueue[bool], every_s: float) -> bool:
    """Wait for a nudge or the next turn; False when it is over."""
    try:
        return nudges.get(timeout=every_s)
    except queue.Empty:
        return True
