from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjais_lab.core.bins import date_edges, number_edges, time_edges
from pjais_lab.core.predicate import Contains, Interval, IsNull, OneOf, Predicate
from pjais_lab.storage._predicates import bound_sql
from pjais_lab.storage._summaries import MOST_BINS, outline, summarise
from pjais_lab.storage.relation import Relation
from tests.property.columns import CON, KINDS, Kind, kept, made

NAN = float("nan")


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.type[:24])
@pytest.mark.parametrize("where", [None, ~IsNull("x")], ids=["all", "some"])
def test_every_bin_and_value_counts_the_rows_that_its_predicate_finds(
    kind: Kind, where: Predicate | None
) -> None:
    values = [None, None, *kind.values, *kind.values]
    columns = made([{"x": v} for v in values], {"x": kind})

    known = outline(CON, "t", columns["x"])
    found = summarise(CON, "t", known, where, columns)

    within = [(b.within("x"), b.count) for b in found.bins]
    within += [(OneOf("x", [t.value]), t.count) for t in found.top]
    for predicate, count in within:
        assert len(kept(*bound_sql(predicate & (where or ~OneOf("x", [])), columns))) == count
    assert found.rows == found.nulls + found.others + sum(n for _, n in within)
    assert found.nulls == (2 if where is None else 0)
    assert within or kind.type == "BLOB"
    assert len(found.bins) <= MOST_BINS + 2


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.type[:24])
def test_a_column_of_nothing_but_null_has_no_bins(kind: Kind) -> None:
    columns = made([{"x": None}], {"x": kind})

    found = summarise(CON, "t", outline(CON, "t", columns["x"]), None, columns)

    assert (found.rows, found.nulls, found.others, found.bins, found.top) == (1, 1, 0, (), ())


def test_bins_stay_where_they_are_while_filters_change() -> None:
    relation = Relation(pl.DataFrame({"x": range(1, 101), "g": ["a", "b"] * 50}))

    every, some = relation.summary("x"), relation.summary("x", where=Interval("x", 1, 10))

    assert [(b.low, b.high, b.total) for b in some.bins] == [
        (b.low, b.high, b.total) for b in every.bins
    ]
    assert [b.count for b in every.bins] == [b.total for b in every.bins]
    assert sum(b.count for b in some.bins) == 10
    assert (every.bins[0].low, every.bins[0].high, every.bins[-1].high) == (0, 5, 105)


def test_what_no_bin_can_hold_is_counted_apart() -> None:
    relation = Relation(pl.DataFrame({"x": [1.0, 2.0, NAN, float("inf"), None]}))

    found = relation.summary("x")

    assert (found.rows, found.nulls, found.others, sum(b.count for b in found.bins)) == (5, 1, 2, 2)


def test_the_most_frequent_values_come_first_and_the_rest_is_counted() -> None:
    words = (
        ["often"] * 5 + ["seldom"] * 2 + [f"once {n}" for n in range(30)] + [None] + ["x" * 300] * 9
    )

    found = Relation(pl.DataFrame({"w": words})).summary("w", where=~OneOf("w", ["seldom"]))

    assert [(t.value, t.total, t.count) for t in found.top[:2]] == [
        ("often", 5, 5),
        ("seldom", 2, 0),
    ]
    assert (len(found.top), found.nulls, found.others) == (12, 1, 29)
    assert found.distinct == pytest.approx(33, rel=0.1)


def test_a_column_of_ids_lists_no_values() -> None:
    rows = pl.DataFrame({"id": range(120_000)}).select(pl.col("id").cast(pl.String))

    found = Relation(rows).summary("id", where=Contains("7", ["id"]))

    assert found.top == ()
    assert found.distinct == pytest.approx(120_000, rel=0.1)
    assert found.others == found.rows


def test_values_that_all_differ_are_not_listed() -> None:
    found = Relation(pl.DataFrame({"w": [f"word {n}" for n in range(100)]})).summary("w")

    assert (found.top, found.others) == ((), 100)


def test_times_without_a_zone_and_with_one_have_round_edges() -> None:
    hours = [datetime(2026, 11, 1, 9, 7) + timedelta(hours=n) for n in range(24)]
    rows = pl.DataFrame({"at": hours}).with_columns(z=pl.col("at").dt.replace_time_zone("UTC"))

    naive, zoned = Relation(rows).summary("at").bins, Relation(rows).summary("z").bins

    assert (naive[0].low, naive[0].high) == (datetime(2026, 11, 1, 9), datetime(2026, 11, 1, 10))
    assert zoned[0].low == datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert [b.count for b in naive] == [b.count for b in zoned] == [1] * 24


# ---------------------------------------------------------------- edges

numbers = st.decimals(allow_nan=False, allow_infinity=False, places=3) | st.integers().map(Decimal)


@given(a=numbers, b=numbers, unit=st.sampled_from([None, Decimal(1), Decimal("0.001")]))
def test_number_edges_enclose_everything_in_few_equal_round_bins(
    a: Decimal, b: Decimal, unit: Decimal | None
) -> None:
    low, high = sorted([a, b])
    if unit == 1:
        low, high = low.to_integral_value(), high.to_integral_value()

    edges = number_edges(low, high, unit, 20)

    assert edges[0] <= low
    assert high < edges[-1]
    assert 2 <= len(edges) <= 22
    assert edges == sorted(set(edges))


@given(a=st.datetimes(), b=st.datetimes())
def test_time_edges_enclose_everything_in_few_bins(a: datetime, b: datetime) -> None:
    low, high = sorted([a, b])

    for found in (
        time_edges(low, high, 20),
        [combined(d) for d in date_edges(low.date(), high.date(), 20)],
    ):
        assert found[0] <= low
        assert combined(high.date()) < found[-1] or found[-1].year == 9999
        assert 2 <= len(found) <= 24
        assert found == sorted(set(found))


def combined(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (datetime(2026, 1, 5, 8), datetime(2026, 3, 9), datetime(2026, 1, 5)),
        (datetime(1990, 5, 5), datetime(2026, 3, 9), datetime(1990, 1, 1)),
    ],
)
def test_long_times_are_cut_at_mondays_or_firsts(low: Any, high: Any, expected: datetime) -> None:
    edges = time_edges(low, high, 20)

    assert edges[0] == expected
    assert {e.hour for e in edges} == {0}
