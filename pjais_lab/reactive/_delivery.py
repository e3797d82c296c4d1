"""Calling observers: one at a time, each by itself, none after its owner was closed."""

from __future__ import annotations

import logging
import threading
import warnings
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from traitlets import Bunch

from pjais_lab.errors import FeedbackLoopError
from pjais_lab.reactive._errors import ObserverWarning
from pjais_lab.reactive._weak import WeakBag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pjais_lab.reactive._cell import Cell, Change

__all__ = ["Feedback", "Outbox", "close_gate", "deliver", "ping"]

Outbox = dict["Cell", list["Change"]]

_LOG: Final = logging.getLogger("pjais_lab.observers")
_LOG.addHandler(logging.NullHandler())  # the warning is what a user sees unless logging is set up
_GATE: Final = threading.Condition()
_RUNNING: Final[dict[int, Cell]] = {}
_CLOSE_WAIT_S: Final = 2.0
_CHAIN_SHOWN: Final = 6


def deliver(cell: Cell, callback: Callable[..., Any], event: Bunch) -> None:
    """Call one observer. What it raises is logged, shown as a warning, and stops nobody.

    Args:
        cell: whose observer it is.
        callback: the observer.
        event: what it is told.
    """
    me = threading.get_ident()
    with _GATE:
        if cell.is_closed:
            return
        outer = _RUNNING.get(me)
        _RUNNING[me] = cell
    try:
        callback(event)
    except BaseException as error:  # noqa: BLE001 - the hub's thread outlives whatever it is
        _report(cell, error)
    finally:
        with _GATE:
            if outer is None:
                del _RUNNING[me]
            else:
                _RUNNING[me] = outer
            _GATE.notify_all()


def close_gate(cell: Cell) -> None:
    """Let no further callback of the cell start, and wait for the one that runs elsewhere."""
    me = threading.get_ident()
    with _GATE:
        cell.is_closed = True

        def is_idle() -> bool:
            return all(c is not cell for t, c in _RUNNING.items() if t != me)

        if me not in _RUNNING:  # an observer that closes another's node must not wait for it
            _GATE.wait_for(is_idle, _CLOSE_WAIT_S)


def running() -> Cell | None:
    """The cell whose observer this thread is in."""
    return _RUNNING.get(threading.get_ident())


def ping(outbox: Outbox) -> int:
    """Notify the observers of every change, inputs first; gives the number of changes told."""
    told = 0
    for cell in sorted(outbox, key=lambda c: c.order):
        face = cell.face
        if face is None:
            continue
        for change in outbox[cell]:
            told += not change.is_quiet
            face.notify_change(
                Bunch(
                    name=change.name,
                    old=change.old,
                    new=change.new,
                    owner=face,
                    type="change",
                    is_quiet=change.is_quiet,
                )
            )
    return told


def _report(cell: Cell, error: BaseException) -> None:
    msg = f"An observer of {cell.label} raised {type(error).__name__}: {error}"
    _LOG.error("%s", msg, exc_info=error)
    try:
        warnings.warn(f"{msg}. The other observers ran; commits stay.", ObserverWarning, stacklevel=2)
    except ObserverWarning:
        return  # warnings are errors here, and there is nobody to raise to


class Feedback:
    """Notices when observers keep answering commits with commits.

    Args:
        limit: how many rounds in a row only observers may cause.

    Attributes:
        depth: how many it has been.
    """

    def __init__(self, limit: int) -> None:
        self.depth = 0
        self._limit = limit
        self._chain: deque[str] = deque(maxlen=_CHAIN_SHOWN)
        self._suspects: WeakBag[Cell] = WeakBag()
        self._held: WeakBag[Cell] = WeakBag()

    def begin(self, causes: Iterable[Cell | None], *, is_external: bool) -> None:
        """Start a round.

        Args:
            causes: the cells whose observers committed since the last one.
            is_external: something else had a part in it.
        """
        cells = [c for c in causes if c is not None]
        if is_external or not cells:
            self.depth = 0
            self._chain.clear()
            self._suspects = WeakBag()
            return
        self.depth += 1
        for cell in cells:
            self._suspects.add(cell)
            self._chain.append(cell.label)

    def settle(self, outbox: Outbox, *, is_external: bool) -> None:
        """Hold back the observers of a loop; let those held back go on when something else happens."""
        if is_external:
            for cell in self._held:
                _release(cell, outbox)
            self._held = WeakBag()
        error = self._loop() if self.depth > self._limit else None
        for cell in list(outbox):
            if error is not None and cell.loop is None and cell in self._suspects:
                cell.loop = error
                self._held.add(cell)
                status = cell.put_status(outbox_position(outbox[cell]))
                _hold(cell, outbox)
                outbox[cell] = [*status, *outbox[cell]]
            elif cell.loop is not None:
                _hold(cell, outbox)

    def _loop(self) -> FeedbackLoopError:
        chain = " -> ".join(self._chain)
        msg = f"Observers answered commits with commits {self.depth} times in a row: {chain}."
        hint = "The events stay. Let the observer commit only when there is something new to say."
        return FeedbackLoopError(msg, hint=hint, chain=tuple(self._chain))
