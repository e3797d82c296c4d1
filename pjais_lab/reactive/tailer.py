"""The tailer: one thread that follows what other processes commit."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from pjais_lab.errors import ClosedError, LabError

if TYPE_CHECKING:
    from pjais_lab.reactive.store import Store
    from pjais_lab.storage.notify import Listener

__all__ = ["Tailer"]

_LOG = logging.getLogger("pjais_lab")
_WAIT_S: Final = 5.0
_RETRY_S: Final = 0.5


class Tailer:
    """Wakes on a datagram or on the listener's slow poll, and brings the store up to date.

    Args:
        store: what to keep up to date.
        listener: where other processes announce their commits.
    """

    def __init__(self, store: Store, listener: Listener) -> None:
        self.error: LabError | None = None
        """What stopped the last attempt; None while following works."""
        self._store = store
        self._listener = listener
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pjais-tailer", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop following; returns when the thread has ended."""
        self._stop.set()
        self._listener.wake()
        if threading.current_thread() is not self._thread:
            self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._listener.wait(_WAIT_S)
            if self._stop.is_set():
                return
            try:
                self._store.catch_up()
                self.error = None
            except ClosedError:
                return
            except LabError as error:
                if self.error is None or str(error) != str(self.error):
                    _LOG.warning("Following the journal failed: %s", error)
                self.error = error
                self._stop.wait(_RETRY_S)
