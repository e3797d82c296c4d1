"""The keeper: one thread that seals the journal into the lake when it has grown or aged."""

from __future__ import annotations

import logging
import threading
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
        self._every_s = every_s
        self._stop = threading.Event()
        self._nudge = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pjais-keeper", daemon=True)
        self._thread.start()

    def nudge(self) -> None:
        """Look now rather than at the next turn."""
        self._nudge.set()

    def close(self) -> None:
        """Stop after the work in hand."""
        self._stop.set()
        self._nudge.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._nudge.wait(self._every_s)
            self._nudge.clear()
            if self._stop.is_set():
                return
            try:
                self._work()
                self.error = None
            except ClosedError:
                return
            except BusyError:
                continue
            except LabError as error:
                if self.error is None or str(error) != str(self.error):
                    _LOG.warning("Sealing in the background failed: %s", error)
                self.error = error
