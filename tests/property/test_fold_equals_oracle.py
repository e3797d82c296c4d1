"""The compiled SQL against the reference algebra, for every table the package declares."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pjais_lab.core.event import Record, moment
from pjais_lab.core.ids import timestamp_ms
from pjais_lab.core.registry import Registry
from pjais_lab.core.table import Table
from pjais_lab.lab.past import _condition
from pjais_lab.lab.registry import built_in
from tests.property.logs import Bench, chunk, cuts, expected_rows, logs, renumbered, rows_of
from tests.property.zoo import ZOO

BENCHES = {"zoo": Bench(ZOO), "built-in": Bench(built_in())}
TABLES = [
    pytest.param(bench, registry, table, id=table.name)
    for bench, registry in (("zoo", ZOO), ("built-in", built_in()))
    for table in registry.tables.values()
]
CLOCKS: dict[str, Callable[[Record], int]] = {
    "world": lambda r: r.occurred_at,
    "commit": lambda r: timestamp_ms(r.id) * 1000,
}
each_table = pytest.mark.parametrize(("bench", "registry", "table"), TABLES)
# A failure is told at once: shrinking a log takes minutes, and fourteen events can be read.
few = settings(max_examples=8, phases=[Phase.explicit, Phase.reuse, Phase.generate])


@each_table
@few
@given(data=st.data())
def test_folding_one_batch_gives_what_the_algebra_says(
    bench: str, registry: Registry, table: Table, data: st.DataObject
) -> None:
    records = data.draw(logs(registry, table))

    state = BENCHES[bench].after([records])

    assert rows_of(table, state) == expected_rows(table, registry, records)


@each_table
@few
@given(data=st.data())
def test_single_events_give_what_the_algebra_says(
    bench: str, registry: Registry, table: Table, data: st.DataObject
) -> None:
    records = data.draw(logs(registry, table, most=8))

    state = BENCHES[bench].after([[r] for r in records])

    assert rows_of(table, state) == expected_rows(table, registry, records)


@each_table
@few
@given(data=st.data())
def test_single_events_and_one_batch_leave_the_same_partials(
    bench: str, registry: Registry, table: Table, data: st.DataObject
) -> None:
    records = data.draw(logs(registry, table, most=8))

    one_by_one = BENCHES[bench].after([[r] for r in records]).checksum(table.name)
    at_once = BENCHES[bench].after([records]).checksum(table.name)

    assert one_by_one == at_once


@each_table
@few
@given(data=st.data())
def test_epochs_asked_for_before_are_those_of_now(
    bench: str, registry: Registry, table: Table, data: st.DataObject
) -> None:
    state = BENCHES[bench].after([])
    records = data.draw(logs(registry, table, most=8))
    ids = sorted({r.entity_id for r in records if r.entity_id})

    for record in records:
        state.epochs(table.entity, ids)
        state.ingest([chunk([record])])

    assert state.epochs(table.entity, ids) == state._read_epochs(table.entity, ids)


@each_table
@few
@given(data=st.data())
def test_any_batches_leave_what_a_rebuild_gives(
    bench: str, registry: Registry, table: Table, data: st.DataObject
) -> None:
    records = data.draw(logs(registry, table))
    state = BENCHES[bench].after(data.draw(cuts(records)))

    (report,) = state.rebuild(table.name, verify=True)

    assert report.is_same


@each_table
@few
@given(data=st.data())
def test_replicas_that_met_the_same_events_in_another_order_are_equal(
    bench: str, registry: Registry, table: Table, data: st.DataObject
) -> None:
    records = data.draw(logs(registry, table))
    other = renumbered(data.draw(st.permutations(records)))

    here = BENCHES[bench].after([records]).checksum(table.name)
    there = BENCHES[bench].after(data.draw(cuts(other))).checksum(table.name)

    assert here == there


@each_table
@few
@given(data=st.data())
def test_the_past_is_the_fold_of_the_prefix(
    bench: str, registry: Registry, table: Table, data: st.DataObject
) -> None:
    records = data.draw(logs(registry, table))
    position = data.draw(st.integers(0, len(records)))
    state = BENCHES[bench].after([records])
    # What was erased later is gone from the past as well.
    erasing = [r for r in records[position:] if r.name in state.erasing_names]

    with state.past(f"seq <= {position}") as past:
        found = rows_of(table, past)

    assert found == expected_rows(table, registry, records[:position] + erasing)


@each_table
@few
@given(data=st.data())
def test_the_past_at_a_time_is_the_fold_of_what_had_happened(
    bench: str, registry: Registry, table: Table, data: st.DataObject
) -> None:
    records = data.draw(logs(registry, table))
    clock = data.draw(st.sampled_from(["world", "commit"]))
    time_of = CLOCKS[clock]
    us = data.draw(st.sampled_from(sorted({time_of(r) for r in records}))) - data.draw(
        st.sampled_from([0, 1])
    )
    state = BENCHES[bench].after([records])
    erasing = [r for r in records if r.name in state.erasing_names]

    with state.past(_condition(moment(us), clock, len(records))) as past:
        found = rows_of(table, past)

    # Ids carry milliseconds, so the commits of a millisecond belong to all of it.
    known = [r for r in records if time_of(r) <= (us if clock == "world" else us // 1000 * 1000)]
    assert found == expected_rows(table, registry, known + erasing)
