from __future__ import annotations

from datetime import UTC, datetime

import pytest

import pjais_lab as pj
from pjais_lab.core.ids import natural_id
from pjais_lab.errors import NotFoundError, RejectedError
from pjais_lab.memories.events import MemoryRecorded

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_memory_has_what_was_recorded(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    made = lab.memories.record(
        ada, "Wrote note G.", importance=9, scale="1-10", tags=["engine", "b"], at=NOON, kind="fact"
    )

    row = lab.query("SELECT * FROM memories").row(0, named=True)
    assert (row["content"], row["kind"], row["tier"]) == ("Wrote note G.", "fact", "warm")
    assert (row["importance_raw"], row["importance_scale"]) == (9.0, "1-10")
    assert row["tags"] == ["b", "engine"]
    assert row["created_at"] == datetime(2026, 3, 1, 12)
    assert lab.memories[made.id].importance == pytest.approx(8 / 9)


def test_recalls_are_counted_and_the_latest_shows(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    one, two = lab.memories.record(ada, "one"), lab.memories.record(ada, "two")

    lab.memories.recall(one, two, at=NOON, query="numbers")
    lab.memories.recall(one, at=NOON.replace(hour=9))

    rows = lab.query("SELECT recalls, last_recalled_at FROM memories ORDER BY content").rows()
    assert rows == [(2, datetime(2026, 3, 1, 12)), (1, datetime(2026, 3, 1, 12))]


def test_recalling_one_that_is_gone_stores_nothing(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    kept, gone = lab.memories.record(ada, "kept"), lab.memories.record(ada, "gone")
    lab.memories.forget(gone)
    before = lab.position

    with pytest.raises(RejectedError, match="was deleted"):
        lab.memories.recall(kept, gone)

    assert (lab.position, lab.memories[kept.id].recalls) == (before, 0)


def test_tags_come_and_go_one_by_one(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    memory = lab.memories.record(ada, "x", tags=["a", "b"])

    lab.memories.revise(memory, add_tags=("c",), remove_tags=("a",))

    assert lab.memories[memory.id].tags == ("b", "c")


def test_a_null_expiry_clears_it(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    memory = lab.memories.record(ada, "x", expires_at=datetime(2027, 1, 1))
    assert lab.query("SELECT expires_at FROM memories").item() == datetime(2027, 1, 1)

    lab.memories.revise(memory, expires_at=None)

    assert lab.query("SELECT expires_at FROM memories").item() is None


def test_importance_revised_on_no_scale_forgets_the_old_one(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    memory = lab.memories.record(ada, "x", importance=9, scale="1-10")

    lab.memories.revise(memory, importance=0.25)

    row = lab.query("SELECT importance, importance_raw, importance_scale FROM memories").row(0)
    assert row == (0.25, None, None)


def test_linking_again_sets_the_strength_anew(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    one, two = lab.memories.record(ada, "one"), lab.memories.record(ada, "two")

    first = lab.memories.link(one, two, "evidence", strength=0.2)
    second = lab.memories.link(one, two, "evidence", strength=0.9)

    assert first == second
    assert lab.query("SELECT strength FROM links").to_series().to_list() == [0.9]


def test_an_unlinked_pair_can_be_linked_again(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    one, two = lab.memories.record(ada, "one"), lab.memories.record(ada, "two")
    lab.memories.link(one, two)
    lab.memories.unlink(one, two)
    assert lab.query("SELECT count(*) FROM links").item() == 0

    lab.memories.link(one, two, strength=0.5)

    assert lab.query("SELECT strength FROM links").item() == 0.5


def test_a_link_to_nothing_is_refused(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    one = lab.memories.record(ada, "one")

    with pytest.raises(RejectedError, match="does not exist"):
        lab.memories.link(one, natural_id("nothing"))


def test_a_forgotten_memory_is_in_the_log_but_not_in_the_state(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    memory = lab.memories.record(ada, "a secret")

    lab.memories.forget(memory, "asked to")

    with pytest.raises(NotFoundError, match="There is no memory"):
        lab.memories[memory.id]
    assert lab.query("SELECT count(*) FROM events WHERE entity_id = $m", m=memory.id).item() == 2


def test_a_memory_of_nobody_is_refused(lab: pj.Lab) -> None:
    with pytest.raises(RejectedError, match="belongs to a persona"):
        lab.commit(MemoryRecorded("whose?"))


def everything(lab: pj.Lab) -> list[tuple[object, ...]]:
    """All rows of both tables."""
    return [*lab.query("FROM memories ORDER BY id").rows(), *lab.query("FROM links").rows()]


def test_a_restored_memory_is_whole_again_with_its_links(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    one = lab.memories.record(
        ada,
        "one",
        importance=9,
        scale="1-10",
        tags=["a", "b"],
        at=NOON,
        kind="fact",
        source="a letter",
        expires_at=datetime(2030, 1, 1),
        extra={"x": [1, None]},
    )
    two = lab.memories.record(ada, "two")
    lab.memories.recall(one, at=NOON)
    lab.memories.recall(one, at=NOON.replace(hour=9))
    lab.memories.revise(one, remove_tags=("a",), importance=0.25, at=NOON)
    lab.memories.retier(one, "cold")
    lab.memories.link(two, one, "evidence", strength=0.5)
    before = everything(lab)
    lab.memories.forget(one)
    lab.memories.forget(two)

    lab.memories.restore(one, two)

    assert everything(lab) == before
    assert lab.query("SELECT max(epoch) FROM events WHERE entity_id = $m", m=one.id).item() == 3


def test_a_restored_memory_lives_on_and_can_be_forgotten_and_restored_again(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    memory = lab.memories.record(ada, "x", at=NOON)
    for _ in range(2):
        lab.memories.recall(memory)
        lab.memories.forget(memory)
        lab.memories.restore(memory)
    before = everything(lab)

    assert lab.memories[memory.id].recalls == 2
    assert lab.memories[memory.id].created_at == datetime(2026, 3, 1, 12)
    assert all(report.is_same for report in lab.rebuild(verify=True))
    lab.seal()
    assert everything(lab) == before


def test_what_was_not_forgotten_cannot_be_restored(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    alive, gone = lab.memories.record(ada, "alive"), lab.memories.record(ada, "gone")
    lab.memories.forget(gone)
    before = lab.position

    with pytest.raises(RejectedError, match="it was not forgotten"):
        lab.memories.restore(gone, alive)
    with pytest.raises(RejectedError, match="no history"):
        lab.memories.restore(natural_id("nothing"))
    with pytest.raises(RejectedError, match="exists already"):
        lab.memories.restore(gone, gone)

    assert lab.position == before


def test_forgotten_memories_restored_in_a_batch_are_one_commit(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    memories = [lab.memories.record(ada, f"{i}") for i in range(3)]
    with lab.batch():
        for memory in memories:
            lab.memories.forget(memory)
    before = lab.position

    with lab.batch():
        for memory in memories:
            lab.memories.restore(memory)

    assert (lab.position, len(lab.memories)) == (before + 3, 3)
    assert len(lab.at(before).query("FROM memories")) == 0
