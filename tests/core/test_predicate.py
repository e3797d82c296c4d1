from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from typing import Any
from uuid import UUID

import pytest

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
    columns_of,
)
from pjais_lab.core.predicate_dict import from_dict, to_dict
from pjais_lab.errors import QueryError

EVERY_VALUE = [
    *(
        None,
        True,
        0,
        2**53 + 1,
        -(2**200),
        1.5,
        1.0,
        -0.0,
        math.inf,
        -math.inf,
        math.nan,
        "",
        "it's\0",
    ),
    *(Decimal("1.10"), Decimal("-1E-30"), datetime(2026, 11, 1, 14, 30, 0, 1), date(2026, 11, 1)),
    *(datetime(2026, 11, 1, tzinfo=UTC), time(14, 30), UUID(int=7), b"\0\xff"),
]


class Level(IntEnum):
    HIGH = 3


def test_every_value_survives_the_way_through_json() -> None:
    sent = json.dumps(to_dict(OneOf("x", EVERY_VALUE)), allow_nan=False)

    back = from_dict(json.loads(sent))

    assert isinstance(back, OneOf)
    assert [(type(v), repr(v)) for v in back.values] == [(type(v), repr(v)) for v in EVERY_VALUE]


def test_every_kind_of_predicate_survives_the_way_through_json() -> None:
    predicate = (Interval("a", 1, closed="right") & ~IsNull("b")) | All(
        [Contains("x", ["c", "d"]), Matches("^x", ["e"], case=False), AnyOf([]), OneOf("f", [])]
    )

    assert from_dict(json.loads(json.dumps(to_dict(predicate)))) == predicate


def test_and_and_or_lengthen_a_predicate_rather_than_deepen_it() -> None:
    parts = [IsNull(str(n)) for n in range(100)]

    joined: Predicate = parts[0]
    for part in parts[1:]:
        joined &= part

    assert joined == All(parts)
    assert IsNull("a") | IsNull("b") | IsNull("c") == AnyOf([IsNull("a"), IsNull("b"), IsNull("c")])


def test_a_predicate_names_all_its_columns() -> None:
    predicate = Not(Contains("x", ["a", "b"]) | (Interval("c", 1) & OneOf("d", [1])))

    assert columns_of(predicate) == {"a", "b", "c", "d"}


def test_numbers_of_other_classes_become_plain_ones() -> None:
    class Scalar:  # as numpy's are
        dtype = type("dtype", (), {"kind": "f"})()
        shape = ()

        def item(self) -> float:
            return 2.5

    given: Any = OneOf("x", [Level.HIGH, Scalar()])  # type: ignore[list-item]

    assert [type(v) for v in given.values] == [int, float]
    assert to_dict(given)["values"] == [3, 2.5]


def test_a_time_in_another_zone_is_kept() -> None:
    moment = datetime(2026, 11, 1, tzinfo=timezone(timedelta(hours=2)))

    assert from_dict(to_dict(Interval("at", moment))) == Interval("at", moment)


DEEP: Any = {"kind": "is_null", "column": "x"}
for _ in range(40):
    DEEP = {"kind": "not", "predicate": DEEP}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (7, "7 is no predicate; expected a dict with a kind"),
        ({"kind": ["interval"]}, "is no predicate"),
        ({"kind": "intervall", "column": "x"}, "no predicate of kind 'intervall'. Did you mean 'interval'?"),
        ({"kind": "interval", "column": "x", "lo": 1}, "no field 'lo'. Did you mean 'low'?"),
        ({"kind": "one_of", "column": "x"}, "lacks its field 'values'"),
        ({"kind": "one_of", "column": "x", "values": "abc"}, "expected a list"),
        ({"kind": "one_of", "column": "x", "values": [{"a": 1}]}, "is no value"),
        ({"kind": "one_of", "column": "x", "values": [{"decimal": "1e999999999"}]}, "at most 400 digits"),
        ({"kind": "one_of", "column": "x", "values": [{"int": "9" * 5000}]}, "is no value"),
        ({"kind": "one_of", "column": "x", "values": [0] * 10_001}, "at most 10,000"),
        ({"kind": "interval", "column": "", "low": 1}, "no name of a column"),
        ({"kind": "interval", "column": "x", "low": 1, "closed": ["left"]}, "expected both, left"),
        ({"kind": "interval", "column": "x", "low": 1, "high": "b"}, "do not compare"),
        ({"kind": "interval", "column": "x", "low": {"float": "nan"}}, "NaN is no end"),
        ({"kind": "interval", "column": "x", "low": "\ud800"}, "surrogate"),
        ({"kind": "contains", "text": None, "columns": ["x"]}, "cannot be looked for"),
        ({"kind": "contains", "text": "a", "columns": []}, "at least one name"),
        ({"kind": "contains", "text": "a", "columns": ["x"], "case": "no"}, "expected true or false"),
        ({"kind": "all", "predicates": {"kind": "is_null"}}, "expected a list"),
        (DEEP, "nested more than 32 deep"),
    ],
)  # fmt: skip
def test_what_is_no_predicate_is_refused_in_a_sentence(given: Any, sentence: str) -> None:
    with pytest.raises(QueryError) as refused:
        from_dict(given)

    assert sentence in str(refused.value)
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize("value", [object(), [1], 10**400, Decimal("inf"), "\ud800", 1j])
def test_what_is_no_value_is_refused(value: Any) -> None:
    with pytest.raises(QueryError, match="cannot be one of the values of 'x'"):
        OneOf("x", [value])


def test_a_moment_that_utc_cannot_tell_is_refused() -> None:
    east = timezone(timedelta(hours=5))

    with pytest.raises(QueryError, match="years 1 to 9999"):
        Interval("at", datetime(1, 1, 1, tzinfo=east))


def test_predicates_made_in_python_are_not_nested_too_deeply_either() -> None:
    deep: Predicate = IsNull("x")
    with pytest.raises(QueryError, match="32 deep"):
        for _ in range(40):
            deep = ~deep


def test_a_misspelt_field_is_named() -> None:
    with pytest.raises(TypeError, match="Did you mean 'high'"):
        Interval("x", higg=3)  # type: ignore[call-arg]
