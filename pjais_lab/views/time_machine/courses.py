"""How a log grew: events and rows of every table over one of its clocks, in a few hundred steps."""

# ruff: noqa: S608 - names of tables are quoted, all else is numbers and literals of our own

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from pjais_lab.storage.duck import quote
from pjais_lab.views._moments import Clock, Moment

__all__ = [
    "STEPS",
    "Span",
    "count_sql",
    "density_sql",
    "growth_sql",
    "last_sql",
    "span_sql",
    "step_sql",
]

STEPS: Final = 300
_HUGE: Final = 2**62 // STEPS
_VALUES: Final = {
    "position": "seq",
    "world": "epoch_us(occurred_at)",
    "commit": "epoch_us(committed_at)",
}


class Span(msgspec.Struct, frozen=True):
    """From where to where a clock of the log goes.

    Attributes:
        clock: which.
        low: its first value: a position, or microseconds since 1970.
        high: its last.
        position: the log's last event.
    """

    clock: Clock
    low: int
    high: int
    position: int

    def edge(self, step: int) -> int:
        """The moment at which a step ends; step 0 is the beginning itself."""
        return self.low + (self.high - self.low) * step // STEPS

    def step_of(self, value: str) -> str:
        """The step in which a value lies, as SQL; ``edge`` of it is not before the value."""
        width = max(1, self.high - self.low)
        kind = "HUGEINT" if width > _HUGE else "BIGINT"
        return f"(((({value}) - {self.low})::{kind} * {STEPS} + {width - 1}) // {width})::INTEGER"


def span_sql(clock: Clock) -> str:
    """The SELECT of the first and last value of a clock, and of the last position."""
    value = _VALUES[clock]
    return f"SELECT min({value}) AS low, max({value}) AS high, max(seq) AS position FROM events"


def density_sql(span: Span) -> str:
    """The SELECT of how many events fell into each step."""
    step = span.step_of(_VALUES[span.clock])
    return f"SELECT {step} AS step, count(*) AS events FROM events GROUP BY step ORDER BY step"


def last_sql(moment: Moment, clock: Clock) -> str:
    """The SELECT of a clock's value at the last event until a moment of another clock."""
    return f"SELECT max({_VALUES[clock]}) FROM events WHERE {moment.condition}"


def step_sql(moment: Moment, steps: int) -> str:
    """The SELECT of the value of a clock that is some events away."""
    value = _VALUES[moment.clock]
    side, order = (">", "") if steps > 0 else ("<", " DESC")
    return (
        f"SELECT DISTINCT {value} AS value FROM events WHERE {value} {side} {moment.value}"
        f" ORDER BY value{order} LIMIT 1 OFFSET {abs(steps) - 1}"
    )


def count_sql(moment: Moment, names: Mapping[str, Iterable[str]], erasing: Iterable[str]) -> str:
    """The SELECT of how many rows each table had at a moment, without folding it.

    A row is there when the newest epoch of its entity is odd.

    Args:
        moment: when.
        names: table -> the wire names of the events that move it.
        erasing: wire names of the events that erase a persona.
    """
    return (
        f"WITH {_sources(names, erasing)}, lives AS (SELECT tbl, entity_id, max(epoch) AS epoch"
        f" FROM moving WHERE {moment.condition} GROUP BY ALL)"
        ' SELECT tbl AS "table", count(*) AS rows FROM lives WHERE epoch % 2 = 1 GROUP BY tbl'
    )


def growth_sql(span: Span, names: Mapping[str, Iterable[str]], erasing: Iterable[str]) -> str:
    """The SELECT of how many rows each table won or lost in each step.

    Nearly every entity has one epoch or two; only those with several are looked at one by one.

    Args:
        span: over what.
        names: table -> the wire names of the events that move it.
        erasing: wire names of the events that erase a persona.
    """
    value = _VALUES[span.clock]
    step = span.step_of("since")
    return f"""\
WITH {_sources(names, erasing)},
lives AS (
    SELECT tbl, entity_id, min({value}) AS since, min(epoch) AS low, max(epoch) AS high
    FROM moving GROUP BY tbl, entity_id),
several AS (
    SELECT m.tbl, m.entity_id, m.epoch, min({value}) AS since FROM moving m
    SEMI JOIN (SELECT entity_id FROM lives WHERE low <> high) l ON m.entity_id = l.entity_id
    GROUP BY m.tbl, m.entity_id, m.epoch),
turns AS (
    SELECT tbl, since, epoch, coalesce(max(epoch) OVER earlier, 0) AS before FROM several
    WINDOW earlier AS (PARTITION BY tbl, entity_id ORDER BY since, epoch
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
moves AS (
    SELECT tbl, since, 1 AS n FROM lives WHERE low = high AND low % 2 = 1
    UNION ALL
    SELECT tbl, since, epoch % 2 - before % 2 AS n FROM turns WHERE epoch > before)
SELECT tbl AS "table", {step} AS step, sum(n)::BIGINT AS rows FROM moves
GROUP BY tbl, step ORDER BY tbl, step"""


def _sources(names: Mapping[str, Iterable[str]], erasing: Iterable[str]) -> str:
    """CTEs: which event moves which table, and those of personas who were not erased."""
    pairs = ", ".join(f"({quote(t)}, {quote(n)})" for t, ns in names.items() for n in sorted(ns))
    gone = ", ".join(map(quote, sorted(erasing))) or "NULL"
    return (
        f"names(tbl, name) AS (VALUES {pairs}),\n"
        f"erased AS (SELECT DISTINCT persona_id FROM events WHERE name IN ({gone})),\n"
        "moving AS (SELECT e.*, n.tbl FROM events e JOIN names n ON e.name = n.name"
        " ANTI JOIN erased g ON e.persona_id = g.persona_id"
        " WHERE e.args IS NOT NULL AND e.entity_id IS NOT NULL)"
    )
