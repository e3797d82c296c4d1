"""The base of views from which somebody acts: it asks, runs one act at a time, and keeps the ways back."""

from __future__ import annotations

import inspect
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final
from uuid import uuid4

import msgspec

from pjais_lab.core.spelling import near
from pjais_lab.errors import LabError, ViewError
from pjais_lab.reactive import threads
from pjais_lab.views._acts import Act, Done, Run, acts_of
from pjais_lab.views._base import View
from pjais_lab.views._history import Doing, History, Step
from pjais_lab.views._requests import answer

__all__ = ["ActingView"]

_REMEMBERED: Final = 100
_LONGEST_CODE: Final = 20_000
_LONGEST_TOKEN: Final = 100


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
        self._history = History()
        self._turn = ""  # what Undo and Redo must name, so that each is begun once
        self.tell_acts()

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Collect what is marked with ``act``."""
        super().__init_subclass__(**keywords)
        own = acts_of(cls)
        if own:
            cls.acts = {**cls.acts, **own}

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
            have = _checked(name, found.given, given)
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
        arguments_ = _checked(name, found.checks, given)
        code = found.python(self, **arguments_) if found.python is not None else ""
        step = Step(name, arguments_, code if len(code) <= _LONGEST_CODE else "")
        doing = self._history.acting(step, self._work(step))
        return self._start(token, found.title.rstrip("…"), lambda: doing)

    @answer
    def undo_act(self, *, token: str) -> bool:
        """Take the newest act back; False when that was begun before, or is no longer offered.

        Raises:
            ViewError: another act is still running.
        """

        def choose() -> Doing | None:
            step = self._history.undo if token == self._turn else None
            return None if step is None else self._history.undoing(step)

        return self._start(token, "Undo", choose)

    @answer
    def redo_act(self, *, token: str) -> bool:
        """Do again what was undone last; False when that was begun before, or is not offered.

        Raises:
            ViewError: another act is still running, or it cannot be done now.
        """
        with self._acting:
            step = self._history.redo if token == self._turn else None
        if step is None:
            return False
        reason = _refuses_again(self, step)
        if reason is not None:
            raise ViewError(reason, act=step.name)

        def choose() -> Doing | None:
            if token != self._turn:
                return None
            return self._history.redoing(step, self._work(step))

        return self._start(token, "Redo", choose)

    @answer
    def cancel_act(self) -> None:
        """Stop what is running, if it still can be."""
        run = self._run
        if run is not None:
            run.cancel()
            self.tell_acts()

    @answer
    def dismiss_act(self) -> None:
        """Take the bar away. The history stays: Ctrl+Z undoes as before, and the bar comes back."""
        with self._acting:
            self._last = None
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
        return found.python(self, **_checked(name, found.checks, given))

    # ------------------------------------------------------------ how it works
    def tell_acts(self) -> None:
        """What can be done, or is being done, may have changed."""
        self.put_later("acts", self._acts_state)

    @property
    def has_redo(self) -> bool:
        """Whether something was undone that may be done again."""
        return self._history.redo is not None

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

    def _work(self, step: Step) -> Callable[[Run], Done]:
        function = getattr(self, step.name)

        def work(run: Run) -> Done:
            done = function(run, **step.arguments)
            if not isinstance(done, Done):
                msg = f"The act {step.name!r} gave {done!r}; expected a Done."
                raise TypeError(msg)
            return done

        return work

    def _start(self, token: str, title: str, choose: Callable[[], Doing | None]) -> bool:
        with self._acting:
            doing = None if token in self._known else choose()
            if doing is None:
                return False
            if self._run is not None:
                msg = f"{self._run.title!r} is still running."
                raise ViewError(msg, hint="Wait for it, or cancel it.")
            run = Run(f"act-{token[:_LONGEST_TOKEN]}", title, self.tell_acts)
            _begin(run, lambda: self._act(run, doing))
            self._known.append(token)
            self._run, self._last, self._turn = run, None, ""
        self.tell_acts()
        return True

    def _act(self, run: Run, doing: Doing) -> None:
        done: Done | Exception
        try:
            done = doing.work(run)
        except Exception as error:  # noqa: BLE001 - shown where it belongs
            done = error
        with self._acting:
            self._last = doing.ended(run, done)
            self._run, self._turn = None, uuid4().hex
        self.tell_acts()

    def _acts_state(self) -> dict[str, Any]:
        with self._acting:
            run, last, turn = self._run, self._last, self._turn
            undo, redo = self._history.undo, self._history.redo
        again = redo if run is None else None
        return {
            "acts": {name: _offered(self, found) for name, found in self.acts.items()},
            "run": run.shown() if run else None,
            "last": last,
            "turn": turn,
            "undo": {"said": undo.said} if undo else None,
            "redo": {"said": again.said, "refused": _refuses_again(self, again)} if again else None,
        }


def _begin(run: Run, work: Callable[[], None]) -> None:
    """Act in a thread of its own, for which the end of the interpreter waits.

    Raises:
        ViewError: the interpreter is ending, or has no thread to give.
    """
    try:
        is_begun = threads.begin(work, "pjais-act", cancel=run.cancel)
    except RuntimeError as error:
        msg = f"{run.title!r} could not begin: {error}."
        raise ViewError(msg, hint="Try it again, or restart the kernel.") from error
    if not is_begun:
        msg = "The kernel is shutting down."
        raise ViewError(msg, hint="Act again when it runs.")


def _checked(name: str, kind: type[Any], given: dict[str, Any]) -> dict[str, Any]:
    try:
        found = msgspec.structs.asdict(msgspec.convert(given, kind))
    except msgspec.ValidationError as error:
        msg = f"The act {name!r} was asked for wrongly: {error}."
        raise ViewError(msg, act=name) from error
    return {n: v for n, v in found.items() if v is not msgspec.UNSET}


def _offered(view: ActingView, found: Act) -> dict[str, Any]:
    refused = found.refuses(view) if found.refuses is not None else None
    return {"title": found.title, "destroys": found.destroys, "refused": refused}


def _refuses_again(view: ActingView, step: Step) -> str | None:
    """Why what was undone cannot be done again now; None when it can."""
    found = view.acts[step.name]
    try:
        reason = found.refuses(view) if found.refuses is not None else None
        if reason is None and found.asks is not None:
            known = list(inspect.signature(found.asks).parameters)[1:]
            found.asks(view, **{n: step.arguments[n] for n in known if n in step.arguments})
    except LabError as error:
        return error.message
    except Exception as error:  # noqa: BLE001 - shown where it belongs
        return f"{type(error).__name__}: {error}"
    return reason
