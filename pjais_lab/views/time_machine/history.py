"""A lab's log by its moments: how it grew, what was there, what changed."""

# ruff: noqa: S608 - names of tables are quoted, all else is numbers and literals of our own

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

import polars as pl

from pjais_lab.core.predicate import Predicate, columns_of
from pjais_lab.storage._typemap import Column, column_of, identifier, shown
from pjais_lab.storage.relation import Sort, literal_sql
from pjais_lab.views._moments import Clock, Moment
from pjais_lab.views.time_machine.courses import (
    STEPS,
    Span,
    count_sql,
    density_sql,
    growth_sql,
    last_sql,
    span_sql,
    step_sql,
)
from pjais_lab.views.time_machine.diff import Diff
from pjais_lab.views.time_machine.folds import Folds, Part

if TYPE_CHECKING:
    from pjais_lab.lab.lab import Lab

__all__ = ["History"]

_ENVELOPE: Final = frozenset(
    "seq id name shard epoch occurred_at committed_at origin origin_seq actor cause args".split()
)
_CUT: Final = 500


class Asked(Protocol):
    """A lab, or a past state."""

    def query(self, sql: str, /) -> pl.DataFrame:
        """Answer."""
        ...


class History:
    """Questions about any moment of a lab's log.

    Args:
        lab: an open lab.

    Attributes:
        folds: what was folded of it.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._state = lab.state
        self.folds = Folds(lab)
        self._untils: dict[tuple[Moment, int], int] = {}

    # ------------------------------------------------------------ the whole log
    @property
    def position(self) -> int:
        """The log's last event."""
        return self._lab.position

    @property
    def tables(self) -> list[str]:
        """The names of the tables."""
        return self._lab.tables

    def span(self, clock: Clock) -> Span:
        """From where to where a clock goes; from 0 for positions, all zero for an empty log."""
        low, high, position = self._lab.query(span_sql(clock)).row(0)
        return Span(clock, 0 if clock == "position" else low or 0, high or 0, position or 0)

    def density(self, span: Span) -> list[int]:
        """How many events fell into each step."""
        found = [0] * (STEPS + 1)
        for step, events in self._lab.query(density_sql(span)).rows():
            if 0 <= step <= STEPS:  # others came meanwhile
                found[step] = events
        return found

    def growth(self, span: Span) -> dict[str, list[int]]:
        """How many rows each table had at the end of each step."""
        moves = {t: [0] * (STEPS + 1) for t in self.tables}
        sql = growth_sql(span, self._names(), self._state.erasing_names)
        for table, step, rows in self._lab.query(sql).rows():
            if 0 <= step <= STEPS:
                moves[table][step] = rows
        for course in moves.values():
            for n in range(1, len(course)):
                course[n] += course[n - 1]
        return moves

    def erased(self) -> int:
        """How many personas were erased: nothing of them is left at any moment."""
        names = ", ".join(f"'{n}'" for n in self._state.erasing_names) or "NULL"
        sql = f"SELECT count(DISTINCT persona_id) FROM events WHERE name IN ({names})"
        return self._one(sql)

    def step(self, moment: Moment, steps: int) -> int | None:
        """The value of a clock some events before or after; None beyond the last one."""
        found = self._lab.query(step_sql(moment, steps))
        return None if found.is_empty() else int(found.item())

    # ------------------------------------------------------------ a moment
    def until(self, moment: Moment) -> int:
        """How many events there were until then."""
        key = moment, self.position
        if self._untils.get(key) is None:
            # What is left of an erased persona has no content.
            sql = f"SELECT count(args) FROM events WHERE {moment.condition}"
            self._untils = {**dict(list(self._untils.items())[-3:]), key: self._one(sql)}
        return self._untils[key]

    def counts(self, moment: Moment) -> dict[str, int]:
        """How many rows each table had then."""
        sql = "\nUNION ALL ".join(
            f"SELECT '{t}' AS name, count(*) AS rows FROM {identifier(t)}" for t in self.tables
        )
        if moment.value is not None:
            sql = count_sql(moment, self._names(), self._state.erasing_names)
        found = dict(self._lab.query(sql).rows())
        return {t: found.get(t, 0) for t in self.tables}

    def translated(self, moment: Moment, clock: Clock) -> Moment:
        """The moment of another clock at which the last of its events happened."""
        if moment.value is None:
            return Moment(clock, None)
        found = self._lab.query(last_sql(moment, clock)).item()
        return Moment(clock, int(found or 0))

    def columns(self, table: str) -> list[Column]:
        """What a table has; ``id`` is called what the log calls it."""
        found = self._lab.query(f"DESCRIBE {_source(table)}")
        return [column_of(r["column_name"], r["column_type"]) for r in found.rows(named=True)]

    def fits(self, predicate: Predicate, table: str) -> bool:
        """Whether a predicate is about this table: a column that the log names, too, means that."""
        return columns_of(predicate) <= {c.name for c in self.columns(table)} - _ENVELOPE

    def sql(self, table: str, where: Predicate | None, sort: Sort) -> str:
        """The SELECT of a table's rows at whatever moment it is asked."""
        columns = {c.name: c for c in self.columns(table)}
        lines = [_source(table)]
        if where is not None:
            lines = [f"SELECT * FROM ({lines[0]})", f"WHERE {literal_sql(where, columns)}"]
        keys = [f"{identifier(n)} {d.upper()} NULLS LAST" for n, d in sort if n in columns]
        return "\n".join([*lines, f"ORDER BY {', '.join([*keys, 'entity_id'])}"])

    def frame(self, moment: Moment, table: str, sql: str) -> pl.DataFrame:
        """What a query about one table answers at a moment."""
        with self._asking(moment, table, "") as asked:
            return asked.query(sql)

    def size(self, moment: Moment, table: str, where: Predicate | None, slot: str = "") -> int:
        """How many rows there are at a moment."""
        with self._asking(moment, table, slot) as asked:
            inner = self.sql(table, where, ())
            return int(asked.query(f"SELECT count(*) FROM ({inner})").item())

    def page(self, moment: Moment, table: str, sql: str, start: int, count: int) -> pl.DataFrame:
        """Some rows at a moment, as a page shows them."""
        cells = ", ".join(map(_cell, self.columns(table)))
        with self._asking(moment, table, "rows") as asked:
            return asked.query(
                f"SELECT {cells} FROM (SELECT * FROM ({sql}) LIMIT {count} OFFSET {start})"
            )

    def diff(self, one: Moment, other: Moment) -> Diff:
        """What differs between two moments, from the earlier to the later."""
        earlier, later = (one, other) if one.is_before(other) else (other, one)
        return Diff(self.folds, earlier, later, self.tables, self.position)

    def events(self, diff: Diff) -> pl.DataFrame:
        """How many events of each name there were between two moments."""
        return self._lab.query(
            f"SELECT name, count(*) AS events FROM events WHERE {diff.between}"
            " GROUP BY name ORDER BY events DESC, name"
        )

    @contextmanager
    def _asking(self, moment: Moment, table: str, slot: str) -> Iterator[Asked]:
        if moment.value is None:
            yield self._lab
            return
        until = self.until(moment)
        with self.folds.of(Part(moment.condition, (table,), until), slot) as past:
            yield past

    def _one(self, sql: str) -> int:
        return int(self._lab.query(sql).item())

    def _names(self) -> dict[str, list[str]]:
        """Table -> the wire names of the events that move it, old ones too."""
        registry = self._state.registry
        return {
            t: sorted({*self._state.plan(t).names, *registry.old_names_for(registry.tables[t])})
            for t in self.tables
        }


def _source(table: str) -> str:
    return f"SELECT id AS entity_id, * EXCLUDE (id, shard) FROM {identifier(table)}"


def _cell(column: Column) -> str:
    """A column as a page gets it; long text is cut."""
    value, name = shown(column), identifier(column.name)
    if column.kind in {"text", "json", "other"} and column.type != "UUID":
        value = (
            f"CASE WHEN length({value}) > {_CUT} THEN left({value}, {_CUT}) || '…' ELSE {value} END"
        )
    return f"{value} AS {name}"
