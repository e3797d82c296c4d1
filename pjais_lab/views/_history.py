"""What was done from a view, to be taken back and done again, the newest first."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec

from pjais_lab.errors import (
    BusyError,
    ClockSkewError,
    ClosedError,
    DiskFullError,
    LabError,
    LeaseLostError,
)
from pjais_lab.views._acts import Cancelled, Done, Run, Span

__all__ = ["Doing", "History", "Step"]

_KEPT: Final = 50
_LONGEST_SAID: Final = 80
_NOTHING: Final = "Nothing was changed."
_PASSING: Final = (
    BusyError,
    ClockSkewError,
    ClosedError,
    DiskFullError,
    LeaseLostError,
    OSError,
)
"""Says nothing of what was to be done: the same may go well another time."""


class Step(msgspec.Struct):
    """An act that was done.

    Attributes:
        name: which act.
        arguments: its arguments.
        python: the call that does the same; empty if there is none.
        said: what it did, in a few words.
        undo: takes it back.
        span: its events in the log; None when that is not known.
        settled: the places of those after it that were taken back, and of what took them back.
    """

    name: str
    arguments: dict[str, Any]
    python: str = ""
    said: str = ""
    undo: Callable[[Run], str] | None = None
    span: Span | None = None
    settled: list[Span] = []


class Doing(msgspec.Struct, frozen=True):
    """What is about to be done: an act, an undo or a redo.

    Attributes:
        work: does it.
        keep: writes it into the history.
        drop: takes out of the history what could not be done; gives the words for that.
        python: the call that does the same.
    """

    work: Callable[[Run], Done]
    keep: Callable[[Run, Done], None]
    drop: Callable[[], str] = str
    python: str = ""

    def ended(self, run: Run, done: Done | Exception) -> dict[str, Any]:
        """Write into the history what came of it; gives what the bar says."""
        if isinstance(done, Exception):
            is_failed = not isinstance(done, Cancelled)
            said = self._failed(done) if is_failed else f"{run.title} was cancelled. {_NOTHING}"
            return {"said": said, "failed": is_failed, "python": self.python or None}
        self.keep(run, done)
        return {"said": done.said, "failed": False, "python": self.python or None}

    def _failed(self, error: Exception) -> str:
        what, hint = f"{type(error).__name__}: {error}", None
        if isinstance(error, LabError):
            what, hint = error.message, error.hint
        lost = None if isinstance(error, _PASSING) else self.drop()
        return " ".join(filter(None, [what, _NOTHING, hint, lost]))


class History:
    """The last acts that can be taken back, and those that were and can be done again.

    A new act forgets what could be done again. What is refused, because somebody has changed the
    same things since, is left out; the one before it is then the next, and decides for itself.
    Not thread-safe: the view that has it holds its lock.
    """

    def __init__(self) -> None:
        self._undos: deque[Step] = deque(maxlen=_KEPT)
        self._redos: list[Step] = []

    @property
    def undo(self) -> Step | None:
        """What would be taken back next."""
        return self._undos[-1] if self._undos else None

    @property
    def redo(self) -> Step | None:
        """What would be done again next."""
        return self._redos[-1] if self._redos else None

    def acting(self, step: Step, work: Callable[[Run], Done]) -> Doing:
        """A new act."""

        def keep(run: Run, done: Done) -> None:
            self._redos.clear()
            self._push(step, run, done)

        return Doing(work, keep, python=step.python)

    def undoing(self, step: Step) -> Doing:
        """Take the newest back."""
        undo = step.undo

        def work(run: Run) -> Done:
            run.settled = tuple(step.settled)
            return Done(undo(run) if undo is not None else _NOTHING)

        def keep(run: Run, _done: Done) -> None:
            self._undos.pop()
            pair = [step.span, run.span] if step.span and run.span else []
            self._settle([*step.settled, *filter(None, pair)])
            self._redos.append(step)

        def drop() -> str:
            self._undos.pop()
            self._settle(step.settled)
            return f"“{step.said}” can be undone no more."

        return Doing(work, keep, drop)

    def redoing(self, step: Step, work: Callable[[Run], Done]) -> Doing:
        """Do again what was taken back last."""

        def keep(run: Run, done: Done) -> None:
            self._redos.pop()
            self._push(Step(step.name, step.arguments, step.python), run, done)

        def drop() -> str:
            self._redos.pop()
            return f"“{step.said}” can be redone no more."

        return Doing(work, keep, drop, step.python)

    def _push(self, step: Step, run: Run, done: Done) -> None:
        if done.undo is not None:
            step.said, step.undo, step.span = _short(done.said), done.undo, run.span
            self._undos.append(step)

    def _settle(self, spans: list[Span]) -> None:
        """What was just taken back counts for nothing when the one before it is taken back."""
        if not self._undos:
            return
        settled = self._undos[-1].settled
        for first, last in spans:
            if settled and settled[-1][1] + 1 == first:
                settled[-1] = settled[-1][0], last
            else:
                settled.append((first, last))


def _short(said: str) -> str:
    words = said.rstrip(".")
    return words if len(words) <= _LONGEST_SAID else f"{words[:_LONGEST_SAID]}…"
