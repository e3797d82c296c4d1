"""Predicates: which rows, as values that travel; ``core.predicate_dict`` has them as JSON.

A predicate is true or false for a row, never unknown: null and NaN lie in no interval, and ``Not``
holds for every row for which the other does not. Numbers compare by their exact values, as Python
compares them: no float equals ``Decimal("0.1")``. A moment without a zone is in UTC.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from pjais_lab.core.codec import is_text
from pjais_lab.core.spelling import SpelledMeta
from pjais_lab.errors import QueryError

__all__ = [
    "MAX_DEPTH",
    "MAX_ITEMS",
    "VALUES",
    "All",
    "AnyOf",
    "Closed",
    "Contains",
    "Interval",
    "IsNull",
    "Matches",
    "Not",
    "OneOf",
    "Predicate",
    "Value",
    "all_of",
    "columns_of",
    "short",
    "utc",
]

Value = None | bool | int | float | str | Decimal | datetime | date | time | UUID | bytes
Closed = Literal["both", "left", "right", "neither"]

VALUES: Final = (bool, int, float, str, Decimal, datetime, date, time, UUID, bytes)
MAX_DEPTH: Final = 32
"""How deep predicates may lie in each other."""
MAX_ITEMS: Final = 10_000
"""How many values or predicates one may list."""
_MAX_DIGITS: Final = 400
_TOO_LARGE: Final = 10**_MAX_DIGITS
_SHOWN: Final = 60
_CLOSED: Final = ("both", "left", "right", "neither")


class Predicate(msgspec.Struct, frozen=True, metaclass=SpelledMeta):
    """The base of all predicates; ``&``, ``|`` and ``~`` combine them.

    >>> IsNull("cause") & ~OneOf("name", ["Ada"])
    All(predicates=(IsNull(column='cause'), Not(predicate=OneOf(column='name', values=('Ada',)))))
    """

    def __and__(self, other: Predicate) -> All:
        return All((*_parts(self, All), *_parts(other, All)))

    def __or__(self, other: Predicate) -> AnyOf:
        return AnyOf((*_parts(self, AnyOf), *_parts(other, AnyOf)))

    def __invert__(self) -> Not:
        return Not(self)


class Interval(Predicate, frozen=True):
    """A value from ``low`` to ``high``; an end of None is open.

    Args:
        column: its name.
        low: the lower end.
        high: the upper end.
        closed: which ends belong to it.

    Raises:
        QueryError: an end is no value, is NaN, or the ends do not compare.
    """

    column: str
    low: Value = None
    high: Value = None
    closed: Closed = "both"

    def __post_init__(self) -> None:
        _check_column(self.column)
        if self.closed not in _CLOSED:
            msg = f"closed={short(self.closed)} of an interval; expected {', '.join(_CLOSED)}."
            raise QueryError(msg)
        for name in ("low", "high"):
            end = _value(getattr(self, name), f"an end of the interval of {self.column!r}")
            if _is_nan(end):
                msg = f"NaN is no end of an interval ({self.column!r})."
                raise QueryError(msg, hint="OneOf(column, [nan]) finds NaN.")
            msgspec.structs.force_setattr(self, name, end)
        ends = [_class_of(v) for v in (self.low, self.high) if v is not None]
        if len(set(ends)) > 1:
            ends_text = f"{self.low!r} and {self.high!r}"
            msg = f"The ends of the interval of {self.column!r} do not compare: {ends_text}."
            raise QueryError(msg)

    @property
    def has_low(self) -> bool:
        """Whether ``low`` itself belongs to it."""
        return self.closed in {"both", "left"}

    @property
    def has_high(self) -> bool:
        """Whether ``high`` itself belongs to it."""
        return self.closed in {"both", "right"}


class OneOf(Predicate, frozen=True):
    """One of some values; None finds null, NaN finds NaN, and no values find nothing.

    Args:
        column: its name.
        values: at most 10,000 of them.

    Raises:
        QueryError: something among them is no value.
    """

    column: str
    values: Collection[Value]

    def __post_init__(self) -> None:
        _check_column(self.column)
        if isinstance(self.values, (str, bytes)) or not isinstance(self.values, Collection):
            msg = f"values={short(self.values)} for {self.column!r}; expected a list of values."
            raise QueryError(msg)
        if len(self.values) > MAX_ITEMS:
            msg = f"{len(self.values):,} values for {self.column!r}; at most {MAX_ITEMS:,} can be asked."
            raise QueryError(msg, hint="Use an Interval, or a join in SQL.")
        what = f"one of the values of {self.column!r}"
        kept = (_value(v, what) for v in self.values)
        made = tuple(math.nan if _is_nan(v) else v for v in kept)
        msgspec.structs.force_setattr(self, "values", made)


class Contains(Predicate, frozen=True):
    """Some of the columns, as text, has ``text`` in it.

    Args:
        text: what to look for, as it is.
        columns: where; at least one.
        case: whether capitals matter.
    """

    text: str
    columns: Collection[str]
    case: bool = False

    def __post_init__(self) -> None:
        _check_words(self, "contains", self.text)


class Matches(Predicate, frozen=True):
    """Some of the columns, as text, has a match of a regular expression (RE2's) in it.

    Args:
        regex: the expression.
        columns: where; at least one.
        case: whether capitals matter.
    """

    regex: str
    columns: Collection[str]
    case: bool = True

    def __post_init__(self) -> None:
        _check_words(self, "matches", self.regex)


class IsNull(Predicate, frozen=True):
    """No value."""

    column: str

    def __post_init__(self) -> None:
        _check_column(self.column)


class Not(Predicate, frozen=True):
    """The rows for which another predicate is not true."""

    predicate: Predicate

    def __post_init__(self) -> None:
        _check_predicate(self.predicate)


class All(Predicate, frozen=True):
    """The rows for which all are true; every row if there are none."""

    predicates: Collection[Predicate]

    def __post_init__(self) -> None:
        _keep_predicates(self)


class AnyOf(Predicate, frozen=True):
    """The rows for which at least one is true; no row if there are none."""

    predicates: Collection[Predicate]

    def __post_init__(self) -> None:
        _keep_predicates(self)


def all_of(predicates: Sequence[Predicate]) -> Predicate | None:
    """The predicate that holds when all of these do; None when there are none.

    >>> all_of([IsNull("cause")]), all_of([])
    (IsNull(column='cause'), None)
    """
    return predicates[0] if len(predicates) == 1 else All(predicates) if predicates else None


def columns_of(predicate: Predicate) -> frozenset[str]:
    """The names of the columns that a predicate looks at.

    >>> sorted(columns_of(Interval("age", 18) | IsNull("name")))
    ['age', 'name']
    """
    if isinstance(predicate, (Interval, OneOf, IsNull)):
        return frozenset([predicate.column])
    if isinstance(predicate, (Contains, Matches)):
        return frozenset(predicate.columns)
    if isinstance(predicate, Not):
        return columns_of(predicate.predicate)
    assert isinstance(predicate, (All, AnyOf))
    return frozenset[str]().union(*map(columns_of, predicate.predicates))


def utc(value: datetime) -> datetime:
    """A moment without its zone, in UTC; naive means UTC."""
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


def short(value: Any) -> str:
    """A value as a message shows it."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no integers of thousands of digits
        return f"a huge {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}…"


# ---------------------------------------------------------------- checks


def _check_column(name: Any) -> None:
    if not isinstance(name, str) or not name or not is_text(name) or "\0" in name:
        msg = f"{short(name)} is no name of a column; expected text."
        raise QueryError(msg)


def _value(given: Any, what: str) -> Value:
    """A value of one of our types, of no subclass of it; numpy's numbers become Python's."""
    kind = getattr(getattr(given, "dtype", None), "kind", "-")
    value = given.item() if kind in "biuf" and not getattr(given, "shape", ()) else given
    if value is not None and not isinstance(value, VALUES):
        msg = f"{short(value)} cannot be {what}; it is of type {type(value).__name__}."
        raise QueryError(msg)
    if isinstance(value, str) and not is_text(value):
        msg = f"Half of a surrogate pair, which is not text, cannot be {what}."
        raise QueryError(msg)
    if isinstance(value, (int, Decimal)) and _is_excessive(value):
        msg = f"{short(value)} cannot be {what}; numbers have at most {_MAX_DIGITS} digits."
        raise QueryError(msg, hint="Leave an end of an interval out to have it open.")
    for cls in (bool, int, float, str):
        if isinstance(value, cls):
            return cls(value)
    if isinstance(value, datetime):
        try:
            utc(value)
        except OverflowError:
            msg = f"{value!r} cannot be {what}; in UTC it lies beyond the years 1 to 9999."
            raise QueryError(msg) from None
        return datetime.combine(value.date(), value.timetz())
    return value


def _is_excessive(value: int | Decimal) -> bool:
    if isinstance(value, int):
        return abs(value) >= _TOO_LARGE
    if value.is_nan():
        return False
    exponent = value.as_tuple().exponent
    is_long = len(value.as_tuple().digits) > _MAX_DIGITS
    return not isinstance(exponent, int) or is_long or abs(exponent) > _MAX_DIGITS


def _check_words(predicate: Contains | Matches, kind: str, text: Any) -> None:
    if not isinstance(text, str) or not is_text(text):
        msg = f"{short(text)} cannot be looked for by {kind!r}; expected text."
        raise QueryError(msg)
    given: Any = predicate.columns
    if isinstance(given, (str, bytes)) or not isinstance(given, Collection) or not given:
        msg = f"columns={short(given)} of {kind!r}; expected a list of at least one name."
        raise QueryError(msg)
    for name in given:
        _check_column(name)
    if not isinstance(predicate.case, bool):
        msg = f"case={short(predicate.case)} of {kind!r}; expected true or false."
        raise QueryError(msg)
    msgspec.structs.force_setattr(predicate, "columns", tuple(given))


def _check_predicate(value: Any) -> None:
    if not isinstance(value, Predicate) or type(value) is Predicate:
        msg = f"{short(value)} is no predicate; expected Interval, OneOf, Contains or another."
        raise QueryError(msg)
    if _depth(value) > MAX_DEPTH:
        msg = f"The predicate is nested more than {MAX_DEPTH} deep."
        raise QueryError(msg, hint="Combine more of them with one & or |.")


def _depth(predicate: Predicate) -> int:
    if isinstance(predicate, Not):
        return 1 + _depth(predicate.predicate)
    if isinstance(predicate, (All, AnyOf)):
        return 1 + max(map(_depth, predicate.predicates), default=0)
    return 1


def _parts(predicate: Predicate, cls: type[All | AnyOf]) -> Collection[Predicate]:
    return predicate.predicates if isinstance(predicate, cls) else (predicate,)


def _keep_predicates(predicate: All | AnyOf) -> None:
    given: Any = predicate.predicates
    if not isinstance(given, Collection) or isinstance(given, (str, bytes, Mapping)):
        msg = f"{short(given)} is no list of predicates."
        raise QueryError(msg)
    if len(given) > MAX_ITEMS:
        msg = f"{len(given):,} predicates in one; at most {MAX_ITEMS:,} can be asked."
        raise QueryError(msg)
    for item in given:
        _check_predicate(item)
    msgspec.structs.force_setattr(predicate, "predicates", tuple(given))


def _is_nan(value: Value) -> bool:
    return (isinstance(value, float) and math.isnan(value)) or (
        isinstance(value, Decimal) and value.is_nan()
    )


def _class_of(value: Value) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float, Decimal)):
        return "number"
    return "moment" if isinstance(value, date) else type(value).__name__
