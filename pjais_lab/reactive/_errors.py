"""Errors and warnings that need traitlets, and exceptions kept without the frames they came from."""

from __future__ import annotations

import difflib
from typing import TypeVar

from traitlets import HasTraits, TraitError

from pjais_lab.errors import LabError, LiveQueryError, ReactiveError

__all__ = [
    "ObserverWarning",
    "ReadOnlyTraitError",
    "UnknownTraitError",
    "kept",
    "place_of",
    "stripped",
    "unknown_trait",
]


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


def unknown_trait(owner: HasTraits, name: object) -> UnknownTraitError:
    """The error for a trait that ``owner`` lacks, with the nearest one it has."""
    names = sorted(owner.trait_names())
    near = difflib.get_close_matches(str(name), names, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"It has {', '.join(names)}."
    msg = f"{type(owner).__name__} has no trait {name!r} to observe."
    return UnknownTraitError(msg, hint=hint, trait=name)


def place_of(error: BaseException) -> tuple[str, int]:
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
