"""Events evolve, code lags behind data, tables change and are rebuilt: the log stays as it was."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import pjais_lab as pj
from pjais_lab.core.event import Chunk, Event, Record
from pjais_lab.core.ids import natural_id
from pjais_lab.core.shard import HashRouter
from pjais_lab.errors import LabError, UpcastError
from pjais_lab.storage.duck import connect
from pjais_lab.storage.state import State


@pj.event("v1.PlantMeasured", entity="plant", effect="create")
class PlantMeasuredV1(Event):
    height: str


@pj.event("v3.PlantMeasured", entity="plant", effect="create")
class PlantMeasured(Event):
    height_mm: int


def _in_cm(fields: dict[str, Any]) -> dict[str, Any]:
    return {"height_cm": int(fields["height"].removesuffix(" cm"))}


def _in_mm(fields: dict[str, Any]) -> dict[str, Any]:
    return {"height_mm": fields["height_cm"] * 10}


def _forgiving(fields: dict[str, Any]) -> dict[str, Any]:
    text = fields["height"].removesuffix(" cm")
    return {"height_cm": int(text) if text.isdigit() else 0}


FIRST = pj.Upcaster("v1.PlantMeasured", "v2.PlantMeasured", _in_cm)
SECOND = pj.Upcaster("v2.PlantMeasured", "v3.PlantMeasured", _in_mm)
OLD = pj.Table(
    "plants", "plant", {"height": pj.Last("VARCHAR", (pj.src(PlantMeasuredV1, "height"),))}
)
NEW = pj.Table(
    "plants", "plant", {"height_mm": pj.Last("BIGINT", (pj.src(PlantMeasured, "height_mm"),))}
)
HEIGHTS = "SELECT id, height_mm FROM plants ORDER BY height_mm"
STORED = "SELECT seq, id, name, args::VARCHAR AS args FROM events ORDER BY seq"
OAK, ASH = natural_id("oak"), natural_id("ash")


@contextmanager
def opened(path: Path, *declarations: Any) -> Iterator[pj.Lab]:
    with pj.open(path, background=False) as lab:
        lab.declare(*declarations)
        yield lab


@pytest.fixture
def old(tmp_path: Path, sealed: str) -> Path:
    """A workspace written by a program that knew version 1 only."""
    with opened(tmp_path / "old", PlantMeasuredV1, OLD) as lab:
        lab.commit(PlantMeasuredV1("12 cm").on(entity=OAK))
        if sealed == "sealed":
            lab.seal()
        lab.commit(PlantMeasuredV1("7 cm").on(entity=ASH))
    return tmp_path / "old"


@pytest.mark.parametrize("sealed", ["sealed", "in the journal"])
def test_a_chain_of_upcasters_gives_the_native_state_and_leaves_the_stored_bytes(
    old: Path, tmp_path: Path
) -> None:
    with opened(tmp_path / "native", PlantMeasured, NEW) as native:
        native.commit(PlantMeasured(120).on(entity=OAK), PlantMeasured(70).on(entity=ASH))
        expected = native.query(HEIGHTS)
    with opened(old, PlantMeasuredV1, OLD) as lab:
        before = lab.query(STORED)

    with opened(old, PlantMeasured, NEW, FIRST, SECOND) as lab:
        assert lab.query(HEIGHTS).equals(expected)
        assert lab.query(STORED).equals(before)
        assert [r.is_same for r in lab.rebuild("plants", verify=True)] == [True]


@pytest.mark.parametrize(
    ("declarations", "sentence"),
    [
        ((PlantMeasured, NEW, FIRST), "end at v2.PlantMeasured, which no event declares"),
        ((PlantMeasured, NEW, SECOND, FIRST, pj.Upcaster("v1.PlantMeasured", "v3.PlantMeasured", _in_mm)),
         "has two upcasters"),
        ((PlantMeasured, NEW, SECOND, pj.Upcaster("v3.PlantMeasured", "v2.PlantMeasured", _in_cm)),
         "go round in a circle"),
    ],
    ids=["gap", "duplicate", "circle"],
)  # fmt: skip
def test_a_chain_with_a_gap_or_a_duplicate_fails_when_it_is_declared(
    lab: pj.Lab, declarations: tuple[Any, ...], sentence: str
) -> None:
    with pytest.raises(UpcastError, match=sentence):
        lab.declare(*declarations)

    assert "plants" not in lab.query("SHOW TABLES")["name"].to_list()


def test_an_event_whose_upcaster_raises_waits_in_quarantine_until_it_is_mended(
    tmp_path: Path,
) -> None:
    with opened(tmp_path / "w", PlantMeasuredV1, OLD) as lab:
        lab.commit(PlantMeasuredV1("tall").on(entity=OAK), PlantMeasuredV1("7 cm").on(entity=ASH))

    with opened(tmp_path / "w", PlantMeasured, NEW, FIRST, SECOND) as lab:
        assert lab.query(HEIGHTS)["height_mm"].to_list() == [70]
        assert lab.status.quarantined == 1

    mended = pj.Upcaster(FIRST.old, FIRST.new, _forgiving)
    with opened(tmp_path / "w", PlantMeasured, NEW, mended, SECOND) as lab:
        assert lab.query(HEIGHTS)["height_mm"].to_list() == [0, 70]
        assert lab.status.quarantined == 0


def test_events_of_an_unknown_type_are_kept_and_counted_and_apply_once_it_is_known(
    tmp_path: Path,
) -> None:
    with opened(tmp_path / "w", PlantMeasured, NEW) as lab:
        lab.commit(PlantMeasured(120).on(entity=OAK), PlantMeasured(70).on(entity=ASH))
        expected = lab.query(HEIGHTS)

    with pj.open(tmp_path / "w", background=False) as lab:
        assert lab.status.unknown == {"v3.PlantMeasured": 2}
        assert lab.query("SELECT count(*) AS n FROM events").item() == 2
        lab.personas.create("Ada")  # the others go on
        lab.seal()
        lab.declare(PlantMeasured, NEW)
        query = lab.live(HEIGHTS)
        assert query.frame.equals(expected)
        assert lab.status.unknown == {}


def test_a_live_query_follows_a_table_whose_declaration_changed(lab: pj.Lab) -> None:
    lab.declare(PlantMeasured, NEW)
    lab.commit(PlantMeasured(120))
    query = lab.live("SELECT * EXCLUDE (id, persona_id, shard) FROM plants")
    assert query.frame.to_dicts() == [{"height_mm": 120}]
    tallest = pj.Table(
        "plants", "plant", {"tallest_mm": pj.Max("BIGINT", (pj.src(PlantMeasured, "height_mm"),))}
    )

    lab.declare(tallest)

    assert query.frame.to_dicts() == [{"tallest_mm": 120}]


def test_only_the_table_whose_merge_changed_is_rebuilt_at_the_next_start(tmp_path: Path) -> None:
    with opened(tmp_path / "w", PlantMeasured, NEW) as lab:
        lab.personas.create("Ada")
        lab.commit(PlantMeasured(120))
        lab.seal()
    smallest = pj.Table(
        "plants", "plant", {"height_mm": pj.Min("BIGINT", (pj.src(PlantMeasured, "height_mm"),))}
    )

    with pj.open(tmp_path / "w", background=False) as lab:
        before = {t: lab._parts.state.checksum(t) for t in lab._parts.store.registry.tables}
        rebuilt = lab._parts.store.declare(lab._parts.store.registry.add(PlantMeasured, smallest))

        assert rebuilt == ["plants"]
        assert lab.query("SELECT height_mm FROM plants").item() == 120
        assert {t: lab._parts.state.checksum(t) for t in before} == before


def test_while_a_table_is_rebuilt_the_old_state_is_served(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    with lab.batch():
        for i in range(2_000):
            lab.memories.record(ada, f"memory {i}")
    seen: set[int] = set()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.add(lab.query("SELECT count(*) AS n FROM memories").item())

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(10):
        lab.rebuild("memories")
    over.set()
    reader.join()

    assert seen == {2_000}


def test_rebuilding_twice_gives_the_same_state(lab: pj.Lab) -> None:
    lab.simulate(personas=4, days=3, seed=7)

    lab.rebuild()

    assert all(r.is_same for r in lab.rebuild(verify=True))


def test_an_interrupted_rebuild_leaves_the_table_whole(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    lab.memories.record(ada, "one")
    state = lab._parts.state
    plan = state._plans["memories"]

    class Cutting:
        """The table's plan, whose rows cannot be computed to the end."""

        def __getattr__(self, name: str) -> Any:
            if name == "fold_sql":
                raise KeyboardInterrupt
            return getattr(plan, name)

    state._plans["memories"] = Cutting()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        lab.rebuild("memories")
    state._plans["memories"] = plan

    assert lab.query("SELECT content FROM memories")["content"].to_list() == ["one"]
    tables = state.cursor().execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert [t for (t,) in tables if "__new" in t] == []
    assert [r.is_same for r in lab.rebuild("memories", verify=True)] == [True]


def test_of_two_replicas_writing_at_the_same_instant_the_same_one_wins_everywhere() -> None:
    registry = pj.Registry().add(PlantMeasured, NEW)

    def measured(replica: str, height: int) -> Record:
        event_id = f"018bcfe5-6800-7000-8000-0{replica}"
        args = f'{{"height_mm":{height}}}'
        return Record(
            1, event_id, "v3.PlantMeasured", OAK, None, 1, 0, replica, 1, "user:x", None, args
        )

    def winner(*records: Record) -> int:
        state = State(connect(threads=1), registry, HashRouter())
        for seq, r in enumerate(records, 1):
            moved = Record(seq, r.id, r.name, r.entity_id, r.persona_id, r.epoch, r.occurred_at,
                           r.origin, r.origin_seq, r.actor, r.cause, r.args)  # fmt: skip
            state.ingest([Chunk(seq, seq, r.origin, 1, (moved,))])
        return int(state.query("SELECT height_mm FROM plants").item())

    one, other = measured("0000000000a", 1), measured("0000000000b", 2)

    assert winner(one, other) == winner(other, one) == 2


def test_a_declaration_that_is_refused_changes_nothing(lab: pj.Lab) -> None:
    lab.declare(PlantMeasured, NEW)
    lab.commit(PlantMeasured(120))
    query = lab.live("SELECT height_mm FROM plants")

    with pytest.raises(LabError):
        lab.declare(
            pj.Table(
                "ponds", "pond", {"depth": pj.Last("BIGINT", (pj.src(PlantMeasured, "height_mm"),))}
            )
        )

    assert query.frame.item() == 120
    assert query.error is None
