"""When a new value is the old one: null is null, NaN is NaN, a list has an order, a set has none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

__all__ = ["is_same_frame", "is_same_value"]


def is_same_frame(a: pl.DataFrame, b: pl.DataFrame, *, has_order: bool) -> bool:
    """Whether two results have the same columns, types and rows.

    Args:
        a: one result.
        b: the other.
        has_order: the order of rows counts.
    """
    if a is b:
        return True
    if a.schema != b.schema or list(a.schema) != list(b.schema) or a.height != b.height:
        return False
    if a.equals(b, null_equal=True):
        return True
    return not has_order and a.width > 0 and _by_hash(a).equals(_by_hash(b), null_equal=True)


def is_same_value(a: Any, b: Any) -> bool:
    """Whether two values of a trait are the same; what cannot be compared differs."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    try:
        if isinstance(a, float):
            return bool(a == b) or (math.isnan(a) and math.isnan(b))
        if isinstance(a, pl.DataFrame):
            return is_same_frame(a, b, has_order=True)
        if isinstance(a, Mapping):
            return list(a) == list(b) and all(is_same_value(a[k], b[k]) for k in a)
        if isinstance(a, Sequence) and not isinstance(a, (str, bytes)):
            pairs = zip(a, b, strict=False)
            return len(a) == len(b) and all(is_same_value(x, y) for x, y in pairs)
        return bool(a == b)
    except Exception:  # noqa: BLE001 - a user's class may refuse to compare; then it is news
        return False


def _by_hash(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows in an order that depends on the rows alone, so that equal multisets become equal lists."""
    return frame[frame.hash_rows().arg_sort()]
