"""Which codes of a cube's dimension a predicate is true for, and which ones it cuts in two.

Truth comes from the same SQL that rows are asked with, run on the least and the greatest value of
each code: what holds for both ends of a range holds within, since an end of an interval is one
comparison.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import duckdb
import msgspec

from pjais_lab.core.predicate import (
    Contains,
    Interval,
    IsNull,
    Matches,
    OneOf,
    Value,
    utc,
)
from pjais_lab.storage._cubedims import NULL, REST, Dim
from pjais_lab.storage._predicates import literal_sql

__all__ = ["Leaf", "Told", "tell"]

Leaf = Interval | OneOf | IsNull | Contains | Matches
_MOST_VALUES: Final = 200
_NS_YEARS: Final = (1678, 2261)


class Told(msgspec.Struct, frozen=True):
    """What a predicate means for the codes of a dimension.

    Attributes:
        true: all values of these codes satisfy it.
        cut: some values may, others may not.
    """

    true: frozenset[int] = frozenset()
    cut: frozenset[int] = frozenset()


def tell(con: duckdb.DuckDBPyConnection, dim: Dim, present: Iterable[int], leaf: Leaf) -> Told:
    """What a predicate of one column means for the codes that there are.

    Args:
        con: a connection nobody else is using.
        dim: of that column.
        present: the codes.
        leaf: no combination of predicates.

    Raises:
        QueryError: a value does not fit the column.
    """
    codes = frozenset(present)
    own = codes - {NULL, REST}
    if isinstance(leaf, IsNull):
        return Told(codes & {NULL})
    if isinstance(leaf, Interval):
        true, cut = _of_interval(con, dim, own, leaf)
        rest = {REST} if not _leaves_rest_out(dim, leaf) else set[int]()
        return Told(true, cut | (codes & rest))
    if isinstance(leaf, OneOf):
        return _of_values(con, dim, codes, leaf)
    if dim.is_axis or len(leaf.columns) != 1:
        literal_sql(leaf, dim.at("lo"))
        return Told(cut=codes - {NULL})
    told, _ = _asked(con, dim, leaf)
    return Told(told.true & codes, (told.cut | {REST}) & codes)


def _of_interval(
    con: duckdb.DuckDBPyConnection, dim: Dim, own: frozenset[int], leaf: Interval
) -> tuple[frozenset[int], frozenset[int]]:
    """Each end by itself is true from some value on, or up to it."""
    name, closed = leaf.column, leaf.closed
    above = None if leaf.low is None else Interval(name, leaf.low, None, closed)
    below = None if leaf.high is None else Interval(name, None, leaf.high, closed)
    tests = [
        "true" if p is None else literal_sql(p, dim.at(end))
        for p, end in ((above, "lo"), (below, "hi"), (above, "hi"), (below, "lo"))
    ]
    members = dim.members(own)
    if not members:
        return frozenset(), own
    chosen = ", ".join(f"({t})" for t in tests)
    true, cut = set[int](), set[int]()
    for code, *found in con.execute(f"SELECT code, {chosen} FROM ({members})").fetchall():
        is_above, is_below, may_be_above, may_be_below = found
        if is_above and is_below:
            true.add(code)
        elif None in found or (may_be_above and may_be_below):
            cut.add(code)
    return frozenset(true), frozenset(cut)


def _of_values(
    con: duckdb.DuckDBPyConnection, dim: Dim, codes: frozenset[int], leaf: OneOf
) -> Told:
    own = codes - {NULL, REST}
    null = codes & ({NULL} if None in leaf.values else set())
    values = [v for v in leaf.values if v is not None]
    if not values:
        return Told(null)
    if len(values) > _MOST_VALUES:
        literal_sql(leaf, dim.at("lo"))
        return Told(null, codes - null - {NULL})
    if not dim.is_axis:
        told, is_listed = _asked(con, dim, leaf, values)
        rest = frozenset[int]() if is_listed else frozenset({REST})
        return Told((told.true & codes) | null, (told.cut | rest) & codes)
    held = [v for v in values if not _is_nan(v)]
    literal_sql(leaf, dim.at("lo"))
    cut = frozenset[int]()
    for value in held:
        true, some = _of_interval(con, dim, own, Interval(leaf.column, value, value))
        cut |= true | some
    is_rest_out = len(held) == len(values) and all(
        _leaves_rest_out(dim, Interval(leaf.column, v, v)) for v in held
    )
    return Told(null, cut if is_rest_out else cut | (codes & {REST}))


def _asked(
    con: duckdb.DuckDBPyConnection, dim: Dim, leaf: Leaf, values: Sequence[Value] = ()
) -> tuple[Told, bool]:
    """What it means for the codes of listed values, and whether each of these values is listed."""
    whole = literal_sql(leaf, dim.at("lo"))
    each = [literal_sql(OneOf(dim.name, [v]), dim.at("lo")) for v in values]
    members = dim.members(code for code, _, _ in dim.spans)
    if not members:
        return Told(), not values
    chosen = ", ".join(f"({t})" for t in ["lo IS NULL", whole, *each])
    rows = con.execute(f"SELECT code, {chosen} FROM ({members})").fetchall()
    matched = sum(any(row[3 + n] for row in rows) for n in range(len(each)))
    true = frozenset(code for code, is_lost, is_true, *_ in rows if is_true and not is_lost)
    return Told(true, frozenset(row[0] for row in rows if row[1])), matched == len(each)


def _leaves_rest_out(dim: Dim, leaf: Interval) -> bool:
    """Whether no value without a bin can lie in it: NaN, infinity, years that Python does not have."""
    if not dim.is_axis:
        return False
    return all(_is_plain(dim, end) for end in (leaf.low, leaf.high))


def _is_plain(dim: Dim, end: Value) -> bool:
    if end is None or isinstance(end, str):
        return False
    if isinstance(end, float):
        return math.isfinite(end)
    if dim.column.type == "TIMESTAMP_NS":
        first, last = _NS_YEARS
        return isinstance(end, datetime) and first <= utc(end).year <= last
    return True


def _is_nan(value: Value) -> bool:
    return value != value  # noqa: PLR0124 - NaN alone differs from itself
