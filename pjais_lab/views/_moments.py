"""A moment of a log: a position, or a time by one of two clocks; None is now."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

import msgspec

from pjais_lab.core.event import micros, moment
from pjais_lab.core.predicate import Interval, utc
from pjais_lab.core.spelling import near
from pjais_lab.errors import ViewError

__all__ = ["CLOCKS", "Clock", "Moment", "moment_of"]

Clock = Literal["position", "world", "commit"]
CLOCKS: Final[tuple[Clock, ...]] = ("position", "world", "commit")
_NOW: Final = "now"
_COLUMNS: Final = {"position": "seq", "world": "occurred_at", "commit": "committed_at"}
_LAST: Final = 253_402_300_799_999_999  # of the year 9999
_FIRST: Final = -62_135_596_800_000_000


class Moment(msgspec.Struct, frozen=True):
    """A point of the log.

    Attributes:
        clock: what ``value`` counts.
        value: a position, or microseconds since 1970; None for now.
    """

    clock: Clock
    value: int | None

    @property
    def condition(self) -> str:
        """The events until then, as SQL over ``events``."""
        if self.value is None:
            return "(true)"
        if self.clock == "position":
            return f"(seq <= {self.value})"
        if self.clock == "world":
            return f"(occurred_at <= make_timestamp({self.value}::BIGINT))"
        stamp = f"{max(0, self.value // 1000):012x}"  # as lab.at reads a time of commit
        return f"(id <= '{stamp[:8]}-{stamp[8:]}-7fff-bfff-ffffffffffff'::UUID)"

    @property
    def given(self) -> str:
        """As it is typed for ``at=``."""
        if self.value is None:
            return repr(_NOW)
        return str(self.value) if self.clock == "position" else repr(str(moment(self.value)))

    @property
    def label(self) -> str:
        """For people."""
        if self.value is None:
            return _NOW
        return f"event {self.value:,}" if self.clock == "position" else f"{moment(self.value)} UTC"

    def at(self, position: int) -> str:
        """The call of ``lab.at`` that goes there.

        Args:
            position: what now means.
        """
        if self.value is None:
            return f"lab.at({position})"
        clock = ", clock='commit'" if self.clock == "commit" else ""
        return f"lab.at({self.given}{clock})"

    def until(self, later: Moment) -> Interval:
        """The events after this moment and until a later one, as a predicate."""
        low, high = (
            m.value if m.value is None or m.clock == "position" else moment(m.value)
            for m in (self, later)
        )
        return Interval(_COLUMNS[self.clock], low, high, closed="right")

    def is_before(self, other: Moment) -> bool:
        """Whether it comes first; nothing comes after now."""
        if self.value is None:
            return False
        return other.value is None or self.value < other.value


def moment_of(given: object, clock: Clock) -> Moment:
    """A moment as a user gives it.

    Args:
        given: a position, a time or its text, or now (None, ``"now"``).
        clock: what a time means.

    Raises:
        ViewError: it is none of these.
    """
    if clock not in CLOCKS:
        msg = f"There is no clock {clock!r}; expected 'position', 'world' or 'commit'."
        raise ViewError(msg, hint=near(str(clock), CLOCKS), clock=clock)
    if given is None or given == _NOW:
        return Moment(clock, None)
    if clock == "position":
        return Moment(clock, _position(given))
    value = micros(_time(given))
    return Moment(clock, max(_FIRST, min(_LAST, value)))


def _position(given: object) -> int:
    words = given.replace(",", "").replace(" ", "") if isinstance(given, str) else given
    if isinstance(words, str) and words.isdecimal() and words.isascii():
        words = int(words[:18])
    if not isinstance(words, int) or isinstance(words, bool) or words < 0:
        msg = f"{given!r} is no position of the log; expected a number such as 1,204, or 'now'."
        raise ViewError(msg, hint="For a time, say clock='world' or clock='commit'.")
    return words


def _time(given: object) -> datetime:
    found = given
    if isinstance(given, str):
        try:
            found = datetime.fromisoformat(given.strip().removesuffix("UTC").strip())
        except ValueError:
            found = None
    if not isinstance(found, datetime):
        msg = f"{given!r} is no time; expected one such as 2026-11-01 14:30, or 'now'."
        raise ViewError(msg, hint="For a position of the log, say clock='position'.")
    return utc(found)
