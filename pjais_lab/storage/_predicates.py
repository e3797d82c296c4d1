"""Predicates as SQL: with bound values to run, with literals to read. Both mean the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

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
    Value,
)
from pjais_lab.core.spelling import near
from pjais_lab.errors import QueryError
from pjais_lab.storage._fitting import READ_AS_TEXT, Rounding, Term, fit
from pjais_lab.storage._typemap import Column, identifier, text_of
from pjais_lab.storage.duck import quote

__all__ = ["bound_sql", "literal", "literal_sql", "subject"]

Columns = Mapping[str, Column]
_SHORT_DIGITS: Final = 15
_INT64: Final = 2**63
_FALSE: Final = "false"
_TRUE: Final = "true"


def bound_sql(predicate: Predicate | None, columns: Columns) -> tuple[str, dict[str, Any]]:
    """A condition with parameters ``$p1``, … and their values.

    Args:
        predicate: which rows; all of them if None.
        columns: what is there, by the names that predicates use.

    Raises:
        QueryError: it names a column that is not there, or a value that its column cannot hold.
    """
    values: dict[str, Any] = {}

    def bind(term: Term) -> str:
        name, value = f"p{len(values) + 1}", term.value
        is_wide = isinstance(value, Decimal) or (isinstance(value, int) and abs(value) >= _INT64)
        values[name] = str(value) if is_wide else value
        return f"CAST(${name} AS {term.type})" if term.type else f"${name}"

    return (_TRUE if predicate is None else _Writer(bind, columns).write(predicate)), values


def literal_sql(predicate: Predicate | None, columns: Columns | None = None) -> str:
    """The same for people.

    Args:
        predicate: which rows; all of them if None.
        columns: what is there, by name; without it, columns are taken as they are named.

    Raises:
        QueryError: as for ``bound_sql``.

    >>> print(literal_sql(Interval("age", 18, 30, closed="left") & ~OneOf("name", ["Ada", None])))
    "age" >= 18 AND "age" < 30 AND ("name" IN ('Ada') OR "name" IS NULL) IS NOT TRUE
    """
    return _TRUE if predicate is None else _Writer(_written, columns).write(predicate)


def _written(term: Term) -> str:
    value = term.value
    is_narrow = isinstance(value, int) and abs(value) < _INT64
    if term.type is None or is_narrow or isinstance(value, Decimal):
        return literal(value)
    return f"{quote(str(value))}::{term.type}"


def subject(column: Column, value: Value = None) -> str:
    """What is compared with a value: the column, or the text that a page shows of it."""
    is_native = column.kind in {"integer", "exact", "float", "bool", "date", "timestamp", "time"}
    is_named = column.type in READ_AS_TEXT or column.type in {"VARCHAR", "UUID"}
    is_bytes = column.kind == "blob" and isinstance(value, bytes)
    return identifier(column.name) if is_native or is_named or is_bytes else text_of(column)


def literal(value: Any) -> str:  # noqa: C901, PLR0911 - an arm for each type
    """A value as SQL of the same type.

    >>> literal("it's"), literal(1.5), literal(None), literal(0.1 + 0.2)
    ("'it''s'", '1.5', 'NULL', "'0.30000000000000004'::DOUBLE")
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        zone = "TIMESTAMPTZ" if value.tzinfo else "TIMESTAMP"
        return f"{zone} '{value.isoformat(sep=' ')}'"
    if isinstance(value, (date, time)):
        return f"{type(value).__name__.upper()} '{value.isoformat()}'"
    if isinstance(value, UUID):
        return f"'{value}'::UUID"
    if isinstance(value, bytes):
        return "'" + "".join(f"\\x{b:02X}" for b in value) + "'::BLOB"
    return " || chr(0) || ".join(quote(part) for part in str(value).split("\0"))


def _float(value: float) -> str:
    text = repr(value)
    digits = text.lstrip("-").replace(".", "").strip("0")
    # A decimal of so few digits becomes the same double.
    if math.isfinite(value) and "e" not in text and len(digits) <= _SHORT_DIGITS:
        return text if abs(value) < 10**_SHORT_DIGITS else f"'{text}'::DOUBLE"
    return f"'{text}'::DOUBLE"


class _Writer:
    """Writes one condition.

    Args:
        put: gives the SQL of a value.
        columns: their types; None when they are not known.
    """

    def __init__(self, put: Callable[[Term], str], columns: Columns | None) -> None:
        self._put = put
        self._columns = columns

    def write(self, predicate: Predicate, *, within: bool = False) -> str:
        """The condition; in parentheses where it stands within another."""
        if isinstance(predicate, Interval):
            parts = self._interval(predicate)
            return _joined(parts, " AND ", _TRUE, within=within)
        if isinstance(predicate, OneOf):
            return _joined(self._one_of(predicate), " OR ", _FALSE, within=within)
        if isinstance(predicate, IsNull):
            return f"{self._name(predicate.column)} IS NULL"
        if isinstance(predicate, (Contains, Matches)):
            parts = [self._search(predicate, name) for name in predicate.columns]
            return _joined(parts, " OR ", _FALSE, within=within)
        if isinstance(predicate, Not):
            return f"({self.write(predicate.predicate)}) IS NOT TRUE"
        assert isinstance(predicate, (All, AnyOf))
        is_all = isinstance(predicate, All)
        parts = [
            self.write(p, within=not (is_all and isinstance(p, Interval)))
            for p in predicate.predicates
        ]
        glue, empty = (" AND ", _TRUE) if is_all else (" OR ", _FALSE)
        return _joined(parts, glue, empty, within=within)

    def _column(self, name: str) -> Column | None:
        if self._columns is None:
            return None
        if name not in self._columns:
            msg = f"There is no column {name!r}."
            raise QueryError(msg, hint=near(name, self._columns) or None, column=name)
        return self._columns[name]

    def _name(self, name: str) -> str:
        column = self._column(name)
        return identifier(name if column is None else column.name)

    def _interval(self, p: Interval) -> list[str]:
        column, name = self._column(p.column), self._name(p.column)
        if p.low is None and p.high is None:
            return [f"{name} IS NOT NULL", *_not_nan(column, name, p)]
        parts: list[str] = []
        if p.low is not None:
            parts += self._end(column, p.column, p.low, is_low=True, has=p.has_low)
        if p.high is not None:
            parts += self._end(column, p.column, p.high, is_low=False, has=p.has_high)
        return [*(parts or [f"{name} IS NOT NULL"]), *_not_nan(column, name, p)]

    def _end(
        self, column: Column | None, name: str, value: Value, *, is_low: bool, has: bool
    ) -> list[str]:
        term, left = self._term(column, name, value, "up" if is_low else "down")
        if term.beyond:
            return [_FALSE] if (term.beyond > 0) == is_low else []
        sign = ">" if is_low else "<"
        return [f"{left} {sign}{'=' if has or term.is_moved else ''} {self._put(term)}"]

    def _one_of(self, p: OneOf) -> list[str]:
        column = self._column(p.column)
        by_left: dict[str, list[str]] = {}
        for value in p.values:
            if value is not None:
                term, left = self._term(column, p.column, value, "down")
                if not term.beyond and not term.is_moved:
                    by_left.setdefault(left, []).append(self._put(term))
        parts = [f"{left} IN ({', '.join(terms)})" for left, terms in by_left.items()]
        return [*parts, f"{self._name(p.column)} IS NULL"] if None in p.values else parts

    @staticmethod
    def _term(
        column: Column | None, name: str, value: Value, rounding: Rounding
    ) -> tuple[Term, str]:
        """A value, and what to compare it with."""
        if column is None:
            return Term(value), identifier(name)
        return fit(column, value, rounding, name), subject(column, value)

    def _search(self, p: Contains | Matches, name: str) -> str:
        column = self._column(name)
        text = f"CAST({identifier(name)} AS VARCHAR)" if column is None else text_of(column)
        if isinstance(p, Matches):
            flags = "" if p.case else ", 'i'"
            return f"regexp_matches({text}, {self._put(Term(p.regex))}{flags})"
        if p.case:
            return f"contains({text}, {self._put(Term(p.text))})"
        return f"contains(lower({text}), lower({self._put(Term(p.text))}))"


def _joined(parts: list[str], glue: str, empty: str, *, within: bool) -> str:
    if not parts:
        return empty
    text = glue.join(parts)
    return f"({text})" if within and len(parts) > 1 else text


def _not_nan(column: Column | None, name: str, p: Interval) -> list[str]:
    """NaN is greater than everything in DuckDB, and lies in no interval of ours."""
    if p.high is not None:
        return []
    is_float = isinstance(p.low, float) if column is None else column.kind == "float"
    return [f"NOT isnan({name})"] if is_float else []
