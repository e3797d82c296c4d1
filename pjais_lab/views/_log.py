"""The log that a view shows: an open lab's, which grows, or a past one's, which ends at its moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from pjais_lab.core.event import micros
from pjais_lab.core.predicate import short
from pjais_lab.core.spelling import near
from pjais_lab.errors import NotFoundError, ViewError
from pjais_lab.lab.lab import Lab
from pjais_lab.lab.past import PastLab
from pjais_lab.views._moments import Moment

if TYPE_CHECKING:
    import polars as pl

    from pjais_lab.reactive.live_query import LiveQuery

__all__ = ["Log", "Still", "argument", "checked", "frame_of", "persona_id", "said", "unknown_names"]

Log: TypeAlias = Lab | PastLab


class Still:
    """The answer of a query about the past, where a live one would move.

    Args:
        frame: the answer.

    Attributes:
        frame: the answer.
        failure: none ever.
    """

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame
        self.failure: Exception | None = None

    def close(self) -> None:
        """Nothing has to be let go."""


def checked(given: Any, what: str) -> Log:
    """What a view of a log was given.

    Args:
        given: from the user.
        what: the view's name with its article, for the message.

    Raises:
        ViewError: it has no log.
    """
    if not isinstance(given, (Lab, PastLab)):
        msg = f"{what} shows the log of an open lab, or of a past one; got {short(given)}."
        raise ViewError(msg, hint="Give it pj.open(…), or lab.at(…).")
    return given


def frame_of(log: Log, sql: str) -> LiveQuery | Still:
    """What a query answers: as long as the log grows, or as it was."""
    return log.live(sql) if isinstance(log, Lab) else Still(log.query(sql))


def said(log: Log) -> str | None:
    """The moment of a past log, for people; None for one that grows."""
    if isinstance(log, Lab):
        return None
    label = _moment(log).label
    return f"at {label.replace(':00 UTC', ' UTC')}"


def argument(log: Log) -> str:
    """What is typed for a log."""
    return "lab" if isinstance(log, Lab) else _moment(log).at(log.position)


def persona_id(log: Log, name: str) -> str:
    """The id of a persona by its name, as it was then.

    Raises:
        NotFoundError: there is none of that name.
    """
    if isinstance(log, Lab):
        return log.personas.id_of(name)
    found = dict(log.query("SELECT name, id::VARCHAR FROM personas").rows())
    if name not in found:
        msg = f"There was no persona {name!r} at {log.moment}."
        raise NotFoundError(msg, hint=near(name, found) or None, name=name)
    return str(found[name])


def unknown_names(log: Log) -> Sequence[str]:
    """The names of events that the log has though nobody declares them, and perhaps others."""
    if isinstance(log, Lab):
        return [*log.status.unknown]
    return [*log.query("SELECT DISTINCT name FROM events")["name"]]


def _moment(log: PastLab) -> Moment:
    at = log.moment
    return Moment("position", at) if isinstance(at, int) else Moment(log.clock, micros(at))
