"""A cube counts what the rows would count, or leaves the question to them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pjais_lab.core.predicate import AnyOf, Interval, IsNull, OneOf, Predicate
from pjais_lab.storage._cubedims import outlined
from pjais_lab.storage._predicates import bound_sql
from pjais_lab.storage._summaries import outline, summarise
from pjais_lab.storage.cube import NULL, REST, Cube
from tests.property.columns import CON, KINDS, Kind, kept, made, predicates

few = settings(max_examples=40, phases=[Phase.explicit, Phase.reuse, Phase.generate])
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.type[:24])


def cube_of(rows: list[dict[str, Any]], kinds: dict[str, Kind]) -> tuple[Cube, Any, Any]:
    columns = made(rows, kinds)
    known = {name: outline(CON, "t", column) for name, column in columns.items()}
    cube = Cube.of(CON, [outlined(name, known[name]) for name in columns], "t")
    return cube, known, columns


def rows_of(kinds: dict[str, Kind]) -> Any:
    row = st.fixed_dictionaries(
        {n: st.none() | st.sampled_from(k.values) for n, k in kinds.items()}
    )
    return st.lists(row, min_size=1, max_size=12)


@each_kind
def test_bins_and_values_and_any_run_of_them_are_told(kind: Kind) -> None:
    values = [None, None, *kind.values, *kind.values]
    cube, known, columns = cube_of([{"x": v} for v in values], {"x": kind})
    found = summarise(CON, "t", known["x"], None, columns)
    bars: list[Predicate] = [b.within("x") for b in found.bins]
    bars += [OneOf("x", [t.value]) for t in found.top]
    asked = [*bars, IsNull("x"), ~IsNull("x"), AnyOf(bars), ~AnyOf(bars), AnyOf(bars[1:4])]
    asked += [a | b for a in bars[::5] for b in bars[::7]]

    for predicate in asked:
        expected = len(kept(*bound_sql(predicate, columns)))
        assert cube.counts(CON, [], predicate) == [(expected,)], predicate


@each_kind
def test_every_end_and_every_value_is_told_rightly_or_not_at_all(kind: Kind) -> None:
    values = [None, *kind.values, *kind.values]  # twice, or none would be listed
    cube, _, columns = cube_of([{"x": v} for v in values], {"x": kind})
    ends = [v for v in kind.asked if v == v]  # noqa: PLR0124 - NaN is no end
    asked: list[Predicate] = [OneOf("x", [v]) for v in kind.asked]
    asked += [OneOf("x", [v, None, *kind.asked[:1]]) for v in kind.asked]
    asked += [Interval("x", low=v, closed=c) for v in ends for c in ("both", "neither")]
    asked += [Interval("x", high=v, closed=c) for v in ends for c in ("both", "neither")]

    for predicate in asked:
        told = cube.counts(CON, [], predicate)
        assert told in (None, [(len(kept(*bound_sql(predicate, columns))),)]), predicate


@few
@given(data=st.data())
def test_the_brushes_of_any_columns_together_count_what_the_rows_count(data: st.DataObject) -> None:
    some = st.lists(st.sampled_from(KINDS), min_size=2, max_size=3)
    kinds = {f"c {n}": kind for n, kind in enumerate(data.draw(some))}
    cube, known, columns = cube_of(data.draw(rows_of(kinds)), kinds)
    where = data.draw(st.none() | predicates(kinds))

    for name, column in known.items():
        told = cube.counts(CON, [name], where)
        expected = summarise(CON, "t", column, where, columns)
        bars = [b.count for b in expected.bins] or [t.count for t in expected.top]
        counts = {NULL: expected.nulls, REST: expected.others, **dict(enumerate(bars))}
        if told is not None:
            assert dict(told) == {code: n for code, n in counts.items() if n}


@few
@given(data=st.data())
def test_a_cube_that_grows_or_loses_a_column_counts_as_one_made_at_once(
    data: st.DataObject,
) -> None:
    kinds = dict(zip("ab", data.draw(st.tuples(*[st.sampled_from(KINDS)] * 2)), strict=True))
    rows = data.draw(rows_of(kinds))
    whole, _, _ = cube_of(rows, kinds)
    parts = Cube(whole.dims.values())
    for n in data.draw(st.permutations(range(len(rows)))):
        parts.add(CON, CON.execute(whole.sql("t", f"n = {n}")).to_arrow_table())

    assert sorted(parts.counts(CON, ["a", "b"]) or []) == sorted(
        whole.counts(CON, ["a", "b"]) or []
    )
    assert (parts.rows, parts.without(CON, "a").rows) == (whole.rows, len(rows))
    assert sorted(parts.without(CON, "a").counts(CON, ["b"]) or []) == sorted(
        whole.counts(CON, ["b"]) or []
    )
