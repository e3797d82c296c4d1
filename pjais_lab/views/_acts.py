"""Acts: what somebody does to a lab from a view, by the commands that code uses.

A view derives from ``ActingView`` and marks methods::

    class Books(pj.views.ActingView):
        def _asks(self, *, ids: list[str]) -> pj.views.Question:
            return pj.views.Question("Burn them?", [f"{len(ids)} books leave the shelf."], "Burn")

        @pj.views.act("Burn…", asks=_asks, destroys=True)
        def burn(self, run: pj.views.Run, *, ids: list[str], why: str = "") -> pj.views.Done:
            drafts = [BookBurnt(why).on(entity=i) for i in run.each(ids)]
            done = self.lab.commit(*drafts, key=run.key)
            return pj.views.Done(
                f"Burnt {len(ids)} books.", undo=lambda run: self._unburn(run, done)
            )

An act makes one commit, so that all of it happens or nothing. ``run.each`` says how far it is and
stops when the user cancels, by an exception that must pass; ``run.key`` is the commit's idempotency
key, so that a request that comes twice acts once. It runs in a thread of its own. What the browser
does not give (``why``) becomes a field of the dialog: ``Literal`` a choice, ``str`` text, a number,
``bool`` a box. In the browser ``<ActButton acts name given>`` begins one and ``<Acts>`` shows the
dialog, the progress and the undo bar.
"""

from __future__ import annotations

import inspect
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, TypeVar, cast
from uuid import uuid4

import msgspec

from pjais_lab.core.spelling import near
from pjais_lab.errors import LabError, ViewError
from pjais_lab.views._base import View
from pjais_lab.views._fields import Field, fields_of
from pjais_lab.views._requests import answer, arguments

__all__ = ["Act", "ActingView", "Done", "Question", "Run", "act"]

_F = TypeVar("_F", bound=Callable[..., Any])
_T = TypeVar("_T")
_MARK: Final = "_pjais_act"
_REMEMBERED: Final = 100
_STEP: Final = 50
_NOTHING: Final = "Nothing was changed."


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
        said: in one sentence.
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
    """

    def __init__(self, key: str, title: str, tell: Callable[[], None]) -> None:
        self.key = key
        self.title = title
        self.done = self.of = 0
        self.can_cancel = True
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

    def cancel(self) -> None:
        """Stop before the next thing; too late once all of them are done."""
        self._is_cancelled = self.can_cancel

    def shown(self) -> dict[str, Any]:
        """As the browser shows it."""
        return {n: getattr(self, n) for n in ("title", "done", "of", "can_cancel")}


class ActingView(View):
    """A view from which somebody acts; see ``pjais_lab.views._acts``.

    Args:
        title: what is written above it.
    """

    acts: ClassVar[Mapping[str, Act]] = {}

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._acting = threading.Lock()
        self._run: Run | None = None
        self._known: deque[str] = deque(maxlen=_REMEMBERED)
        self._last: dict[str, Any] | None = None
        self._undo: tuple[str, Callable[[Run], str]] | None = None
        self.tell_acts()

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Collect what is marked with ``act``."""
        super().__init_subclass__(**keywords)
        own = {n: f for n, f in vars(cls).items() if hasattr(f, _MARK)}
        if own:
            cls.acts = {
                **cls.acts,
                **{n: _collected(f, f"{cls.__name__}.{n}") for n, f in own.items()},
            }

    # ------------------------------------------------------------ what the browser asks
    @answer
    def ask_act(self, *, name: str, given: dict[str, Any]) -> dict[str, Any]:
        """What a dialog asks; ``token`` stands for the act that may follow, once.

        Raises:
            ViewError: there is no such act, it cannot be done now, or what was given does not fit.
        """
        found = self._able(name)
        question = None
        if found.asks is not None:
            known = list(inspect.signature(found.asks).parameters.values())[1:]
            have = self._checked(name, found.given, given)
            lacking = [p.name for p in known if p.default is p.empty and p.name not in have]
            if lacking:
                msg = f"The act {name!r} was asked for without {lacking[0]!r}."
                raise ViewError(msg, act=name)
            question = found.asks(self, **{p.name: have[p.name] for p in known if p.name in have})
        return {
            "token": uuid4().hex,
            "question": None if question is None else msgspec.to_builtins(question),
            "fields": [msgspec.to_builtins(f) for f in found.fields if f.name not in given],
            "destroys": found.destroys,
            "has_python": found.python is not None,
        }

    @answer
    def start_act(self, *, name: str, given: dict[str, Any], token: str) -> bool:
        """Act in a thread of its own; False when this very act was begun before.

        Raises:
            ViewError: there is no such act, its arguments do not fit, it cannot be done now, or
                another one is still running.
        """
        found = self._able(name)
        arguments_ = self._checked(name, found.checks, given)
        function = getattr(self, name)

        def work(run: Run) -> Done:
            return cast("Done", function(run, **arguments_))

        return self._start(token, found.title.rstrip("…"), work)

    @answer
    def undo_act(self, *, token: str) -> bool:
        """Take the last act back; False when that was begun before.

        Raises:
            ViewError: another act is still running.
        """
        with self._acting:
            known = self._undo
        if known is None or known[0] != token:
            return False
        return self._start(token, "Undo", lambda run: Done(known[1](run)))

    @answer
    def cancel_act(self) -> None:
        """Stop what is running, if it still can be."""
        run = self._run
        if run is not None:
            run.cancel()
            self.tell_acts()

    @answer
    def dismiss_act(self) -> None:
        """Take the bar away, and with it the way back."""
        with self._acting:
            self._last = self._undo = None
        self.tell_acts()

    @answer
    def act_python(self, *, name: str, given: dict[str, Any]) -> str:
        """The call that does the same as an act.

        Raises:
            ViewError: there is no such act or call, or the arguments do not fit.
        """
        found = self._found(name)
        if found.python is None:
            msg = f"{found.title!r} has no call in Python."
            raise ViewError(msg, act=name)
        return found.python(self, **self._checked(name, found.checks, given))

    # ------------------------------------------------------------ how it works
    def tell_acts(self) -> None:
        """What can be done, or is being done, may have changed."""
        self.put_later("acts", self._acts_state)

    def _found(self, name: str) -> Act:
        found = self.acts.get(name)
        if found is None:
            msg = f"{type(self).__name__} has no act {name!r}."
            raise ViewError(msg, hint=near(name, self.acts), act=name)
        return found

    def _able(self, name: str) -> Act:
        found = self._found(name)
        reason = found.refuses(self) if found.refuses is not None else None
        if reason is not None:
            raise ViewError(reason, act=name)
        return found

    @staticmethod
    def _checked(name: str, kind: type[Any], given: dict[str, Any]) -> dict[str, Any]:
        try:
            found = msgspec.structs.asdict(msgspec.convert(given, kind))
        except msgspec.ValidationError as error:
            msg = f"The act {name!r} was asked for wrongly: {error}."
            raise ViewError(msg, act=name) from error
        return {n: v for n, v in found.items() if v is not msgspec.UNSET}

    def _start(self, token: str, title: str, work: Callable[[Run], Done]) -> bool:
        with self._acting:
            if token in self._known:
                return False
            if self._run is not None:
                msg = f"{self._run.title!r} is still running."
                raise ViewError(msg, hint="Wait for it, or cancel it.")
            self._known.append(token)
            run = self._run = Run(token, title, self.tell_acts)
            self._last = self._undo = None
        self.tell_acts()
        threading.Thread(target=self._act, args=(run, work), name="pjais-act", daemon=True).start()
        return True

    def _act(self, run: Run, work: Callable[[Run], Done]) -> None:
        undo, is_failed = None, False
        try:
            done = work(run)
            said, undo = done.said, done.undo
        except Cancelled:
            said = f"{run.title} was cancelled. {_NOTHING}"
        except LabError as error:
            said = " ".join(filter(None, [error.message, _NOTHING, error.hint]))
            is_failed = True
        except Exception as error:  # noqa: BLE001 - shown where it belongs
            said, is_failed = f"{type(error).__name__}: {error} {_NOTHING}", True
        token = uuid4().hex
        with self._acting:
            self._run = None
            self._undo = (token, undo) if undo is not None else None
            self._last = {"said": said, "failed": is_failed, "undo": token if undo else None}
        self.tell_acts()

    def _acts_state(self) -> dict[str, Any]:
        run = self._run
        offered = {
            name: {
                "title": found.title,
                "destroys": found.destroys,
                "refused": found.refuses(self) if found.refuses is not None else None,
            }
            for name, found in self.acts.items()
        }
        return {"acts": offered, "run": run.shown() if run else None, "last": self._last}


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
