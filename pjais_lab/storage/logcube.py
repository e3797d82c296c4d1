"""How many events there were when: a log counted once by time, persona, name and actor.

The whole log is counted at one step of time, a part that is looked at closely at a finer one. Events
that come are added; nothing is counted twice. Steps divide each other, so a finer count also answers
for coarser ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, Final

import msgspec
import polars as pl

from pjais_lab.core.predicate import All, Predicate, all_of, columns_of
from pjais_lab.storage._cubedims import NULL, ORIGIN_US, REST, Dim, listed, stepped
from pjais_lab.storage._predicates import literal, literal_sql
from pjais_lab.storage._scans import engine
from pjais_lab.storage._typemap import Column, column_of
from pjais_lab.storage.cube import MOST_CELLS, Cube

__all__ = ["BY", "STEPS", "Density", "LogCube", "bucket_at", "bucket_us", "step_for"]

Ask = Callable[..., pl.DataFrame]
"""Answers ``ask(sql)``, from any thread: a lab's ``query``."""
BY: Final[tuple[str, ...]] = ("persona_id", "name", "actor")
"""What a log is counted by, besides time."""
_MS: Final = 1_000
_S: Final = 1_000_000
_DAY: Final = 86_400 * _S
STEPS: Final = (
    *(n * _MS for n in (1, 10, 100)),
    *(n * _S for n in (1, 5, 15, 60, 300, 900, 3_600, 10_800, 21_600, 43_200)),
    *(n * _DAY for n in (1, 7, 28, 364, 3_640, 36_400)),
)
"""Steps of time in microseconds, each a multiple of the one before."""
MOST_VALUES: Final[dict[str, int]] = {"persona_id": 120, "name": 60, "actor": 20}
"""So many values have a count of their own; the others share one."""
_BUCKETS: Final = 2_000
_LEVELS: Final = 6
_TIME: Final = "occurred_at"


class Density(msgspec.Struct, frozen=True):
    """Events by lane and step of time.

    Attributes:
        step: microseconds.
        cells: ``code`` of the lane, ``bucket`` (steps since the year 1), ``n``.
        lanes: code -> the value; None for no value, and ``REST`` is not among them.
        by: whether a cube told what was asked, or the rows had to be counted for it.
    """

    step: int
    cells: pl.DataFrame
    lanes: dict[int, str | None]
    by: str


class _Level(msgspec.Struct):
    """The log, or a part of it, in cells.

    Attributes:
        cube: the cells.
        asked: the step that was wanted.
        step: the one that the bound on cells allows; both in microseconds.
        span: from which microsecond up to, without, which; None for all of it.
        fixed: what only the rows can tell.
        position: the last event that is counted.
    """

    cube: Cube
    asked: int
    step: int
    span: tuple[int, int] | None
    fixed: Predicate | None
    position: int

    def answers(self, step: int, span: tuple[int, int] | None, fixed: Predicate | None) -> bool:
        """Whether this has what is wanted, in these steps or finer ones."""
        if repr(fixed) != repr(self.fixed) or step % self.asked:
            return False
        if self.span is None or span is None:
            return self.span is None
        return self.span[0] <= span[0] and span[1] <= self.span[1]


def step_for(span: int, most: int) -> int:
    """The finest step of which a span has no more than so many.

    >>> step_for(86_400_000_000, 100) // 60_000_000
    15
    """
    return next((s for s in STEPS if span / s <= most), STEPS[-1])


def bucket_us(bucket: int, step: int) -> int:
    """Where a bucket begins, in microseconds since 1970.

    >>> bucket_us(719_162, 86_400_000_000)
    0
    """
    return bucket * step + ORIGIN_US


def bucket_at(us: int, step: int) -> int:
    """The bucket of a microsecond since 1970."""
    return (us - ORIGIN_US) // step


class LogCube:
    """A log in cubes. One thread at a time.

    Args:
        ask: a lab's ``query``.
        position: the place in the log that it has reached.
        lane: which of ``BY`` is kept whatever the bound on cells.
    """

    def __init__(self, ask: Ask, position: Callable[[], int], lane: str) -> None:
        self._ask, self._position, self._lane = ask, position, lane
        self._values: dict[str, list[str]] = {}
        self._base: _Level | None = None
        self._parts: list[_Level] = []
        self.span: tuple[int, int] | None = None
        """The first and the last microsecond at which something happened."""
        found = ask("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM events)")
        self._columns: dict[str, Column] = {n: column_of(n, t) for n, t in found.iter_rows()}

    @property
    def columns(self) -> frozenset[str]:
        """What predicates may be about."""
        return frozenset(self._columns)

    @property
    def position(self) -> int:
        """The last event that is counted; -1 before the first ``refresh``."""
        return -1 if self._base is None else self._base.position

    @property
    def events(self) -> int:
        """How many events are counted."""
        return 0 if self._base is None else self._base.cube.rows

    @property
    def cells(self) -> int:
        """How many counts are kept."""
        levels = [*self._parts, *([] if self._base is None else [self._base])]
        return sum(level.cube.cells for level in levels)

    def refresh(self) -> None:
        """Count what has come; everything again when something was erased."""
        now = self._position()
        if self._base is not None and self._base.position < now:
            self._catch_up(self._base, now)
            rows = self._ask(f"SELECT count(*) AS n FROM events WHERE seq <= {now}").item()
            if rows != self._base.cube.rows:
                self._base = None
        if self._base is None:
            self._parts.clear()
            self._values = {name: self._frequent(name) for name in BY}
            self.span = self._span(0, now)
            low, high = self.span or (0, 1)
            self._base = self._counted(step_for(high - low, _BUCKETS), None, None, now)

    def density(
        self, step: int, span: tuple[int, int] | None = None, where: Predicate | None = None
    ) -> Density:
        """Events by lane and time, as of the last ``refresh``.

        Args:
            step: microseconds, one of ``STEPS``.
            span: microseconds from, and up to; None for the whole log.
            where: which events.

        Raises:
            QueryError: a value does not fit its column.
        """
        fixed = all_of([p for p in _flat(where) if not self._can_tell(p)])
        told = all_of([p for p in _flat(where) if self._can_tell(p)])
        level = self._level(step, span, fixed)
        found = self._cells(level, step, span, told)
        if found is None:  # a finer level may have had to leave a column out
            fixed, level = where, self._level(step, span, where)
            found = self._cells(level, step, span, None)
        assert found is not None
        lanes: dict[int, str | None] = {NULL: None, **dict(enumerate(self._values[self._lane]))}
        by = "cube" if fixed is None else "rows"
        return Density(max(step, level.step), found, lanes, by)

    def _can_tell(self, predicate: Predicate) -> bool:
        """Time is cut otherwise in every level, so it is for the rows to tell."""
        if self._base is None or _TIME in columns_of(predicate):
            return False
        with closing(engine()) as con:
            return self._base.cube.condition(con, predicate) is not None

    def _cells(
        self, level: _Level, step: int, span: tuple[int, int] | None, where: Predicate | None
    ) -> pl.DataFrame | None:
        had, within = level.step, None
        if span is not None:
            within = bucket_at(span[0], had), bucket_at(span[1] - 1, had)
        with closing(engine()) as con:
            join = max(step, had) // had
            return level.cube.binned(con, self._lane, _TIME, where, join=join, within=within)

    # ------------------------------------------------------------ counting
    def _level(self, step: int, span: tuple[int, int] | None, fixed: Predicate | None) -> _Level:
        if self._base is None:
            self.refresh()
        assert self._base is not None
        now = self._base.position
        found = next((v for v in [self._base, *self._parts] if v.answers(step, span, fixed)), None)
        if found is None:
            wide = None if span is None else (span[0] - _half(span), span[1] + _half(span))
            fine = self._base.asked if span is None else step
            found = self._counted(fine, wide, fixed, now)
        elif found.position < now:
            self._catch_up(found, now)
        if found is not self._base:
            self._parts = [found, *(v for v in self._parts if v is not found)][:_LEVELS]
        return found

    def _counted(
        self, step: int, span: tuple[int, int] | None, fixed: Predicate | None, now: int
    ) -> _Level:
        level = _Level(Cube([]), step, step, span, fixed, now)
        names: list[str] = [*BY]
        cells = self._read(level, names, 0, now)
        spare = next(n for n in reversed(BY) if n != self._lane)
        if cells.height > MOST_CELLS:
            names.remove(spare)
            cells = _joined(cells.drop(spare))
        while cells.height > MOST_CELLS and level.step < STEPS[-1]:
            wider = STEPS[STEPS.index(level.step) + 1]
            cells = _joined(cells.with_columns(pl.col(_TIME) // (wider // level.step)))
            level.step = wider
        level.cube = Cube(
            [stepped(_TIME, self._columns[_TIME], level.step), *map(self._dim, names)]
        )
        with closing(engine()) as con:
            level.cube.add(con, _coded(cells))
        return level

    def _catch_up(self, level: _Level, now: int) -> None:
        names = [n for n in level.cube.dims if n != _TIME]
        cells = self._read(level, names, level.position, now)
        for name in names:
            level.cube.redefine(self._dim(name))
        with closing(engine()) as con:
            level.cube.add(con, _coded(cells))
        if level is self._base and (more := self._span(level.position, now)) is not None:
            low, high = self.span or more
            self.span = min(low, more[0]), max(high, more[1])
        level.position = now

    def _dim(self, name: str) -> Dim:
        return listed(name, self._columns[name], self._values[name], "")

    def _read(self, level: _Level, names: Sequence[str], after: int, upto: int) -> pl.DataFrame:
        """Cells of the events between two places of the log: time, the codes of names, ``n``."""
        conditions = [f"seq > {after} AND seq <= {upto}"]
        if level.span is not None:
            low, high = level.span
            conditions.append(f"epoch_us(occurred_at) >= {low} AND epoch_us(occurred_at) < {high}")
        if level.fixed is not None:
            conditions.append(f"({literal_sql(level.fixed, self._columns)})")
        time = stepped(_TIME, self._columns[_TIME], level.step).code
        inner = ", ".join([f"{time} AS {_TIME}", *(self._chosen(n) for n in names)])
        outer = ", ".join([_TIME, *(f"{n}::VARCHAR AS {n}, {n}_none" for n in names), "n"])
        sql = (
            f"SELECT {outer} FROM (SELECT {inner}, count(*) AS n FROM events"
            f" WHERE {' AND '.join(conditions)} GROUP BY ALL)"
        )
        cells = self._ask(sql)
        for name in names:
            cells = self._as_codes(cells, name)
        return _joined(cells)

    def _chosen(self, name: str) -> str:
        """A value if it may have a code of its own, and whether there is none."""
        values = self._values[name]
        if len(values) < MOST_VALUES[name]:
            return f"{name}, {name} IS NULL AS {name}_none"
        own = (
            f"{name} IN ({', '.join(f'{literal(v)}::{self._columns[name].type}' for v in values)})"
        )
        return f"CASE WHEN {own} THEN {name} END AS {name}, {name} IS NULL AS {name}_none"

    def _as_codes(self, cells: pl.DataFrame, name: str) -> pl.DataFrame:
        known = self._values[name]
        new = sorted(set(cells[name].drop_nulls()) - set(known))
        known.extend(new[: MOST_VALUES[name] - len(known)])
        codes = {value: code for code, value in enumerate(known)}
        code = pl.col(name).replace_strict(codes, default=REST, return_dtype=pl.Int64)
        made = pl.when(f"{name}_none").then(NULL).when(pl.col(name).is_null()).then(REST)
        return cells.with_columns(made.otherwise(code).alias(name)).drop(f"{name}_none")

    def _frequent(self, name: str) -> list[str]:
        sql = (
            f"SELECT v::VARCHAR AS v FROM (SELECT {name} AS v, count(*) AS n FROM events"
            f" WHERE {name} IS NOT NULL GROUP BY ALL) ORDER BY n DESC, v LIMIT {MOST_VALUES[name]}"
        )
        return [str(v) for v in self._ask(sql)["v"]]

    def _span(self, after: int, upto: int) -> tuple[int, int] | None:
        sql = (
            "SELECT epoch_us(min(occurred_at)), epoch_us(max(occurred_at)) FROM events"
            f" WHERE seq > {after} AND seq <= {upto}"
        )
        low, high = self._ask(sql).row(0)
        return None if low is None else (int(low), int(high))


def _half(span: tuple[int, int]) -> int:
    return (span[1] - span[0]) // 2


def _joined(cells: pl.DataFrame) -> pl.DataFrame:
    return cells.group_by(pl.exclude("n")).agg(pl.col("n").sum())


def _coded(cells: pl.DataFrame) -> Any:
    names = [f"d{n}" for n in range(cells.width - 1)]
    return cells.rename(dict(zip(cells.columns, [*names, "n"], strict=True))).to_arrow()


def _flat(where: Predicate | None) -> Sequence[Predicate]:
    if isinstance(where, All):
        return [part for p in where.predicates for part in _flat(p)]
    return [] if where is None else [where]
