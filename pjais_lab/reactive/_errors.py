"""Errors and warnings that need traitlets, and exceptions kept without the frames they came from."""

from __future__ import annotations

import difflib
import logging
import warnings
from typing import Any, Final, TypeVar

from traitlets import All, HasTraits, TraitError

from pjais_lab.errors import LabError, LiveQueryError, ReactiveError

__all__ = [
    "ObserverWarning",
    "ReadOnlyTraitError",
    "UnknownTraitError",
    "check_traits",
    "kept",
    "report",
    "stripped",
]

_LOG: Final = logging.getLogger("pjais_lab.observers")
_LOG.addHandler(logging.NullHandler())  # the warning is what a user sees unless logging is set up
_WARNED: Final[dict[Any, Any]] = {}


class ReadOnlyTraitError(ReactiveError, TraitError, TypeError):
    """A trait that follows the log was assigned to."""


class UnknownTraitError(ReactiveError, TraitError, AttributeError):
    """A trait that does not exist was to be observed."""


class ObserverWarning(UserWarning):
    """An observer raised; the others were called all the same."""


def kept(error: BaseException, label: str) -> Exception:
    """A query's error as it is stored: always one of ours.

    Args:
        error: what was raised.
        label: the query, for the message.
    """
    bare = stripped(error)
    if isinstance(bare, LabError):
        return bare
    made = LiveQueryError(f"{label} raised {type(bare).__name__}: {bare}.")
    made.__cause__ = bare
    return made


def check_traits(owner: HasTraits, names: Any) -> None:
    """Refuse to observe a trait that ``owner`` lacks.

    Args:
        owner: what has traits.
        names: what ``observe`` was given: a name, several, or all.

    Raises:
        UnknownTraitError: names the nearest one that it has.
    """
    for name in [names] if isinstance(names, str) else names if names is not All else ():
        if name is not All and not owner.has_trait(name):
            known = sorted(owner.trait_names())
            msg = f"{type(owner).__name__} has no trait {name!r} to observe."
            alike = difflib.get_close_matches(str(name), known, 1)
            hint = f"Did you mean {alike[0]!r}?" if alike else f"It has {', '.join(known)}."
            raise UnknownTraitError(msg, hint=hint, trait=name)


def report(error: BaseException, what: str, after: str) -> None:
    """Tell the user of an observer's error, at the observer's place, and go on.

    Args:
        error: what it raised.
        what: what it observes.
        after: what stays as it is in spite of it.
    """
    said = f"{type(error).__name__}: {error}".rstrip(".: ")
    msg = f"An observer of {what} raised {said}"
    _LOG.error("%s", msg, exc_info=error)
    text = f"{msg}. The other observers ran; {after}."
    try:
        warnings.warn_explicit(text, ObserverWarning, *_place_of(error), registry=_WARNED)
    except ObserverWarning:
        return  # warnings are errors here, and there is nobody to raise to


def _place_of(error: BaseException) -> tuple[str, int]:
    """File and line of the observer that an error came through: the frame below ours."""
    trace = error.__traceback__
    trace = trace.tb_next if trace is not None and trace.tb_next is not None else trace
    return (
        ("<observer>", 1) if trace is None else (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
    )


_E = TypeVar("_E", bound=BaseException)


def stripped(error: _E) -> _E:
    """The error without the frames it came through, which would keep their objects alive."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error
