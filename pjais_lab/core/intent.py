"""What a caller says about a commit besides its events, checked before anything is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from pjais_lab.core.event import id_of
from pjais_lab.errors import RejectedError

__all__ = ["check_actor", "check_commit", "given_by"]

_ACTOR: Final = re.compile(r"[a-z]+:[^\s\0\ud800-\udfff][^\0\ud800-\udfff]{0,198}")
_KEY: Final = re.compile(r"[^\0\ud800-\udfff]{1,200}", re.DOTALL)


def check_commit(
    *,
    expected: object = None,
    key: object = None,
    actor: object = None,
    cause: Any = None,
) -> None:
    """Refuse what the journal could not hold or would never match.

    Args:
        expected: the position the log must still have.
        key: the idempotency key.
        actor: who commits.
        cause: the id of the event that is answered.

    Raises:
        RejectedError: one of them is not what it should be.

    >>> check_commit(expected=7, key="import-1", actor="user:ada")
    """
    if expected is not None and type(expected) is not int:
        msg = f"The expected position {expected!r} is not a whole number."
        raise RejectedError(msg, hint="Take it from lab.position.", expected=expected)
    if key is not None and not (isinstance(key, str) and _KEY.fullmatch(key)):
        msg = f"The idempotency key {_short(key)} is not text of 1 to 200 characters."
        raise RejectedError(msg, key=key)
    if cause is not None:
        id_of(cause, "cause")
    check_actor(actor)


def check_actor(actor: object) -> None:
    """Refuse an actor that does not say what and who it is.

    Args:
        actor: ``user:ada``, ``plugin:weather``, ``import:csv``; None for the default.

    Raises:
        RejectedError: it has another form.
    """
    if actor is not None and not (isinstance(actor, str) and _ACTOR.fullmatch(actor)):
        msg = f"The actor {_short(actor)} does not say what and who it is; expected 'user:ada'."
        raise RejectedError(msg, hint="Begin with user:, plugin: or import:.", actor=actor)


def given_by(item: Any) -> Any:
    """An item of a commit; a command is held to giving events.

    Args:
        item: an event, a draft, or a command.

    Raises:
        RejectedError: an event's class instead of an event.
    """
    if isinstance(item, type):
        msg = f"{item.__name__} is a class; expected an event of it."
        raise RejectedError(msg, hint=f"Make one with {item.__name__}(...).")
    if not callable(item):
        return item
    command: Callable[[Any], Any] = item

    def decide(store: Any) -> Iterable[Any]:
        found = command(store)
        if isinstance(found, (str, dict)) or not isinstance(found, Iterable):
            msg = f"The command gave {_short(found)}; expected a list of events or drafts."
            raise RejectedError(msg, hint="Return [] to commit nothing.")
        return found

    return decide


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
