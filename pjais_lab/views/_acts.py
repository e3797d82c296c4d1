"""Acts: what somebody does to a lab from a view, by the commands that code uses.

A view derives from ``ActingView`` and marks methods::

    class Books(pj.views.ActingView):
        def _asks(self, *, ids: list[str]) -> pj.views.Question:
            return pj.views.Question("Burn them?", [f"{len(ids)} books leave the shelf."], "Burn")

        @pj.views.act("Burn…", asks=_asks, destroys=True)
        def burn(self, run: pj.views.Run, *, ids: list[str], why: str = "") -> pj.views.Done:
            drafts = [BookBurnt(why).on(entity=i) for i in run.each(ids)]
            done = run.commit(self.lab, *drafts)
            return pj.views.Done(
                f"Burnt {len(ids)} books.", undo=lambda run: self._unburn(run, done)
            )

An act makes one commit, so that all of it happens or nothing. ``run.each`` says how far it is and
stops when the user cancels, by an exception that must pass; ``run.commit`` is the lab's own, with
``run.key`` as the idempotency key, so that a request that comes twice acts once.

The view keeps the ways back of its last fifty acts. Undo goes through them from the newest, each by
a commit of its own that looks under the write lock whether what it would change is still as the act
left it, and raises if not: that act then can be undone no more, and the one before it is the next.
Acts that were undone since have left nothing behind, so their events are no change: skip those that
``run.stands`` denies. What was undone can be redone, until something else is done: the same act with
the same arguments, as a new commit. It asks no second time, since it can be undone again. An act
without a way back is passed over; whether older ones can still be undone, they find out themselves.

It runs in a thread of its own. What the browser does not give (``why``) becomes a field of the
dialog: ``Literal`` a choice, ``str`` text, a number, ``bool`` a box; ``finds={"book": "find"}``
searches with the ``answer`` of that name. In the browser ``const acts = kit.useActs(view)``, then
``<${kit.ActButton} acts=${acts} name="burn" given=${{ ids }}
lacks=${ids.length ? null : "Pick books first."} />`` begins one, and
``<${kit.Acts} view=${view} acts=${acts} />`` shows the dialog, the progress and the bar with Undo and
Redo, which Ctrl+Z and Ctrl+Shift+Z or Ctrl+Y also do while the focus is in the view.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from pjais_lab.views._fields import Field, fields_of
from pjais_lab.views._requests import arguments

if TYPE_CHECKING:
    from pjais_lab.core.event import Draft, Event
    from pjais_lab.lab.lab import Lab
    from pjais_lab.lab.past import PastLab
    from pjais_lab.reactive.commit import Command, Commit

__all__ = ["Act", "Cancelled", "Done", "Question", "Run", "Span", "act", "acts_of"]

Span = tuple[int, int]
"""First and last place in the log."""
_F = TypeVar("_F", bound=Callable[..., Any])
_T = TypeVar("_T")
_MARK: Final = "_pjais_act"
_STEP: Final = 50


class Question(msgspec.Struct, frozen=True):
    """What a dialog asks before an act.

    Args:
        title: the question.
        lines: exactly what will happen to what, and what stays.
        confirm: the word on the button that does it.
    """

    title: str
    lines: Sequence[str] = ()
    confirm: str = "Go on"


class Done(msgspec.Struct, frozen=True):
    """What an act has done.

    Args:
        said: in one sentence; Undo and Redo show it as what they would take back or do again.
        undo: does the exact inverse, or raises when what it would change has changed meanwhile;
            gives the sentence that says so. None when no event takes the act back.
    """

    said: str
    undo: Callable[[Run], str] | None = None


class Act(msgspec.Struct, frozen=True):
    """An act of a kind of view.

    Attributes:
        title: the words on its button.
        checks: what its arguments must convert to.
        given: the same for some of them.
        fields: those that a dialog can ask for.
        asks: gives the question, of the arguments that the browser gave; None acts at once.
        refuses: why it cannot be done now; None when it can.
        python: the call that does the same.
        destroys: whether something is gone afterwards.
    """

    title: str
    checks: type[Any]
    given: type[Any]
    fields: tuple[Field, ...] = ()
    asks: Callable[..., Question | None] | None = None
    refuses: Callable[..., str | None] | None = None
    python: Callable[..., str] | None = None
    destroys: bool = False


def act(
    title: str,
    *,
    asks: Callable[..., Question | None] | None = None,
    refuses: Callable[..., str | None] | None = None,
    python: Callable[..., str] | None = None,
    finds: Mapping[str, str] | None = None,
    destroys: bool = False,
) -> Callable[[_F], _F]:
    """A decorator: the browser may do this, after asking.

    The method gets a ``Run`` and keywords with annotations, and gives a ``Done``.

    Args:
        title: the words on its button.
        asks: a function of the view and what the browser gave; its question stands in the dialog.
        refuses: a function of the view: why it cannot be done now. The button says so, and the
            kernel refuses.
        python: a function of the view and all arguments: the call that does the same.
        finds: argument -> the ``answer`` that finds values for it by a text.
        destroys: whether something is gone afterwards; the dialog's first button is then Cancel.
    """

    def mark(function: _F) -> _F:
        setattr(function, _MARK, (title, asks, refuses, python, dict(finds or {}), destroys))
        return function

    return mark


class Cancelled(Exception):  # noqa: N818 - no error: the user wants it so
    """The user has cancelled; it passes through the act, so that nothing is committed."""


class Run:
    """An act on its way.

    Attributes:
        key: idempotency key of its commit.
        title: what is done.
        done: how many things are done.
        of: of how many; 0 while that is not known.
        can_cancel: whether it still can be cancelled.
        span: first and last place in the log of what ``commit`` has stored.
        settled: such places of later acts that were undone, and of what undid them; for an undo.
    """

    def __init__(self, key: str, title: str, tell: Callable[[], None]) -> None:
        self.key = key
        self.title = title
        self.done = self.of = 0
        self.can_cancel = True
        self.span: Span | None = None
        self.settled: tuple[Span, ...] = ()
        self._tell = tell
        self._is_cancelled = False

    def each(self, things: Sequence[_T]) -> Iterator[_T]:
        """The things, one after the other; the user sees how far it is and may cancel until the last."""
        self.of = len(things)
        for n, thing in enumerate(things):
            if self._is_cancelled:
                raise Cancelled
            self.done = n
            if n % _STEP == 0:
                self._tell()
            yield thing
        self.done, self.can_cancel = self.of, False
        self._tell()
        if self._is_cancelled:
            raise Cancelled

    def commit(self, lab: Lab | PastLab, *items: Draft | Event | Command) -> Commit:
        """The act's one commit, as ``lab.commit`` makes it; a later undo knows its events by it.

        Raises:
            RejectedError: an event is wrong or does not fit the state; nothing was stored.
        """
        done: Commit = lab.commit(*items, key=self.key)
        if done.records:
            self.span = done.seq_first, done.seq_last
        return done

    def stands(self, seq: int) -> bool:
        """Whether an event, by its ``seq``, counts for an undo.

        False when a later act of this view stored it and was undone, or when it was that undo.
        """
        return not any(first <= seq <= last for first, last in self.settled)

    def cancel(self) -> None:
        """Stop before the next thing; too late once all of them are done."""
        self._is_cancelled = self.can_cancel

    def shown(self) -> dict[str, Any]:
        """As the browser shows it."""
        return {n: getattr(self, n) for n in ("title", "done", "of", "can_cancel")}


def acts_of(cls: type[Any]) -> dict[str, Act]:
    """What a class itself marks with ``act``."""
    own = {n: f for n, f in vars(cls).items() if hasattr(f, _MARK)}
    return {n: _collected(f, f"{cls.__name__}.{n}") for n, f in own.items()}


def _collected(function: Callable[..., Any], name: str) -> Act:
    title, asks, refuses, python, finds, destroys = getattr(function, _MARK)
    checks = arguments(function, name, given=2)
    signature = list(inspect.signature(function).parameters.values())[2:]
    fields = fields_of(checks, {p.name: finds.get(p.name, "") for p in signature})
    some: list[Any] = [
        (f.name, f.type | msgspec.UnsetType, msgspec.UNSET) for f in msgspec.structs.fields(checks)
    ]
    given = msgspec.defstruct(f"{name}?", some, kw_only=True, forbid_unknown_fields=True)
    return Act(title, checks, given, fields, asks, refuses, python, destroys)
