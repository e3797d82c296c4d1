"""What lies in a column, in one or two scans: a histogram, or the values that are there most often.

The bins and values are those of all rows, so that they stay where they are while filters change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any, Final, Literal

import duckdb
import msgspec

from pjais_lab.core.bins import date_edges, number_edges, time_edges
from pjais_lab.core.predicate import Interval, Value
from pjais_lab.storage._predicates import Columns, bound_sql, literal
from pjais_lab.storage._typemap import Column, exact_range, identifier, text_of

__all__ = ["Bin", "Outline", "Summary", "Top", "outline", "summarise", "totalled"]

MOST_BINS: Final = 32
MOST_VALUES: Final = 12
_LONGEST_VALUE: Final = 200
_MANY: Final = 50_000
_UNIQUE: Final = 0.5
_DAY_0: Final = date(1970, 1, 1)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - naive means UTC here
_YEARS: Final = ("0001-01-01", "9999-12-31 23:59:59.999999")
_NS_YEARS: Final = ("1677-09-22", "2262-04-11")
_EXACT_DOUBLE: Final = 10**15
_US: Final = timedelta(microseconds=1)


class Bin(msgspec.Struct, frozen=True):
    """A part of a column's range.

    Attributes:
        low: where it begins.
        high: where it ends; the value itself belongs to the next one, if there is a next one.
        total: how many of all rows lie in it.
        count: how many of those asked for.
        is_closed: whether ``high`` belongs to it.
    """

    low: Value
    high: Value
    total: int
    count: int
    is_closed: bool = False

    def within(self, column: str) -> Interval:
        """The predicate that finds its rows."""
        return Interval(column, self.low, self.high, "both" if self.is_closed else "left")


class Top(msgspec.Struct, frozen=True):
    """A value that is there often.

    Attributes:
        value: as text, as a page shows it.
        total: how many of all rows have it.
        count: how many of those asked for.
    """

    value: str
    total: int
    count: int


class Summary(msgspec.Struct, frozen=True):
    """What lies in a column, for the rows asked for.

    Attributes:
        column: its name.
        kind: ``histogram`` with bins, or ``top`` with values.
        rows: how many rows were asked for.
        nulls: how many of them have no value.
        others: how many have a value that neither a bin nor a listed value counts: NaN, infinity,
            years beyond 1 to 9999, and whatever is there less often.
        bins: in order.
        top: the most frequent first.
        distinct: about how many different values all rows have; None for histograms.
        by: whether the rows were counted, or a cube had counted them before.
    """

    column: str
    kind: str
    rows: int
    nulls: int
    others: int
    bins: tuple[Bin, ...] = ()
    top: tuple[Top, ...] = ()
    distinct: int | None = None
    by: Literal["rows", "cube"] = "rows"


class Axis(msgspec.Struct, frozen=True):
    """Where a histogram's bins are.

    Attributes:
        value: SQL for the value that is counted; null for one that no bin can hold.
        edges: of the bins, one more than there are bins.
        uppers: SQL for the last value of each bin.
        is_closed: whether the last edge belongs to the last bin.
        is_wide: whether doubles, as which DuckDB's ``histogram`` takes decimals, cannot hold them.
    """

    value: str
    edges: tuple[Value, ...]
    uppers: tuple[str, ...]
    is_closed: bool
    is_wide: bool = False


class Outline(msgspec.Struct, frozen=True):
    """What is known of a column for all rows.

    Attributes:
        column: as the scan has it.
        axis: None where values are listed.
        values: those that are listed.
        totals: how many rows each bin or value has.
        distinct: about how many values there are.
    """

    column: Column
    axis: Axis | None
    values: tuple[str, ...]
    totals: tuple[int, ...]
    distinct: int | None = None


def outline(con: duckdb.DuckDBPyConnection, source: str, column: Column) -> Outline:
    """Find bins or values for a column.

    Args:
        con: a connection nobody else is using.
        source: what stands after FROM.
        column: which.
    """
    axis = _axis(con, source, column)
    if axis is not None:
        sql = f"SELECT {_histogram(axis)} FROM {source}"
        counts = _row(con, sql)[0] if axis.uppers else None
        return Outline(column, axis, (), _counts(counts, axis))
    text = text_of(column)
    counted = "count(*), approx_count_distinct" if column.kind != "blob" else "0, count"
    rows, distinct = _row(con, f"SELECT {counted}({identifier(column.name)}) FROM {source}")
    if column.kind == "blob" or (distinct > _MANY and distinct > rows * _UNIQUE):
        return Outline(column, None, (), (), None if column.kind == "blob" else distinct)
    found = con.execute(
        f"SELECT {text} AS v, count(*) AS n FROM {source}"
        f" WHERE length(v) <= {_LONGEST_VALUE} GROUP BY v ORDER BY n DESC, v LIMIT {MOST_VALUES}"
    ).fetchall()
    if rows > MOST_VALUES and found and found[0][1] == 1:  # all of them differ
        found = []
    values, totals = tuple(str(r[0]) for r in found), tuple(int(r[1]) for r in found)
    return Outline(column, None, values, totals, distinct)


def summarise(
    con: duckdb.DuckDBPyConnection, source: str, known: Outline, where: Any, columns: Columns
) -> Summary:
    """Count the rows of a predicate in the bins or values of a column.

    Args:
        con: a connection nobody else is using.
        source: what stands after FROM.
        known: the column, for all rows.
        where: which rows; all of them if None.
        columns: what is there, by the names that predicates use.
    """
    condition, values = bound_sql(where, columns)
    name, axis = identifier(known.column.name), known.axis
    if axis is not None:
        sql = f"SELECT count(*), count({name}), {_histogram(axis)} FROM {source} WHERE {condition}"
        rows, filled, found = _row(con, sql, values)
        counts = _counts(found, axis)
        return totalled(known, rows, rows - filled, filled - sum(counts), counts)
    listed = ", ".join(map(literal, known.values)) or "NULL"
    sql = f"SELECT {text_of(known.column)} AS v FROM {source} WHERE {condition}"
    rows, filled = _row(
        con, f"SELECT count(*), count({name}) FROM {source} WHERE {condition}", values
    )
    found = con.execute(f"SELECT v, count(*) FROM ({sql}) WHERE v IN ({listed}) GROUP BY v", values)
    by_value = dict(found.fetchall())
    counts = tuple(by_value.get(value, 0) for value in known.values)
    return totalled(known, rows, rows - filled, filled - sum(counts), counts)


def totalled(known: Outline, rows: int, nulls: int, others: int, counts: Sequence[int]) -> Summary:
    """A summary of what was counted.

    Args:
        known: the column's bins or values.
        rows: how many rows there are.
        nulls: how many have no value.
        others: how many have a value without a bin or place of its own.
        counts: of each bin or value.
    """
    name, axis = known.column.name, known.axis
    if axis is None:
        listed = zip(known.values, known.totals, counts, strict=True)
        top = tuple(Top(value, total, n) for value, total, n in listed)
        return Summary(name, "top", rows, nulls, others, top=top, distinct=known.distinct)
    ends = zip(axis.edges, axis.edges[1:], known.totals, counts, strict=False)
    bins = [Bin(low, high, total, n) for low, high, total, n in ends]
    if bins and axis.is_closed:
        bins[-1] = msgspec.structs.replace(bins[-1], is_closed=True)
    return Summary(name, "histogram", rows, nulls, others, tuple(bins))


def _histogram(axis: Axis) -> str:
    if axis.uppers and not axis.is_wide:
        return f"map_values(histogram({axis.value}, [{', '.join(axis.uppers)}]))"
    above = ["", *(f"{axis.value} > {u} AND " for u in axis.uppers)]
    counts = (
        f"count(*) FILTER ({a}{axis.value} <= {u})"
        for a, u in zip(above, axis.uppers, strict=False)
    )
    return f"[{', '.join(counts)}]"


def _counts(found: Sequence[int] | None, axis: Axis) -> tuple[int, ...]:
    return tuple(found or [0] * len(axis.uppers))


def _row(con: duckdb.DuckDBPyConnection, sql: str, values: Any = None) -> tuple[Any, ...]:
    row = (con.execute(sql, values) if values else con.execute(sql)).fetchone()
    assert row is not None
    return row


# ---------------------------------------------------------------- where the bins are


def _axis(con: duckdb.DuckDBPyConnection, source: str, column: Column) -> Axis | None:
    """None for a column that has no axis."""
    name = identifier(column.name)
    if column.kind == "float":
        value = f"CASE WHEN isfinite({name}) THEN CAST({name} AS DOUBLE) END"
    elif column.kind in {"integer", "exact"} and exact_range(column) is not None:
        value = name
    elif column.kind in {"date", "timestamp"}:
        value = _ticks(column)
    else:
        return None
    sql = f"SELECT CAST(min({value}) AS VARCHAR), CAST(max({value}) AS VARCHAR) FROM {source}"
    low, high = _row(con, sql)
    if low is None:
        return Axis(value, (), (), is_closed=False)
    make = {"float": _of_floats, "date": _of_dates, "timestamp": _of_times}.get(
        column.kind, _of_exact
    )
    edges, uppers, is_closed = make(column, Decimal(low), Decimal(high))
    is_wide = bool(column.scale) and (exact_range(column) or (0, 0))[1] > _EXACT_DOUBLE
    return Axis(value, tuple(edges), tuple(uppers), is_closed=is_closed, is_wide=is_wide)


def _ticks(column: Column) -> str:
    """Days or microseconds since 1970, nanoseconds where the column has them; null beyond the years."""
    name = identifier(column.name)
    first, last = _NS_YEARS if column.type == "TIMESTAMP_NS" else _YEARS
    if column.kind == "date":
        last, ticks = last[:10], f"CAST({name} - DATE '1970-01-01' AS BIGINT)"
    elif column.type == "TIMESTAMP_NS":
        ticks = f"epoch_ns({name})"
    else:
        ticks = f"epoch_us({name})"
    is_known = f"{name} BETWEEN '{first}'::{column.type} AND '{last}'::{column.type}"
    return f"CASE WHEN {is_known} THEN {ticks} END"


Found = tuple[Sequence[Value], list[str], bool]


def _of_exact(column: Column, low: Decimal, high: Decimal) -> Found:
    scale = column.scale or 0
    with localcontext(prec=60):
        unit = Decimal(1).scaleb(-scale)
        edges = number_edges(low, high, unit, MOST_BINS)
        most = Decimal((exact_range(column) or (0, 0))[1]).scaleb(-scale)
        uppers = [f"'{min(e - unit, most):f}'::{column.type}" for e in edges[1:]]
    return [int(e) if scale == 0 else e for e in edges], uppers, False


def _of_floats(_column: Column, low: Decimal, high: Decimal) -> Found:
    edges = sorted({float(e) for e in number_edges(low, high, None, MOST_BINS)})
    top = float(high)
    if edges[-1] <= top or math.isinf(edges[-1]):
        edges = [*(e for e in edges if e < top), top]
        uppers = [*(math.nextafter(e, -math.inf) for e in edges[1:-1]), top]
        return edges, [f"'{u!r}'::DOUBLE" for u in uppers], True
    return edges, [f"'{math.nextafter(e, -math.inf)!r}'::DOUBLE" for e in edges[1:]], False


def _of_dates(_column: Column, low: Decimal, high: Decimal) -> Found:
    first, last = (_DAY_0 + timedelta(days=int(t)) for t in (low, high))
    edges = date_edges(first, last, MOST_BINS)
    is_closed = edges[-1] <= last
    days = [(e - _DAY_0).days - 1 for e in edges[1:]]
    days[-1] += is_closed
    return edges, [str(d) for d in days], is_closed


def _of_times(column: Column, low: Decimal, high: Decimal) -> Found:
    per_us = 1000 if column.type == "TIMESTAMP_NS" else 1
    first, last = (_EPOCH + timedelta(microseconds=int(t // per_us)) for t in (low, high))
    edges = time_edges(first, last, MOST_BINS)
    is_closed = edges[-1] <= last
    ticks = [(e - _EPOCH) // _US * per_us - 1 for e in edges[1:]]
    ticks[-1] += is_closed
    is_zoned = "ZONE" in column.type
    return (
        [e.replace(tzinfo=UTC) if is_zoned else e for e in edges],
        [str(t) for t in ticks],
        is_closed,
    )
