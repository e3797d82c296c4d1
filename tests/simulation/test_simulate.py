from __future__ import annotations

import pytest

import pjais_lab as pj
from pjais_lab.core.registry import Registry
from pjais_lab.errors import RejectedError
from pjais_lab.lab.registry import built_in
from pjais_lab.simulation import generate

REGISTRY: Registry = built_in()
TABLES = ("personas", "memories", "links", "conversations", "messages")


def contents(lab: pj.Lab) -> dict[str, list[tuple[object, ...]]]:
    return {t: lab.query(f"SELECT * FROM {t} ORDER BY id").rows() for t in TABLES}


def test_the_bulk_way_gives_the_state_of_the_checked_way(lab: pj.Lab) -> None:
    lab.simulate(personas=6, days=3, seed=5)
    bulk = contents(lab)
    with pj.open(lab.path.parent / "checked", background=False) as checked:
        for columns in generate(6, 3, 5):
            checked.commit(*columns.drafts(REGISTRY.events))

        assert contents(checked) == bulk
        assert checked.position == lab.position


def test_what_was_simulated_stands_a_rebuild(lab: pj.Lab) -> None:
    report = lab.simulate(personas=6, days=3, seed=5)

    assert report.events == lab.position
    assert all(r.is_same for r in lab.rebuild(verify=True))


def test_people_of_the_town_go_on_living_by_hand(lab: pj.Lab) -> None:
    lab.simulate(personas=2, days=1)
    someone = next(iter(lab.personas))

    memory = lab.memories.record(someone, "A visitor from outside the story.", importance=1.0)
    lab.memories.recall(memory)

    assert lab.memories[memory.id].recalls == 1


def test_the_same_town_twice_is_refused_and_leaves_nothing(lab: pj.Lab) -> None:
    lab.simulate(personas=3, days=1, seed=5)
    before = lab.position

    with pytest.raises(RejectedError, match="in this workspace already"):
        lab.simulate(personas=3, days=1, seed=5)

    assert lab.position == before


def test_a_taken_name_is_refused_and_leaves_nothing(lab: pj.Lab) -> None:
    lab.simulate(personas=3, days=0, seed=5)
    name = lab.personas.names[0]
    with pj.open(lab.path.parent / "other", background=False) as other:
        other.personas.create(name)

        with pytest.raises(RejectedError, match=name):
            other.simulate(personas=3, days=1, seed=5)

        assert other.position == 1
