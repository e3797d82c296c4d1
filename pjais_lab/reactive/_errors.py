"""Errors and warnings that need traitlets, and exceptions kept without the frames they came from."""

from __future__ import annotations

from typing import TypeVar

from traitlets import TraitError

from pjais_lab.errors import LabError, LiveQueryError, ReactiveError

__all__ = ["ObserverWarning", "ReadOnlyTraitError", "kept", "stripped"]


class ReadOnlyTraitError(ReactiveError, TraitError, TypeError):
    """A trait that follows the log was assigned to."""


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


_E = TypeVar("_E", bound=BaseException)


def stripped(error: _E) -> _E:
    """The error without the frames it came through, which would keep their objects alive."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error
