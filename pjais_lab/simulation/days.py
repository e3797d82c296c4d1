"""Day after day: the chronicle of a town as batches of events, in the order of town time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from random import Random
from typing import Final

from pjais_lab.core.event import micros
from pjais_lab.errors import RejectedError
from pjais_lab.simulation.batch import Columns, Row
from pjais_lab.simulation.decks import Decks, deal
from pjais_lab.simulation.hours import go_to_bed, live_hour, plan
from pjais_lab.simulation.pen import HOUR_US, SECOND_US, Pen
from pjais_lab.simulation.schedule import plan_day
from pjais_lab.simulation.town import HOURS, Town, build_town, ids_for

__all__ = ["BATCH", "START", "generate"]

BATCH: Final = 10_000
START: Final = date(2026, 10, 5)
_KEEP: Final = timedelta(days=90)
_BEDTIME: Final = 23
_WEEK: Final = 7


def generate(
    personas: int, days: int, seed: int = 0, start: date = START, *, batch: int = BATCH
) -> Iterator[Columns]:
    """The life of a town, always the same for the same arguments.

    The first batches create the personas and nothing else. Memory used depends on the number of
    personas, not on the number of days; more days continue the same story.

    Args:
        personas: how many people live there.
        days: for how long.
        seed: which town.
        start: the first day.
        batch: events in a batch; the last of the personas' and the last of all may be shorter.

    Yields:
        Batches whose events are in the order of ``occurred_at``.

    Raises:
        RejectedError: a number is out of range.
    """
    _check(personas, days, batch)
    rng = Random(f"pjais:{personas}:{seed}")
    town = build_town(personas, rng, ids_for(str(personas), str(seed), start.isoformat()))
    pen = Pen(town, rng)
    first = datetime.combine(start, time(), UTC)
    for who in town.residents:
        pen.settle(who, micros(first))
    yield from _cut(pen.rows, batch)
    if pen.rows:
        yield Columns.of(pen.rows)
    pending: list[Row] = []
    expires_at = datetime.combine(start + _KEEP, time())
    pen.turn_to(expires_at)
    decks = deal(town, expires_at, rng)
    for n in range(days):
        today = first + timedelta(days=n)
        if n and n % _WEEK == 0:
            expires_at = datetime.combine(today.date() + _KEEP, time())
            pen.turn_to(expires_at)
            decks = deal(town, expires_at, rng)
        for rows in _day(pen, decks, town, today):
            pending += rows
            yield from _cut(pending, batch)
    if pending:
        yield Columns.of(pending)


def _day(pen: Pen, decks: Decks, town: Town, today: datetime) -> Iterator[list[Row]]:
    midnight = micros(today)
    hours = plan_day(town, today.weekday(), pen.rng)
    for hour, places in zip(HOURS, hours, strict=True):
        pen.rows = []
        t = midnight + hour * HOUR_US
        if hour == HOURS[0]:
            for who in town.residents:
                if pen.rng.random() < 0.5:
                    plan(pen, who, town.places[who.work], t)
        for number, present in places.items():
            live_hour(pen, decks, town.places[number], present, t)
        pen.rows.sort(key=itemgetter(0))
        yield pen.rows
    pen.rows = []
    for n, who in enumerate(town.residents):
        go_to_bed(pen, who, midnight + _BEDTIME * HOUR_US + n % 3000 * SECOND_US)
    pen.rows.sort(key=itemgetter(0))
    yield pen.rows


def _cut(rows: list[Row], batch: int) -> Iterator[Columns]:
    whole = len(rows) // batch * batch
    for i in range(0, whole, batch):
        yield Columns.of(rows[i : i + batch])
    del rows[:whole]


def _check(personas: int, days: int, batch: int) -> None:
    for name, value, low in (("personas", personas, 1), ("days", days, 0), ("batch", batch, 1)):
        if type(value) is not int or value < low:
            msg = f"A town cannot have {name}={value!r}; expected a whole number, at least {low}."
            raise RejectedError(msg, argument=name, value=value)
