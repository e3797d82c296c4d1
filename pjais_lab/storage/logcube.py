"""How many events there were when: a log counted once by time, persona, name and actor.

The whole log is counted at one step of time, a part that is looked at closely at a finer one. Events
that come are added; nothing is counted twice. Steps divide each other, so a finer count also answers
for coarser ones.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from typing import Any, Final

import msgspec
import polars as pl

from pjais_lab.core.predicate import All, Predicate, all_of, columns_of
from pjais_lab.storage._cubecodes import BY, Ask, Codes
from pjais_lab.storage._cubedims import NULL, ORIGIN_US, stepped
from pjais_lab.storage._predicates import literal_sql
from pjais_lab.storage._scans import engine
from pjais_lab.storage._typemap import Column, column_of
from pjais_lab.storage.cube import Cube

__all__ = ["BY", "STEPS", "Density", "LogCube", "bucket_at", "bucket_us", "step_for"]

_MS: Final = 1_000
_S: Final = 1_000_000
_DAY: Final = 86_400 * _S
STEPS: Final = (
    *(n * _MS for n in (1, 10, 100)),
    *(n * _S for n in (1, 5, 15, 60, 300, 900, 3_600, 10_800, 21_600, 43_200)),
    *(n * _DAY for n in (1, 7, 28, 364, 3_640, 36_400)),
)
"""Steps of time in which a log is counted, in microseconds, each a multiple of the one before."""
_SHOWN_STEPS: Final = (
    *(n * _MS for n in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(n * _S for n in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800)),
    *(n * _S for n in (3_600, 7_200, 10_800, 14_400, 21_600, 28_800, 43_200)),
    *(n * _DAY for n in (1, 2, 4, 7, 14, 28, 56, 91, 182, 364, 728, 1_820, 3_640, 18_200, 36_400)),
)
MOST_CELLS: Final = 1_000_000
"""A level of more cells leaves a column out, and then takes wider steps."""
_BUCKETS: Final = 400
_LEVELS: Final = 6
_SOON_COUNTED: Final = 1_000_000
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


def step_for(span: int, most: int, unit: int = 1) -> int:
    """The finest step, a multiple of ``unit``, of which a span has no more than so many.

    >>> step_for(86_400_000_000, 100) // 60_000_000, step_for(86_400_000_000, 20) // 60_000_000
    (15, 120)
    """
    fit = (s for s in _SHOWN_STEPS if span / s <= most and s % unit == 0)
    return next(fit, STEPS[-1])


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
        self._base: _Level | None = None
        self._parts: list[_Level] = []
        self._whole: tuple[object, Density] | None = None
        self.span: tuple[int, int] | None = None
        """The first and the last microsecond at which something happened."""
        found = ask("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM events)")
        self._columns: dict[str, Column] = {n: column_of(n, t) for n, t in found.iter_rows()}
        self._codes = Codes(ask, self._columns)

    @property
    def columns(self) -> frozenset[str]:
        """What predicates may be about."""
        return frozenset(self._columns)

    @property
    def position(self) -> int:
        """The last event that is counted; -1 before the first ``refresh``."""
        return -1 if self._base is None else self._base.position

    @property
    def unit(self) -> int:
        """Steps of the whole log are multiples of so many microseconds."""
        return 1 if self._base is None else self._base.step

    @property
    def events(self) -> int:
        """How many events are counted."""
        return 0 if self._base is None else self._base.cube.rows

    @property
    def cells(self) -> int:
        """How many counts are kept."""
        levels = [*self._parts, *([] if self._base is None else [self._base])]
        return sum(level.cube.cells for level in levels)

    def refresh(self, *, check: bool = False) -> None:
        """Count what has come; everything again when something was erased.

        Args:
            check: look for erased events even in a log so long that looking takes its time.
        """
        now = self._position()
        if self._base is not None:
            if self._base.position < now:
                more = self._codes.learn(self._base.position, now)
                self.span = _joint(self.span, more)
                self._catch_up(self._base, now)
                check = check or self._base.cube.rows < _SOON_COUNTED
            if check and self._rows(now) != self._base.cube.rows:
                self._base = None
        if self._base is None:
            self._whole = None
            self._parts.clear()
            self._codes.begin(now)
            self.span = self._span(now)
            low, high = self.span or (0, 1)
            step = next((s for s in STEPS if (high - low) / s <= _BUCKETS), STEPS[-1])
            self._base = self._counted(step, None, None, now, BY)

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
        key = self.position, step, span
        if where is None and self._whole is not None and self._whole[0] == key:
            return self._whole[1]  # it is asked again with every move of a brush
        fixed = all_of([p for p in _flat(where) if not self._can_tell(p)])
        told = all_of([p for p in _flat(where) if self._can_tell(p)])
        level = self._level(step, span, fixed, columns_of(told) if told is not None else ())
        found = self._cells(level, step, span, told)
        if found is None:  # that level had to leave a column out
            fixed, level = where, self._level(step, span, where, ())
            found = self._cells(level, step, span, None)
        assert found is not None
        lanes: dict[int, str | None] = {
            NULL: None,
            **dict(enumerate(self._codes.values[self._lane])),
        }
        by = "cube" if fixed is None else "rows"
        density = Density(max(step, level.step), found, lanes, by)
        if where is None:
            self._whole = key, density
        return density

    def has(self, step: int, span: tuple[int, int]) -> bool:
        """Whether these steps of a part need no counting of rows."""
        levels = [*self._parts, *([] if self._base is None else [self._base])]
        return any(level.answers(step, span, None) for level in levels)

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
    def _level(
        self,
        step: int,
        span: tuple[int, int] | None,
        fixed: Predicate | None,
        needed: Collection[str],
    ) -> _Level:
        if self._base is None:
            self.refresh()
        assert self._base is not None
        now = self._base.position
        found = next((v for v in [self._base, *self._parts] if v.answers(step, span, fixed)), None)
        if found is None:
            wide = None if span is None else (span[0] - _half(span), span[1] + _half(span))
            fine = self._base.asked if span is None else step
            names = BY if fixed is None else [n for n in BY if n == self._lane or n in needed]
            found = self._counted(fine, wide, fixed, now, names)
        elif found.position < now:
            self._catch_up(found, now)
        if found is not self._base:
            self._parts = [found, *(v for v in self._parts if v is not found)][:_LEVELS]
        return found

    def _counted(
        self,
        step: int,
        span: tuple[int, int] | None,
        fixed: Predicate | None,
        now: int,
        names: Sequence[str],
    ) -> _Level:
        level = _Level(Cube([]), step, step, span, fixed, now)
        kept = [*names]
        cells = self._read(level, kept, 0, now)
        spare = next((n for n in reversed(kept) if n != self._lane), None)
        if cells.height > MOST_CELLS and spare is not None:
            kept.remove(spare)
            cells = _joined(cells.drop(spare))
        while cells.height > MOST_CELLS and level.step < STEPS[-1]:
            wider = next(s for s in STEPS if s > level.step and s % level.step == 0)
            cells = _joined(cells.with_columns(pl.col(_TIME) // (wider // level.step)))
            level.step = wider
        level.cube = Cube(
            [stepped(_TIME, self._columns[_TIME], level.step), *map(self._codes.dim, kept)]
        )
        with closing(engine()) as con:
            level.cube.add(con, _coded(cells))
        return level

    def _catch_up(self, level: _Level, now: int) -> None:
        names = [n for n in level.cube.dims if n != _TIME]
        cells = self._read(level, names, level.position, now)
        for name in names:
            level.cube.redefine(self._codes.dim(name))
        with closing(engine()) as con:
            level.cube.add(con, _coded(cells))
        level.position = now

    def _read(self, level: _Level, names: Sequence[str], after: int, upto: int) -> pl.DataFrame:
        """Cells of the events between two places of the log: time, the codes of names, ``n``."""
        conditions = [f"seq > {after} AND seq <= {upto}"]
        if level.span is not None:
            low, high = level.span
            conditions.append(f"epoch_us(occurred_at) >= {low} AND epoch_us(occurred_at) < {high}")
        if level.fixed is not None:
            conditions.append(f"({literal_sql(level.fixed, self._columns)})")
        time = stepped(_TIME, self._columns[_TIME], level.step).code
        # Values are grouped before they get their codes: so there are far fewer to look up.
        inner = (
            f"SELECT {', '.join([f'{time} AS t', *names])}, count(*) AS n FROM events"
            f" WHERE {' AND '.join(conditions)} GROUP BY ALL"
        )
        codes, joins = zip(*map(self._codes.looked_up, names), strict=True)
        outer = f"SELECT t AS {_TIME}, {', '.join(codes)}, sum(n)::BIGINT AS n"
        return self._ask(f"{outer} FROM ({inner}) g {' '.join(joins)} GROUP BY ALL")

    def _span(self, upto: int) -> tuple[int, int] | None:
        sql = f"SELECT epoch_us(min(occurred_at)), epoch_us(max(occurred_at)) FROM events WHERE seq <= {upto}"
        low, high = self._ask(sql).row(0)
        return None if low is None else (int(low), int(high))

    def _rows(self, upto: int) -> int:
        return int(self._ask(f"SELECT count(*) AS n FROM events WHERE seq <= {upto}").item())


def _joint(a: tuple[int, int] | None, b: tuple[int, int] | None) -> tuple[int, int] | None:
    return b if a is None else a if b is None else (min(a[0], b[0]), max(a[1], b[1]))


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
