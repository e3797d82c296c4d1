"""Moments as a timeline has them: microseconds since 1970 here, milliseconds in the browser."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pjais_lab.core.predicate import Interval, Predicate, utc
from pjais_lab.errors import ViewError

__all__ = ["TIME", "ends_of", "interval", "is_followed", "micros", "moment", "stretch", "us_of"]

TIME: Final = "occurred_at"
"""The column, and the name of its predicate."""
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - naive means UTC here
_FIRST: Final = datetime(1, 1, 1) - _EPOCH  # noqa: DTZ001
_LAST: Final = datetime(9999, 12, 31) - _EPOCH  # noqa: DTZ001
_FIRST_MS: Final = -62_135_596_800_000.0
_LAST_MS: Final = 253_402_214_400_000.0


def moment(us: int) -> datetime:
    """A time without a zone, in UTC, within the years that Python has."""
    return _EPOCH + min(max(timedelta(microseconds=us), _FIRST), _LAST)


def micros(at: datetime) -> int:
    """Microseconds since 1970; naive means UTC."""
    return (utc(at) - _EPOCH) // timedelta(microseconds=1)


def us_of(ms: float) -> int:
    """Microseconds of what the browser gives.

    Raises:
        ViewError: it is no moment.
    """
    if not _FIRST_MS <= ms <= _LAST_MS:  # nor NaN
        msg = f"{ms:g} ms is no moment of the years 1 to 9999."
        raise ViewError(msg, hint="Count milliseconds from 1970.")
    return round(ms * 1000)


def stretch(low: int, high: int) -> tuple[int, int]:
    """Two moments in their order.

    Raises:
        ViewError: they are none.
    """
    if low >= high:
        msg = f"From {moment(low)} up to {moment(high)} is no stretch of time."
        raise ViewError(msg, hint="Give the earlier moment first.")
    return low, high


def is_followed(past: str | None, *, follow: bool | None, is_whole: bool) -> bool:
    """Whether what is shown moves on with the newest event.

    Args:
        past: the moment of a past log, whose last event has come.
        follow: whether it was asked for.
        is_whole: whether all of the log is shown.

    Raises:
        ViewError: a past log was to be followed.
    """
    if follow and past is not None:
        msg = f"A timeline of the log {past} cannot follow it: no event comes any more."
        raise ViewError(msg, hint="Leave follow out, or give it the lab itself.")
    return past is None and (is_whole if follow is None else follow)


def interval(span: tuple[int, int]) -> Interval:
    """The predicate for a stretch of time."""
    return Interval(TIME, moment(span[0]), moment(span[1]), "left")


def ends_of(predicate: Predicate | None) -> list[float] | None:
    """A brush in milliseconds."""
    if not isinstance(predicate, Interval):
        return None
    ends = (predicate.low, predicate.high)
    if not all(isinstance(end, datetime) for end in ends):
        return None
    return [micros(utc(end)) / 1000 for end in ends if isinstance(end, datetime)]
