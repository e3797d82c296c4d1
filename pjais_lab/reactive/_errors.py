"""Errors and warnings that need traitlets, and exceptions kept without the frames they came from."""

from __future__ import annotations

from traitlets import TraitError

from pjais_lab.errors import LabError, LiveQueryError, ReactiveError

__all__ = ["ObserverWarning", "ReadOnlyTraitError", "kept"]


class ReadOnlyTraitError(ReactiveError, TraitError, TypeError):
    """A trait that follows the log was assigned to."""


class ObserverWarning(UserWarning):
    """An observer raised; the others were called all the same."""


def kept(error: BaseException, label: str) -> Exception:
    """The error as it may be stored: ours, and without frames that would keep objects alive."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    if isinstance(error, LabError):
        return error
    made = LiveQueryError(f"{label} raised {type(error).__name__}: {error}.")
    made.__cause__ = error
    return made
