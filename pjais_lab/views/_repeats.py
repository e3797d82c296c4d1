"""Requests that come another time, because a page has waited in vain: what changes something acts once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Final

import msgspec

from pjais_lab.errors import ViewError

__all__ = ["OutrunError", "Repeats", "Request"]

_KEPT: Final = 1_000
Who = tuple[str, str, int]


class Request(msgspec.Struct, frozen=True):
    """What a page asks.

    Attributes:
        who: the page, the view, and what counts the questions: of the page, or in marimo of the view.
        op: the operation.
        channel: the view and the channel; of these only the newest is answered.
        line: what is asked in the same line runs one after the other, and none is left out; empty
            for what changes nothing.
        is_again: the page has heard nothing of it, and asks it another time.
        is_outrun: it has asked something newer on the same channel since.
    """

    who: Who
    op: str
    channel: tuple[str, str]
    line: str = ""
    is_again: bool = False
    is_outrun: bool = False


class OutrunError(ViewError):
    """Something newer was asked, so that nobody waits for this any more; no page shows it as a failure."""


class Repeats:
    """Which requests are under way, and how those ended that changed something.

    A request or its answer can be lost: JupyterLab drops what it has not sent yet when a kernel
    restarts, ZMQ what it cannot send in time. What changes nothing just runs again. What changes
    something never does: if it ran, its outcome is told again; if it never came, the page is told
    so, and it is not run when it comes late, for the user may have done it again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[Who] = set()
        self._ended: OrderedDict[Who, dict[str, Any]] = OrderedDict()
        self._again: OrderedDict[Who, None] = OrderedDict()

    def begin(self, request: Request) -> dict[str, Any] | None:
        """Note a request.

        Returns:
            None when it must run now; else what it is answered with, nothing if that is empty.
        """
        who = request.who
        with self._lock:
            if who in self._under_way:
                return {"working": True}
            if not request.is_again and who in self._again:
                return {}
            if request.is_again:
                _keep(self._again, who, None)
                if request.line:
                    outcome = self._ended.get(who, _lost(request.op))
                    _keep(self._ended, who, outcome)
                    return outcome
                if request.is_outrun:
                    return {"superseded": True}
            self._under_way.add(who)
            return None

    def end(self, request: Request, outcome: dict[str, Any]) -> None:
        """It has run; before its answer is sent."""
        who = request.who
        with self._lock:
            self._under_way.discard(who)
            if request.line:
                _keep(self._ended, who, outcome)


def _lost(op: str) -> dict[str, Any]:
    words = op.replace("_", " ")
    return {
        "error": f"ViewError: '{words}' did not reach the kernel, nothing changed. Do it again."
    }


def _keep(some: OrderedDict[Who, Any], who: Who, value: Any) -> None:
    """Put it in as the newest; the oldest are forgotten."""
    some[who] = value
    some.move_to_end(who)
    if len(some) > _KEPT:
        some.popitem(last=False)
