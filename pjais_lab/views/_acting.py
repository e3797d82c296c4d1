"""The base of views from which somebody acts: it asks, runs one act at a time, and keeps the way back."""

from __future__ import annotations

import inspect
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, cast
from uuid import uuid4

import msgspec

from pjais_lab.core.spelling import near
from pjais_lab.errors import LabError, ViewError
from pjais_lab.views._acts import Act, Cancelled, Done, Run, acts_of
from pjais_lab.views._base import View
from pjais_lab.views._requests import answer

__all__ = ["ActingView"]

_REMEMBERED: Final = 100
_LONGEST_CODE: Final = 20_000
_LONGEST_TOKEN: Final = 100
_NOTHING: Final = "Nothing was changed."


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

        code = found.python(self, **arguments_) if found.python is not None else ""
        code = code if len(code) <= _LONGEST_CODE else ""
        return self._start(token, found.title.rstrip("…"), work, code)

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

    def _start(self, token: str, title: str, work: Callable[[Run], Done], code: str = "") -> bool:
        with self._acting:
            if token in self._known:
                return False
            if self._run is not None:
                msg = f"{self._run.title!r} is still running."
                raise ViewError(msg, hint="Wait for it, or cancel it.")
            self._known.append(token)
            run = self._run = Run(f"act-{token[:_LONGEST_TOKEN]}", title, self.tell_acts)
            self._last = self._undo = None
        self.tell_acts()
        threading.Thread(
            target=self._act, args=(run, work, code), name="pjais-act", daemon=True
        ).start()
        return True

    def _act(self, run: Run, work: Callable[[Run], Done], code: str) -> None:
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
            self._last = {
                "said": said,
                "failed": is_failed,
                "undo": token if undo else None,
                "python": code or None,
            }
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
