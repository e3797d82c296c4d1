"""The compiled SQL against the reference algebra, for every table the package declares."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pjais_lab.lab.registry import built_in
from tests.property.logs import cuts, expected_rows, logs, rows_of, state_of
from tests.property.zoo import ZOO

REGISTRIES = [pytest.param(ZOO, id="zoo"), pytest.param(built_in(), id="built-in")]
each_registry = pytest.mark.parametrize("registry", REGISTRIES)
few = settings(max_examples=25)


@each_registry
@few
@given(data=st.data())
def test_folding_one_batch_gives_what_the_algebra_says(registry, data):
    records = data.draw(logs(registry))

    state = state_of(registry, [records])

    for table in registry.tables.values():
        assert rows_of(table, state) == expected_rows(table, registry, records)


@each_registry
@few
@given(data=st.data())
def test_single_events_give_what_the_algebra_says(registry, data):
    records = data.draw(logs(registry, most=8))

    state = state_of(registry, [[r] for r in records])

    for table in registry.tables.values():
        assert rows_of(table, state) == expected_rows(table, registry, records)


@each_registry
@few
@given(data=st.data())
def test_any_batches_leave_what_a_rebuild_gives(registry, data):
    records = data.draw(logs(registry))
    batches = data.draw(cuts(records))

    state = state_of(registry, batches)

    for table in registry.tables:
        assert state.rebuild(table, verify=True).is_same, table


@each_registry
@few
@given(data=st.data())
def test_replicas_that_met_the_same_events_in_another_order_are_equal(registry, data):
    records = data.draw(logs(registry))
    other = [
        type(r)(n, *list(_values(r))[1:])
        for n, r in enumerate(data.draw(st.permutations(records)), 1)
    ]

    here, there = state_of(registry, [records]), state_of(registry, data.draw(cuts(other)))

    for table in registry.tables:
        assert here.checksum(table) == there.checksum(table), table


@each_registry
@few
@given(data=st.data())
def test_the_past_is_the_fold_of_the_prefix(registry, data):
    records = data.draw(logs(registry))
    position = data.draw(st.integers(0, len(records)))
    state = state_of(registry, [records])

    with state.past(f"seq <= {position}") as past:
        found = {t.name: rows_of(t, past) for t in registry.tables.values()}

    # What was erased since then stays erased in every view of the past.
    erasing = [r for r in records if r.name in state.erasing_names]
    prefix = records[:position] + [r for r in erasing if r.seq > position]
    for table in registry.tables.values():
        assert found[table.name] == expected_rows(table, registry, prefix)


def _values(record):
    return (getattr(record, f) for f in record.__struct_fields__)
