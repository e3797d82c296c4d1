"""The tailer: one thread that follows what other processes commit."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
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
        abandoned: called by the thread when it ends because nobody holds the tailer any more.
    """

    def __init__(
        self, store: Store, listener: Listener, abandoned: Callable[[], None] = lambda: None
    ) -> None:
        self.error: LabError | None = None
        """What stopped the last attempt; None while following works."""
        self._store = store
        self._listener = listener
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=_run,
            args=(weakref.ref(self), listener, self._stop, abandoned),
            name="pjais-tailer",
            daemon=True,
        )
        weakref.finalize(self, listener.wake).atexit = False
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

    def turn(self) -> float | None:
        """Catch up once. Called by the tailer's thread.

        Returns:
            Seconds to wait before the next attempt; None when there is to be none.
        """
        try:
            self._store.catch_up()
        except ClosedError:
            return None
        except LabError as error:
            if self.error is None or str(error) != str(self.error):
                _LOG.warning("Following the journal failed: %s", error)
            self.error = error
            return _RETRY_S
        self.error = None
        return 0.0


def _run(
    ref: weakref.ref[Tailer],
    listener: Listener,
    stop: threading.Event,
    abandoned: Callable[[], None],
) -> None:
    """The tailer's thread, which holds the tailer only while it catches up."""
    while not stop.is_set():
        listener.wait(_WAIT_S)
        tailer = ref()
        if tailer is None:
            listener.close()
            abandoned()
            return
        pause_s = None if stop.is_set() else tailer.turn()
        del tailer
        if pause_s is None:
            return
        if pause_s:
            stop.wait(pause_s)
