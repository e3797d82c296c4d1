"""What somebody did in a view, as the Python that does the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pjais_lab.core.predicate import (
    All,
    AnyOf,
    Contains,
    Interval,
    IsNull,
    Matches,
    Not,
    OneOf,
    Predicate,
)

__all__ = ["call", "predicate"]


def predicate(given: Predicate) -> str:
    """A predicate as it is typed in a notebook.

    >>> print(predicate(Interval("age", 18, closed="left") & ~OneOf("name", ["Ada"])))
    pj.Interval('age', 18, closed='left') & ~pj.OneOf('name', ['Ada'])
    """
    if isinstance(given, Interval):
        return _interval(given)
    if isinstance(given, OneOf):
        return f"pj.OneOf({given.column!r}, [{', '.join(map(_value, given.values))}])"
    if isinstance(given, (Contains, Matches)):
        return _words(given)
    if isinstance(given, IsNull):
        return f"pj.IsNull({given.column!r})"
    if isinstance(given, Not):
        return f"~{_within(given.predicate)}"
    assert isinstance(given, (All, AnyOf))
    glue = " & " if isinstance(given, All) else " | "
    empty = "~pj.OneOf('', [])" if isinstance(given, All) else "pj.OneOf('', [])"
    return glue.join(map(_within, given.predicates)) or empty


def _interval(given: Interval) -> str:
    parts = [repr(given.column)]
    if given.low is not None:
        parts.append(_value(given.low))
    if given.high is not None:
        parts.append(f"high={_value(given.high)}")
    if given.closed != "both":
        parts.append(f"closed={given.closed!r}")
    return f"pj.Interval({', '.join(parts)})"


def _words(given: Contains | Matches) -> str:
    is_contains = isinstance(given, Contains)
    name, words = (
        ("Contains", given.text) if isinstance(given, Contains) else ("Matches", given.regex)
    )
    case = "" if given.case is not is_contains else f", case={given.case}"
    return f"pj.{name}({words!r}, {list(given.columns)!r}{case})"


def _within(given: Predicate) -> str:
    is_long = isinstance(given, (All, AnyOf)) and len(given.predicates) > 1
    return f"({predicate(given)})" if is_long else predicate(given)


def _value(value: Any) -> str:
    if isinstance(value, float) and repr(value) in {"nan", "inf", "-inf"}:
        return f"float({str(value)!r})"
    if isinstance(value, datetime) and value.tzinfo is not None:
        return f"datetime.datetime.fromisoformat({value.isoformat()!r})"
    module = type(value).__module__
    return f"{module}.{value!r}" if module in {"decimal", "uuid"} else repr(value)


def call(function: str, first: str, **keywords: str | None) -> str:
    """A call as it is typed; keywords without a value are left out."""
    given = [first, *(f"{name}={value}" for name, value in keywords.items() if value)]
    return f"{function}({', '.join(given)})"
