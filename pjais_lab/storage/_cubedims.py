"""The dimensions of a cube: which code a value has, and what is known of all values of a code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any, Final

import msgspec

from pjais_lab.storage._fitting import READ_AS_TEXT
from pjais_lab.storage._predicates import literal
from pjais_lab.storage._summaries import Outline
from pjais_lab.storage._typemap import Column, exact_range, identifier, text_of
from pjais_lab.storage.duck import quote

__all__ = ["NULL", "ORIGIN_US", "REST", "Dim", "listed", "outlined", "stepped"]

NULL: Final = -1
"""The code of no value."""
REST: Final = -2
"""The code of every value that has none of its own."""
ORIGIN_US: Final = -62_135_596_800_000_000
"""Steps of time are counted from the year 1, a Monday, so that no code is below zero."""
_DAY_0: Final = date(1970, 1, 1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS: Final = 60
_US: Final = timedelta(microseconds=1)


class Dim(msgspec.Struct, frozen=True):
    """A column of a cube.

    Attributes:
        name: as predicates name it.
        code: SQL for the code of a row's value.
        column: how the least and greatest values of a code are typed, for ``tell``.
        spans: code -> SQL of its least and of its greatest value; one text when all are the same.
        step: microseconds of each code, for times whose codes need no list.
    """

    name: str
    code: str
    column: Column
    spans: tuple[tuple[int, str, str], ...] = ()
    step: int = 0

    def members(self, present: Iterable[int]) -> str:
        """SQL of ``code, lo, hi`` for these codes."""
        if self.step:
            codes = ", ".join(map(str, present))
            ends = (f"({c}) * {self.step} + {ORIGIN_US}" for c in ("code", "code + 1"))
            lo, hi = ends
            return (
                f"SELECT code, make_timestamp({lo}) AS lo, make_timestamp({hi} - 1) AS hi"
                f" FROM (SELECT unnest([{codes}]::BIGINT[]) AS code)"
            )
        wanted = set(present)
        rows = [f"({c}, {lo}, {hi})" for c, lo, hi in self.spans if c in wanted]
        return f"SELECT * FROM (VALUES {', '.join(rows)}) AS m(code, lo, hi)" if rows else ""

    def at(self, end: str) -> dict[str, Column]:
        """The column as one end of its members."""
        return {self.name: Column(end, self.column.type, self.column.kind, self.column.scale)}

    @property
    def is_axis(self) -> bool:
        """Whether its codes are parts of a range."""
        return bool(self.step) or any(lo != hi for _, lo, hi in self.spans)


def outlined(name: str, known: Outline) -> Dim:
    """A dimension of the bins or values of a summary.

    Args:
        name: the column's real name.
        known: its outline.
    """
    column, value = known.column, identifier(known.column.name)
    if known.axis is None:
        typed = _held(column)
        cases = " ".join(f"WHEN {literal(v)} THEN {n}" for n, v in enumerate(known.values))
        code = f"CASE {text_of(column)} {cases} ELSE {REST} END" if cases else str(REST)
        held = [f"TRY_CAST({literal(v)} AS {typed.type})" for v in known.values]
        return Dim(name, _coded(value, code), typed, tuple((n, v, v) for n, v in enumerate(held)))
    axis, code = known.axis, str(REST)
    if axis.uppers:
        tree = _tree(f"({axis.value})", axis.uppers, 0, len(axis.uppers) - 1)
        code = f"CASE WHEN ({axis.value}) IS NULL THEN {REST} ELSE {tree} END"
    ends = list(zip(_lowers(column, axis.edges), _uppers(column, axis.uppers), strict=False))
    return Dim(name, _coded(value, code), column, tuple((n, *e) for n, e in enumerate(ends)))


def stepped(name: str, column: Column, step: int) -> Dim:
    """A dimension of a time without a zone, in steps counted from 1970.

    Args:
        name: as predicates name it.
        column: a TIMESTAMP.
        step: microseconds.
    """
    ticks = f"(epoch_us({identifier(column.name)}) - {ORIGIN_US})"
    code = f"CASE WHEN {ticks} < 0 THEN {REST} ELSE {ticks} // {step} END"
    return Dim(name, _coded(identifier(column.name), code, "BIGINT"), column, step=step)


def listed(name: str, column: Column, values: Sequence[str], code: str) -> Dim:
    """A dimension of values that are known, each with a code of its own; all others share one.

    Args:
        name: as predicates name it.
        column: of text or ids.
        values: as text, in the order of their codes.
        code: SQL that gives the code.
    """
    held = [f"{literal(v)}::{column.type}" for v in values]
    return Dim(name, code, column, tuple((n, v, v) for n, v in enumerate(held)))


def _coded(value: str, code: str, kind: str = "SMALLINT") -> str:
    return f"CAST(CASE WHEN {value} IS NULL THEN {NULL} ELSE {code} END AS {kind})"


def _held(column: Column) -> Column:
    """How a listed value is held: with its own type where predicates compare with that."""
    is_text = column.kind in {"text", "json", "other"}
    is_own = not is_text or column.type in {*READ_AS_TEXT, "UUID"}
    return column if is_own else Column(column.name, "VARCHAR", "text")


def _tree(value: str, uppers: Sequence[str], first: int, last: int) -> str:
    """The number of the bin, by halves."""
    if first == last:
        return str(first)
    middle = (first + last) // 2
    left, right = _tree(value, uppers, first, middle), _tree(value, uppers, middle + 1, last)
    return f"CASE WHEN {value} <= {uppers[middle]} THEN {left} ELSE {right} END"


def _lowers(column: Column, edges: Sequence[Any]) -> list[str]:
    if column.kind == "float":
        return [f"'{float(e)!r}'::DOUBLE" for e in edges[:-1]]
    if column.kind == "date":
        return [_day((e - _DAY_0).days) for e in edges[:-1]]
    if column.kind == "timestamp":
        per_us = 1000 if column.type == "TIMESTAMP_NS" else 1
        ticks = ((e.replace(tzinfo=UTC) - _EPOCH) // _US * per_us for e in edges[:-1])
        return [_moment(column, n) for n in ticks]
    with localcontext(prec=_DIGITS):
        least = Decimal((exact_range(column) or (0, 0))[0]).scaleb(-(column.scale or 0))
        return [f"'{max(Decimal(e), least):f}'::{column.type}" for e in edges[:-1]]


def _uppers(column: Column, uppers: Sequence[str]) -> list[str]:
    if column.kind == "date":
        return [_day(int(u)) for u in uppers]
    if column.kind == "timestamp":
        return [_moment(column, int(u)) for u in uppers]
    return list(uppers)


def _day(days: int) -> str:
    return f"DATE '1970-01-01' + ({days})::INTEGER"


def _moment(column: Column, ticks: int) -> str:
    if column.type == "TIMESTAMP_NS":
        return f"make_timestamp_ns({ticks}::BIGINT)"
    made = f"make_timestamp({ticks}::BIGINT)"
    return f"({made} AT TIME ZONE {quote('UTC')})" if "ZONE" in column.type else made
