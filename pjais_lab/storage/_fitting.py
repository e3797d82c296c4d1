"""Values as a column compares with them: exactly, or not at all.

An end of an interval is moved to the nearest value that the column can hold; it then belongs to the
interval itself.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal, InvalidOperation
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from pjais_lab.core.predicate import Value, short, utc
from pjais_lab.errors import QueryError
from pjais_lab.storage._typemap import Column, exact_range

__all__ = ["READ_AS_TEXT", "Rounding", "Term", "fit"]

Rounding = Literal["up", "down"]
READ_AS_TEXT: Final = frozenset(
    {"TIME_NS", "TIME WITH TIME ZONE", "INTERVAL"}
    | {f"TIMESTAMP{end}" for end in ("", "_S", "_MS", "_NS", " WITH TIME ZONE")}
)
"""Types whose text DuckDB reads, so that infinity, the years BC and nanoseconds are what they say."""
_NS_FIRST: Final = datetime(1677, 9, 22)  # noqa: DTZ001 - naive means UTC here
_NS_LAST: Final = datetime(2262, 4, 11)  # noqa: DTZ001
_MAX_DIGITS: Final = 400
_WIDE: Final = Context(prec=1000)


class Term(msgspec.Struct, frozen=True):
    """A value to compare a column with.

    Attributes:
        value: what to bind or write.
        type: what to cast it to; None when it is of the right type already.
        is_moved: it is the nearest value that the column holds, not the one that was asked for.
        beyond: -1 or 1 when all that the column holds is greater or less; there is no value then.
    """

    value: Any = None
    type: str | None = None
    is_moved: bool = False
    beyond: Literal[-1, 0, 1] = 0


def fit(column: Column, value: Value, rounding: Rounding, name: str) -> Term:
    """A value as its column has it; text is read as a page shows it.

    Args:
        column: what it is compared with.
        value: not None.
        rounding: the side to look on for a value that the column holds.
        name: how the user knows the column.

    Raises:
        QueryError: the column holds no values of that kind.
    """
    try:
        found = _fitted(column, value, rounding)
    except (ValueError, InvalidOperation):
        found = None
    if found is None:
        msg = (
            f"{short(value)} is no value of the column {name!r}, whose type is {column.type[:60]}."
        )
        raise QueryError(msg, column=name, value=value)
    return found


def _fitted(column: Column, value: Value, rounding: Rounding) -> Term | None:
    if column.kind in {"integer", "exact", "float"}:
        return _number(column, value, rounding)
    if column.kind in {"date", "timestamp"}:
        return _moment(column, value, rounding)
    if column.kind == "bool":
        is_word = isinstance(value, str) and value.lower() in {"true", "false"}
        word = value.lower() == "true" if is_word and isinstance(value, str) else value
        return Term(word) if isinstance(word, bool) else None
    if column.type == "UUID":
        return Term(value if isinstance(value, UUID) else UUID(_text(value)))
    if column.kind == "time" or column.type in READ_AS_TEXT:
        return _cast(column, value)
    if isinstance(value, bytes):
        return Term(value) if column.kind == "blob" else None
    return Term(_text(value))


def _text(value: Value) -> str:
    if isinstance(value, (str, UUID)):
        return str(value)
    raise ValueError


def _cast(column: Column, value: Value) -> Term | None:
    if not isinstance(value, time):
        return Term(_text(value), column.type)
    is_zoned = column.type == "TIME WITH TIME ZONE"
    if column.kind != "time" or (value.tzinfo is not None) != is_zoned:
        return None
    return Term(value.isoformat(), column.type)


# ---------------------------------------------------------------- numbers


def _number(column: Column, value: Value, rounding: Rounding) -> Term | None:
    if isinstance(value, str):
        value = float(value) if column.kind == "float" else _decimal(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    if isinstance(value, float) and math.isnan(value):
        return Term(value) if column.kind == "float" else Term(beyond=1)
    return (
        _as_float(column, value, rounding)
        if column.kind == "float"
        else _as_exact(column, value, rounding)
    )


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > _MAX_DIGITS or len(text) > _MAX_DIGITS:
        raise ValueError
    return number


def _as_float(column: Column, value: float | Decimal, rounding: Rounding) -> Term:
    kind = None if column.type == "DOUBLE" else "DOUBLE"
    try:
        near = float(value)
    except OverflowError:
        near = math.inf if value > 0 else -math.inf
    if near == value:
        return Term(near, kind)
    if rounding == "up" and near < value:
        near = math.nextafter(near, math.inf)
    elif rounding == "down" and near > value:
        near = math.nextafter(near, -math.inf)
    return Term(near, kind, is_moved=True)


def _as_exact(column: Column, value: float | Decimal, rounding: Rounding) -> Term:
    if isinstance(value, float) and math.isinf(value):
        return Term(beyond=1 if value > 0 else -1)
    scale = column.scale or 0
    above, below = value.as_integer_ratio()
    units, rest = divmod(above * 10**scale, below)
    if rest and rounding == "up":
        units += 1
    least, most = exact_range(column) or (units, units)
    if not least <= units <= most:
        return Term(beyond=1 if units > most else -1)
    exact = Decimal(units).scaleb(-scale, _WIDE) if scale else units
    return Term(exact, column.type, is_moved=bool(rest))


# ---------------------------------------------------------------- moments


def _moment(column: Column, value: Value, rounding: Rounding) -> Term | None:
    if isinstance(value, str):
        return Term(value, column.type)
    if not isinstance(value, date):
        return None
    at = utc(value) if isinstance(value, datetime) else datetime.combine(value, time.min)
    if column.kind == "date":
        return _as_date(at, rounding)
    if column.type == "TIMESTAMP_NS":
        if not _NS_FIRST <= at <= _NS_LAST:
            return Term(beyond=1 if at > _NS_LAST else -1)
        return Term(at, column.type)
    return Term(at.replace(tzinfo=UTC) if "ZONE" in column.type else at)


def _as_date(at: datetime, rounding: Rounding) -> Term:
    day, is_moved = at.date(), at.time() != time.min
    if is_moved and rounding == "up":
        if day == date.max:
            return Term(beyond=1)
        day += timedelta(days=1)
    return Term(day, is_moved=is_moved)
