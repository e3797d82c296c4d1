"""Traps of the compiled merges, each by itself; tests/property holds the laws."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Protocol

import msgspec
import pytest

from pjais_lab.core.event import Event, Record, event
from pjais_lab.core.merge import Sum, src
from pjais_lab.core.registry import Registry
from pjais_lab.core.table import Table
from pjais_lab.errors import DeclarationError
from pjais_lab.lab.registry import built_in
from pjais_lab.memories.events import MemoryForgotten, MemoryRecorded
from pjais_lab.settings.events import SettingChanged
from pjais_lab.storage.fold import compile_table
from pjais_lab.storage.state import State
from tests.property.logs import Bench, Log
from tests.property.zoo import ANIMALS, ZOO, AnimalArrived, AnimalChanged, AnimalFed, AnimalLeft

ZOO_BENCH = Bench(ZOO)
BUILT_IN = Bench(built_in())
BORN = datetime(2020, 1, 1, tzinfo=UTC)


class Fold(Protocol):
    def __call__(self, *records: Record, bench: Bench = ...) -> State: ...


def arrived(**fields: Any) -> AnimalArrived:
    given: dict[str, Any] = {
        "name": "Rex",
        "weight": 1.5,
        "legs": 4,
        "price": Decimal("0.10"),
        "born": BORN,
    }
    return AnimalArrived(**(given | fields))


def animal(state: State, column: str) -> Any:
    return state.query(f"SELECT {column} FROM animals").item()


@pytest.fixture(params=["one batch", "one by one"])
def fold(request: pytest.FixtureRequest) -> Fold:
    def apply(*records: Record, bench: Bench = ZOO_BENCH) -> State:
        is_batch = request.param == "one batch"
        # A batch of few events takes the short path too; padding makes it a real one.
        pad = [msgspec.structs.replace(records[-1], seq=records[-1].seq + n) for n in range(1, 6)]
        if is_batch:
            pad = [msgspec.structs.replace(r, name="v9.Unknown") for r in pad]
            return bench.after([[*records, *pad]])
        return bench.after([[r] for r in records])

    return apply


def test_an_explicit_null_replaces_a_value(fold: Fold) -> None:
    log = Log()

    state = fold(log.record(arrived(nickname="Bobo")), log.record(AnimalChanged(nickname=None)))

    assert animal(state, "nickname") is None


def test_an_absent_field_changes_nothing(fold: Fold) -> None:
    log = Log()

    state = fold(log.record(arrived(nickname="Bobo")), log.record(AnimalChanged(weight=2.0)))

    assert animal(state, "nickname") == "Bobo"


def test_an_absent_field_is_not_counted(fold: Fold) -> None:
    log = Log()

    state = fold(log.record(arrived()), log.record(AnimalChanged(weight=2.0)))

    assert animal(state, "changes") == 0


def test_decimals_add_up_exactly(fold: Fold) -> None:
    log = Log()
    pennies = [log.record(arrived(price=Decimal("0.10"))) for _ in range(3)]

    state = fold(*pennies)

    assert animal(state, "spent") == Decimal("0.30")


def test_a_time_with_an_offset_is_kept_as_utc(fold: Fold) -> None:
    log = Log()
    noon_in_helsinki = datetime(2020, 6, 1, 12, tzinfo=timezone(timedelta(hours=3)))

    state = fold(log.record(arrived(born=noon_in_helsinki)))

    assert animal(state, "born") == datetime(2020, 6, 1, 9)


def test_the_earliest_time_is_found_across_offsets(fold: Fold) -> None:
    log = Log()
    east = datetime(2020, 6, 1, 12, tzinfo=timezone(timedelta(hours=3)))
    west = datetime(2020, 6, 1, 8, tzinfo=timezone(timedelta(hours=-5)))

    state = fold(log.record(AnimalChanged(seen_at=west)), log.record(AnimalChanged(seen_at=east)))

    assert animal(state, "min_seen_at") == datetime(2020, 6, 1, 9)


def test_a_removed_key_stays_removed_when_an_older_event_arrives(fold: Fold) -> None:
    log = Log()
    older = log.record(AnimalChanged(scores={"speed": 1.0}))
    newer = log.record(AnimalChanged(scores={"speed": None}))

    state = fold(
        msgspec.structs.replace(newer, seq=1, origin_seq=1),
        msgspec.structs.replace(older, seq=2, origin_seq=2),
    )

    assert animal(state, "cardinality(scores)") == 0


def test_a_later_life_forgets_the_earlier_one(fold: Fold) -> None:
    log = Log()

    state = fold(
        log.record(arrived(foods=["hay"])),
        log.record(AnimalFed()),
        log.record(AnimalLeft(), epoch=2),
        log.record(arrived(name="Rex II"), epoch=3),
    )

    assert state.query("SELECT name, meals, eaten FROM animals").row(0) == ("Rex II", 0, [])


def test_a_deleted_entity_does_not_show(fold: Fold) -> None:
    log = Log()

    state = fold(log.record(arrived()), log.record(AnimalLeft(), epoch=2))

    assert state.query("SELECT count(*) FROM animals").item() == 0


def test_an_edit_of_a_past_life_changes_nothing(fold: Fold) -> None:
    log = Log()

    state = fold(log.record(arrived(), epoch=3), log.record(AnimalChanged(name="Old"), epoch=1))

    assert animal(state, "name") == "Rex"


def test_a_scrubbed_event_contributes_nothing(fold: Fold) -> None:
    log = Log()
    scrubbed = msgspec.structs.replace(log.record(arrived()), args=None)

    state = fold(scrubbed)

    assert state.query("SELECT count(*) FROM animals").item() == 0


@pytest.mark.parametrize(
    "extra", [{}, {"a": None}, {"n": 1e16}, {"n": 1e-7}, {"c": "\x1b"}, {"t": 'é/\\ "q"'}]
)
def test_foreign_fields_are_stored_alike_on_both_paths(fold: Fold, extra: dict[str, Any]) -> None:
    log = Log()

    state = fold(log.record(MemoryRecorded(content="x", extra=extra)), bench=BUILT_IN)

    assert state.rebuild("memories", verify=True)[0].is_same


def test_a_setting_of_null_is_stored_alike_on_both_paths(fold: Fold) -> None:
    log = Log()

    state = fold(log.record(SettingChanged(key="theme", value=None)), bench=BUILT_IN)

    assert state.rebuild("settings", verify=True)[0].is_same


def test_forgotten_memories_are_stored_alike_on_both_paths(fold: Fold) -> None:
    log = Log()

    state = fold(
        log.record(MemoryRecorded(content="x", tags=("a",))),
        log.record(MemoryForgotten(), epoch=2),
        bench=BUILT_IN,
    )

    assert state.rebuild("memories", verify=True)[0].is_same


def test_a_column_that_reads_more_makes_another_digest() -> None:
    fewer = msgspec.structs.replace(
        ANIMALS, columns={n: m for n, m in ANIMALS.columns.items() if n != "eaten"}
    )

    assert compile_table(fewer, ZOO).digest != compile_table(ANIMALS, ZOO).digest


def test_a_sum_of_floats_is_refused() -> None:
    with pytest.raises(DeclarationError, match="order of events"):
        Sum("DOUBLE", (src(AnimalArrived, "weight"),))


def test_a_sum_past_its_type_does_not_stop_the_log() -> None:
    @event("v1.CoinFound", entity="purse", effect="put")
    class CoinFound(Event):
        worth: int

    table = Table("purses", "purse", {"total": Sum("BIGINT", (src(CoinFound, "worth"),))})
    log, bench = Log(), Bench(Registry().add(CoinFound, table))
    greatest = 2**63 - 1
    coins = [log.record(CoinFound(worth=greatest)) for _ in range(6)]

    state = bench.after([coins])

    assert state.position == len(coins)


@pytest.mark.timeout(20)
def test_sets_of_thousands_of_elements_are_folded_at_once() -> None:
    log = Log()
    foods = [f"food {n}" for n in range(3_000)]
    records = [log.record(arrived(foods=foods)) for _ in range(2)]
    records += [log.record(AnimalChanged(dislikes=foods[:1_000])) for _ in range(4)]

    state = ZOO_BENCH.after([records])

    assert animal(state, "len(likes)") == 2_000
