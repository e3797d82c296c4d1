"""Columns of every DuckDB type, and what Python says of their values: the oracle of the predicates."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, time
from decimal import Context, Decimal
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import strategies as st

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
from pjais_lab.storage._typemap import Column, column_of, identifier
from pjais_lab.storage.duck import connect, quote

NAN = math.nan
CON = connect(1)
HOSTILE = [
    '"',
    "'; DROP TABLE t; --",
    "$p1",
    "rowid",
    "row_id",
    "c0",
    "SELECT",
    "a\u202eb",
    "Ω 🐘",
    "x y",
]


class Kind(msgspec.Struct):
    """A type: values of it, what may be asked, how SQL writes them, what a page shows of them (None when
    that is not compared here), and how Python compares values and what was asked.
    """

    type: str
    values: list[Any]
    asked: list[Any]
    written: Callable[[Any], str] = str
    text: Callable[[Any], str] | None = None
    key: Callable[[Any], Any] = lambda v: v
    ask: Callable[[Any], Any] = lambda v: v

    def __repr__(self) -> str:
        return self.type


def _ints(low: int, high: int) -> list[Any]:
    return [low, low + 1, -1 if low < 0 else 0, 0, 1, 2, high - 1, high]


FRACTIONS = [0.5, 1.5, -0.5, Decimal("0.5"), Decimal("1.10"), Decimal("1e-30"), Decimal("-1e-30")]
LARGE = [2**200, -(2**200), 2.0**53, 2.0**53 + 2, 1e300, -1e300, math.inf, -math.inf, -0.0]


def _integer(type_: str, low: int, high: int) -> Kind:
    values = _ints(low, high)
    return Kind(type_, values, [*values, low - 1, high + 1, *FRACTIONS, *LARGE], text=str)


def _plain(value: Decimal) -> str:
    return f"{value:f}"


def _decimal(width: int, scale: int) -> Kind:
    most = 10**width - 1
    values = [Decimal(n).scaleb(-scale, Context(prec=60)) for n in _ints(-most, most)]
    asked = [*values, most, most + 1, -most, 7, *FRACTIONS, *LARGE]
    return Kind(f"DECIMAL({width},{scale})", values, asked, _plain, _plain)


FLOATS = [
    NAN,
    math.inf,
    -math.inf,
    0.0,
    -0.0,
    0.1,
    0.5,
    1.0,
    1.5,
    -1.5,
    2.0**53,
    1e300,
    -1e300,
    5e-324,
]
SINGLES = [NAN, math.inf, -math.inf, 0.0, 0.5, 1.0, 1.5, -1.5, 2.0**24, 0.10000000149011612]
NEAR_FLOATS = [
    2**53 + 1,
    2**53 - 1,
    2**24 + 1,
    Decimal("0.1"),
    Decimal("0.10000000000000001"),
    10**309,
]
MOMENTS = [
    *(datetime(1, 1, 1), datetime(1969, 12, 31, 23, 59, 59, 999999), datetime(1970, 1, 1)),
    *(datetime(2026, 11, 1, 14, 30), datetime(2026, 11, 1, 14, 30, 0, 1), datetime(2026, 11, 1)),
    *(datetime(2026, 11, 2), datetime(9999, 12, 31, 23, 59, 59, 999999)),
]
ZONED = [datetime.fromisoformat("2026-11-01T16:30:00+02:00"), MOMENTS[3].replace(tzinfo=UTC)]
ASKED_MOMENTS = [*MOMENTS, *(m.date() for m in MOMENTS), *ZONED]
NS_MOMENTS = [m for m in MOMENTS if 1700 < m.year < 2200]
TEXTS = (
    *("", "a", "A", "Ada", "ada", "a%b", "a_b", "it's", 'say "hi"', "x\0y", "1", "null", "NaN"),
    *("\u202e", "🐘", "ΑΒ", "\\"),
)
IDS = [UUID(int=n) for n in (0, 1, 2**127, 2**128 - 1)]
TIMES = [time.min, time(14, 30), time(23, 59, 59, 999999)]
SPANS = {"2 days": 2, "3 days": 3, "1 year": 360}


def _utc(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return datetime.combine(value, time.min)


def _spaced(value: datetime) -> str:
    return value.isoformat(sep=" ")


def _moments(type_: str, values: list[datetime]) -> Kind:
    return Kind(type_, values, ASKED_MOMENTS, _spaced, key=_utc, ask=_utc)


def _first(pair: Any) -> Any:
    return pair[0]


def _second(pair: Any) -> Any:
    return pair[1]


def _nested(type_: str, values: list[Any], written: list[str]) -> Kind:
    texts = [json.dumps(v, separators=(",", ":")) for v in values]
    return Kind(type_, list(zip(written, texts, strict=True)), texts, _first, _second, _second)


def _hex(value: bytes) -> str:
    return "".join(f"\\x{b:02X}" for b in value)


SECONDS = [m.replace(microsecond=0) for m in MOMENTS]
DAYS = [m.date() for m in MOMENTS]
WORDS = ["a", "B", "it's"]
BYTES = [b"", b"\0", b"ab", b"\xff"]
KINDS = [
    _integer("TINYINT", -128, 127),
    _integer("UTINYINT", 0, 255),
    _integer("INTEGER", -(2**31), 2**31 - 1),
    _integer("BIGINT", -(2**63), 2**63 - 1),
    _integer("UBIGINT", 0, 2**64 - 1),
    _integer("HUGEINT", -(2**127), 2**127 - 1),
    _integer("UHUGEINT", 0, 2**128 - 1),
    _integer("BIGNUM", -(10**50), 10**50),
    _decimal(4, 2),
    _decimal(18, 0),
    _decimal(38, 10),
    Kind("DOUBLE", FLOATS, [*FLOATS, *FRACTIONS, *LARGE, *NEAR_FLOATS], repr),
    Kind("FLOAT", SINGLES, [*SINGLES, *FRACTIONS, *LARGE, *NEAR_FLOATS], repr),
    Kind("BOOLEAN", [False, True], [False, True], text=lambda v: str(v).lower()),
    Kind("VARCHAR", list(TEXTS), list(TEXTS), text=str),
    Kind("ENUM('a', 'B', 'it''s')", WORDS, [*WORDS, "zz"], text=str),
    Kind("UUID", IDS, IDS, text=str),
    Kind("DATE", DAYS, ASKED_MOMENTS, text=str, key=_utc, ask=_utc),
    _moments("TIMESTAMP", MOMENTS),
    _moments("TIMESTAMP_S", SECONDS),
    _moments("TIMESTAMP_MS", SECONDS),
    _moments("TIMESTAMP_NS", NS_MOMENTS),
    _moments("TIMESTAMP WITH TIME ZONE", MOMENTS[1:-1]),
    Kind("TIME", TIMES, [*TIMES, time(1)]),
    Kind("BLOB", BYTES, [*BYTES, b"a"], _hex),
    _nested("INTEGER[]", [[], [1, 2], [None]], ["[]", "[1, 2]", "[NULL]"]),
    _nested("STRUCT(x INTEGER)", [{"x": 1}, {"x": None}], ["{'x': 1}", "{'x': NULL}"]),
    _nested("MAP(VARCHAR, INTEGER)", [{"k": 1}], ["{k=1}"]),
    Kind("INTERVAL", ["3 days", "1 year"], list(SPANS), text=str, key=SPANS.get, ask=SPANS.get),
    Kind("BIT", ["0101", "1"], ["0101", "1", "11"], text=str),
]


def predicates(kinds: dict[str, Kind]) -> Any:
    """Any predicate over these columns."""
    names = list(kinds)

    def single(name: str) -> Any:
        asked, column = st.none() | st.sampled_from(kinds[name].asked), st.just(name)
        end = asked.filter(lambda v: v == v)  # noqa: PLR0124 - NaN is no end
        closed = st.sampled_from(["both", "left", "right", "neither"])
        return st.one_of(
            st.builds(Interval, column, end, end, closed),
            st.builds(OneOf, column, st.lists(asked, max_size=4)),
            st.builds(IsNull, column),
        )

    texts = [n for n in names if kinds[n].text is not None]
    leaves = st.one_of(*map(single, names))
    if texts:
        some = st.lists(st.sampled_from(texts), min_size=1, unique=True)
        words = st.sampled_from([t for t in TEXTS if "\0" not in t])
        leaves |= st.builds(Contains, st.sampled_from(TEXTS), some, st.booleans())
        leaves |= st.builds(Matches, words.map(re.escape), some, st.booleans())
    groups = (All, AnyOf)
    return st.recursive(
        leaves,
        lambda inner: (
            st.builds(Not, inner)
            | st.builds(
                lambda cls, ps: cls(ps), st.sampled_from(groups), st.lists(inner, max_size=3)
            )
        ),
        max_leaves=4,
    )


def holds(predicate: Predicate, row: dict[str, Any], kinds: dict[str, Kind]) -> bool:
    """What a predicate says of a row, in plain Python."""
    if isinstance(predicate, Not):
        return not holds(predicate.predicate, row, kinds)
    if isinstance(predicate, All):
        return all(holds(p, row, kinds) for p in predicate.predicates)
    if isinstance(predicate, AnyOf):
        return any(holds(p, row, kinds) for p in predicate.predicates)
    if isinstance(predicate, (Contains, Matches)):
        return any(_has(predicate, row[n], kinds[n]) for n in predicate.columns)
    assert isinstance(predicate, (Interval, OneOf, IsNull))
    value, kind = row[predicate.column], kinds[predicate.column]
    if isinstance(predicate, IsNull):
        return value is None
    if isinstance(predicate, OneOf):
        return any(_is_same(value, v, kind) for v in predicate.values)
    return _lies_in(predicate, value, kind)


def _lies_in(p: Interval, value: Any, kind: Kind) -> bool:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return False
    own = kind.key(value)
    low = None if p.low is None else kind.ask(p.low)
    high = None if p.high is None else kind.ask(p.high)
    is_above = low is None or (own >= low if p.has_low else own > low)
    return is_above and (high is None or (own <= high if p.has_high else own < high))


def _is_same(value: Any, asked: Any, kind: Kind) -> bool:
    if value is None or asked is None:
        return value is None and asked is None
    if isinstance(asked, float) and math.isnan(asked):
        return isinstance(value, float) and math.isnan(value)
    return bool(kind.key(value) == kind.ask(asked))


def _has(p: Contains | Matches, value: Any, kind: Kind) -> bool:
    if value is None or kind.text is None:
        return False
    text = kind.text(value)
    wanted = p.text if isinstance(p, Contains) else re.sub(r"\\(.)", r"\1", p.regex)
    return wanted in text if p.case else wanted.lower() in text.lower()


def made(rows: list[dict[str, Any]], kinds: dict[str, Kind]) -> dict[str, Column]:
    """A table ``t`` of these rows; gives its columns as DuckDB describes them."""
    written = [
        ", ".join(
            "NULL" if row[n] is None else f"{_literal(k.written(row[n]))}::{k.type}"
            for n, k in kinds.items()
        )
        for row in rows
    ]
    declared = ", ".join(f"{identifier(n)} {k.type}" for n, k in kinds.items())
    CON.execute(f"CREATE OR REPLACE TABLE t (n INTEGER, {declared})")
    values = ", ".join(f"({n}, {v})" for n, v in enumerate(written))
    CON.execute(f"INSERT INTO t VALUES {values}")
    found = CON.execute("DESCRIBE t").fetchall()[1:]
    return {row[0]: column_of(row[0], row[1]) for row in found}


def _literal(text: str) -> str:
    return "(" + " || chr(0) || ".join(map(quote, text.split("\0"))) + ")"


def kept(condition: str, values: dict[str, Any] | None = None) -> list[int]:
    sql = f"SELECT n FROM t WHERE {condition} ORDER BY n"
    return [row[0] for row in (CON.execute(sql, values) if values else CON.execute(sql)).fetchall()]
