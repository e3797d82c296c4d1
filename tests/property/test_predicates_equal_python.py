"""A predicate means the same to DuckDB, bound or written out, as to Python, whatever the column."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pjais_lab.core.predicate import Interval, OneOf, Predicate
from pjais_lab.core.predicate_dict import from_dict, to_dict
from pjais_lab.storage._predicates import bound_sql, literal_sql
from tests.property.columns import CON, HOSTILE, KINDS, Kind, holds, kept, made, predicates

few = settings(max_examples=15, phases=[Phase.explicit, Phase.reuse, Phase.generate])
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.type[:24])


def check(rows: list[dict[str, Any]], kinds: dict[str, Kind], predicate: Predicate) -> None:
    columns = made(rows, kinds)
    expected = [n for n, row in enumerate(rows) if holds(predicate, row, kinds)]

    assert kept(*bound_sql(predicate, columns)) == expected
    assert kept(literal_sql(predicate, columns)) == expected
    assert from_dict(to_dict(predicate)) == predicate


def rows_of(kinds: dict[str, Kind]) -> Any:
    row = st.fixed_dictionaries(
        {n: st.none() | st.sampled_from(k.values) for n, k in kinds.items()}
    )
    return st.lists(row, min_size=1, max_size=6)


@each_kind
@few
@given(data=st.data())
def test_a_predicate_finds_the_rows_that_python_finds(kind: Kind, data: st.DataObject) -> None:
    kinds = {"x": kind}

    check(data.draw(rows_of(kinds)), kinds, data.draw(predicates(kinds)))


@settings(phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(data=st.data())
def test_predicates_over_columns_with_hostile_names_do_too(data: st.DataObject) -> None:
    some = st.dictionaries(st.sampled_from(HOSTILE), st.sampled_from(KINDS), min_size=2, max_size=4)
    kinds = data.draw(some)

    check(data.draw(rows_of(kinds)), kinds, data.draw(predicates(kinds)))


@each_kind
def test_every_end_and_every_value_is_compared_as_python_compares_it(kind: Kind) -> None:
    kinds, rows = {"x": kind}, [{"x": v} for v in (None, *kind.values)]
    columns = made(rows, kinds)
    ends = [v for v in kind.asked if v == v]  # noqa: PLR0124 - NaN is no end
    asked: list[Predicate] = [OneOf("x", [v]) for v in kind.asked]
    asked += [Interval("x", low=v, closed=c) for v in ends for c in ("both", "neither")]
    asked += [Interval("x", high=v, closed=c) for v in ends for c in ("both", "neither")]

    for predicate in asked:
        expected = [n for n, row in enumerate(rows) if holds(predicate, row, kinds)]
        assert kept(*bound_sql(predicate, columns)) == expected, predicate
        assert kept(literal_sql(predicate, columns)) == expected, predicate


def test_duckdb_itself_disagrees_about_nan() -> None:
    assert CON.execute("SELECT 'nan'::DOUBLE > 'inf'::DOUBLE").fetchone() == (True,)
