"""The reference algebra: partials combine in any order and grouping."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pjais_lab.core.event import Record
from pjais_lab.core.merge import ABSENT, Count, Merge, Sum, fold
from pjais_lab.core.registry import Registry
from pjais_lab.core.table import Table
from pjais_lab.lab.registry import built_in
from tests.property.logs import logs
from tests.property.zoo import ZOO

TABLES = [
    pytest.param(registry, table, id=table.name)
    for registry in (ZOO, built_in())
    for table in registry.tables.values()
]
# A failure is told at once: shrinking a log takes minutes, and fourteen events can be read.
few = settings(max_examples=25, phases=[Phase.explicit, Phase.reuse, Phase.generate])
each_table = pytest.mark.parametrize(("registry", "table"), TABLES)


@each_table
@few
@given(data=st.data())
def test_the_fold_of_a_union_is_the_union_of_the_folds(
    registry: Registry, table: Table, data: st.DataObject
) -> None:
    records = data.draw(logs(registry, table))
    cut = data.draw(st.integers(0, len(records)))

    for name, merge in table.columns.items():
        left, right = fold(merge, records[:cut]), fold(merge, records[cut:])
        whole = fold(merge, records)
        assert _union(merge, left, right) == whole, name
        assert _union(merge, right, left) == whole, name


@each_table
@few
@given(data=st.data())
def test_any_order_of_events_gives_one_value(
    registry: Registry, table: Table, data: st.DataObject
) -> None:
    records = data.draw(logs(registry, table))
    shuffled: list[Record] = data.draw(st.permutations(records))

    for name, merge in table.columns.items():
        assert merge.value(fold(merge, shuffled)) == merge.value(fold(merge, records)), name


@each_table
@few
@given(data=st.data())
def test_three_folds_combine_alike_however_they_are_grouped(
    registry: Registry, table: Table, data: st.DataObject
) -> None:
    records = data.draw(logs(registry, table))
    first, second = sorted(data.draw(st.tuples(*[st.integers(0, len(records))] * 2)))
    parts = records[:first], records[first:second], records[second:]

    for name, merge in table.columns.items():
        a, b, c = (fold(merge, part) for part in parts)
        left = _union(merge, _union(merge, a, b), c)
        assert left == _union(merge, a, _union(merge, b, c)), name


@each_table
@few
@given(data=st.data())
def test_what_is_no_sum_takes_the_same_events_twice(
    registry: Registry, table: Table, data: st.DataObject
) -> None:
    records = data.draw(logs(registry, table))

    for name, merge in table.columns.items():
        if not isinstance(merge, (Sum, Count)):
            once = fold(merge, records)
            assert _union(merge, once, once) == once, name


def _union(merge: Merge, a: object, b: object) -> object:
    if a is ABSENT or b is ABSENT:
        return b if a is ABSENT else a
    return merge.combine(a, b)
