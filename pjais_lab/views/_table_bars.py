"""What lies in a column as the browser draws it, and what is brushed there as a predicate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pjais_lab.core.predicate import AnyOf, Interval, OneOf, Predicate
from pjais_lab.core.predicate_dict import to_dict
from pjais_lab.storage.relation import Summary

__all__ = ["as_bars", "brushed"]


def as_bars(found: Summary) -> dict[str, Any]:
    """A summary as the browser takes it: a label, how many, how many are left, the predicate."""
    column = found.column
    bars = [
        [f"{b.low!s} – {b.high!s}", b.total, b.count, to_dict(b.within(column))] for b in found.bins
    ]
    bars += [[t.value, t.total, t.count, to_dict(OneOf(column, [t.value]))] for t in found.top]
    return {
        "kind": found.kind,
        "bars": bars,
        "nulls": found.nulls,
        "others": found.others,
        "distinct": found.distinct,
        "by": found.by,
    }


def brushed(predicates: Sequence[Predicate]) -> Predicate | None:
    """The predicate for any of these: bins beside each other are one interval, values one list.

    >>> brushed([Interval("x", 0, 5, "left"), Interval("x", 5, 10)])
    Interval(column='x', low=0, high=10, closed='both')
    """
    made: list[Predicate] = []
    for one in predicates:
        last = made[-1] if made else None
        if isinstance(last, Interval) and isinstance(one, Interval) and _are_beside(last, one):
            made[-1] = Interval(one.column, last.low, one.high, one.closed)
        elif isinstance(last, OneOf) and isinstance(one, OneOf) and last.column == one.column:
            made[-1] = OneOf(one.column, [*last.values, *one.values])
        else:
            made.append(one)
    return made[0] if len(made) == 1 else AnyOf(made) if made else None


def _are_beside(left: Interval, right: Interval) -> bool:
    is_met = left.column == right.column and left.high is not None and left.high == right.low
    return is_met and left.closed == "left" and right.has_low
