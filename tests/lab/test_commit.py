from __future__ import annotations

import threading
from pathlib import Path

import pytest

import pjais_lab as pj
from pjais_lab.errors import (
    ClockSkewError,
    ClosedError,
    ConcurrencyError,
    QueryError,
    RejectedError,
)
from pjais_lab.memories.events import MemoryForgotten, MemoryLinked, MemoryRecorded, MemoryRevised
from pjais_lab.personas.events import PersonaCreated, PersonaErased
from pjais_lab.testing import ManualClock

UNKNOWN = "00000000-0000-7000-8000-000000000000"


def _counts(lab: pj.Lab) -> tuple[int, ...]:
    sql = "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM memories)"
    return lab.query(sql).row(0)


def test_a_commit_is_visible_when_it_returns(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    done = lab.commit(MemoryRecorded("hello").on(ada))

    row = lab.query("SELECT content, persona_id FROM memories WHERE id = $id", id=done.id).row(0)
    assert (row[0], str(row[1])) == ("hello", ada.id)


def test_one_wrong_event_leaves_the_whole_commit_out(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    before = _counts(lab)

    with pytest.raises(RejectedError, match="does not exist"):
        lab.commit(MemoryRecorded("one").on(ada), MemoryRevised("two").on(entity=UNKNOWN))

    assert _counts(lab) == before


def test_a_batch_is_one_commit(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    before = lab.position

    with lab.batch():
        for i in range(3):
            lab.commit(MemoryRecorded(f"m{i}").on(ada))
        assert lab.position == before

    assert lab.position == before + 3


def test_a_batch_that_raises_stores_nothing(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    before = _counts(lab)

    with pytest.raises(KeyError), lab.batch():
        lab.commit(MemoryRecorded("one").on(ada))
        raise KeyError

    assert _counts(lab) == before


def test_a_failed_inner_batch_takes_the_outer_one_with_it(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    before = _counts(lab)

    with pytest.raises(RejectedError, match="inside this batch failed"), lab.batch():
        lab.commit(MemoryRecorded("outer").on(ada))
        try:
            with lab.batch():
                lab.commit(MemoryRecorded("inner").on(ada))
                raise KeyError
        except KeyError:
            pass

    assert _counts(lab) == before


def test_an_expected_position_that_moved_is_a_conflict_with_both_numbers(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    expected = lab.position
    lab.commit(MemoryRecorded("somebody else").on(ada))

    with pytest.raises(ConcurrencyError) as caught:
        lab.commit(MemoryRecorded("late").on(ada), expected=expected)

    assert caught.value.data == {"expected": expected, "actual": expected + 1}
    assert _counts(lab)[1] == 1


def test_the_same_idempotency_key_twice_returns_the_first_position(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    first = lab.commit(MemoryRecorded("once").on(ada), key="k")

    again = lab.commit(MemoryRecorded("once").on(ada), key="k")

    assert again.is_replay
    assert (again.seq_first, again.seq_last) == (first.seq_first, first.seq_last)
    assert _counts(lab)[1] == 1


def test_a_command_decides_under_the_lock(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    def at_most_two(now: object) -> list[object]:
        del now
        n = lab.query("SELECT count(*) FROM memories").item()
        return [MemoryRecorded(f"m{n}").on(ada)] if n < 2 else []

    threads = [threading.Thread(target=lab.commit, args=(at_most_two,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert _counts(lab)[1] == 2


def test_names_are_unique_across_labs_of_one_workspace(tmp_path: Path) -> None:
    with (
        pj.open(tmp_path / "w", background=False) as one,
        pj.open(tmp_path / "w", background=False) as two,
    ):
        one.personas.create("Ada")

        with pytest.raises(RejectedError, match="already has the name 'Ada'"):
            two.commit(PersonaCreated("Ada"))


def test_a_link_needs_two_living_memories(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    one = lab.commit(MemoryRecorded("one").on(ada)).id
    two = lab.commit(MemoryRecorded("two").on(ada)).id
    lab.commit(MemoryForgotten().on(entity=two))

    with pytest.raises(RejectedError, match="was deleted"):
        lab.memories.link(one, two, "evidence")
    with pytest.raises(RejectedError, match="which does not exist"):
        lab.commit(MemoryLinked(one, UNKNOWN, "evidence").on(ada, entity=UNKNOWN))


def test_a_clock_that_fell_behind_the_journal_is_refused(tmp_path: Path) -> None:
    clock = ManualClock()
    with pj.open(tmp_path / "w", background=False, clock=clock) as lab:
        lab.personas.create("Ada")
        clock.advance(seconds=-301)

        with pytest.raises(ClockSkewError, match="nothing was stored"):
            lab.personas.create("Bob")

        clock.advance(seconds=2)
        lab.personas.create("Bob")


def test_ids_increase_although_the_clock_goes_back(tmp_path: Path) -> None:
    clock = ManualClock()
    with pj.open(tmp_path / "w", background=False, clock=clock) as lab:
        lab.personas.create("Ada")
        clock.advance(seconds=-200)
        lab.personas.create("Bob")

        ids = lab.query("SELECT id::VARCHAR AS id FROM events ORDER BY seq")["id"].to_list()

    assert ids == sorted(ids)
    assert len(set(ids)) == 2


def test_an_erased_persona_is_gone_from_state_log_and_files(tmp_path: Path) -> None:
    with pj.open(tmp_path / "w", background=False) as lab:
        ada = lab.personas.create("Ada")
        lab.commit(MemoryRecorded("a secret nobody may keep").on(ada))
        lab.seal()
        lab.commit(MemoryRecorded("a secret nobody may find").on(ada))

        lab.personas.erase(ada)
        lab.seal()

        assert _counts(lab)[1] == 0
        found = lab.query("SELECT count(*) FROM events WHERE args::VARCHAR LIKE '%secret%'")
        assert found.item() == 0
        with pytest.raises(RejectedError, match="erased for good"):
            lab.commit(MemoryRecorded("again").on(ada.id))
    for file in (tmp_path / "w").rglob("*"):
        if file.is_file():
            assert b"a secret nobody" not in file.read_bytes(), file


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (MemoryRecorded("x", importance=7), "importance"),
        (MemoryRecorded("x", importance=float("nan")), "importance"),
        (MemoryRecorded(""), "content"),
        (MemoryRecorded("x" * 10_000_000), "takes events up to"),
        (MemoryRecorded(3), "expected `str`"),  # type: ignore[arg-type]
        (PersonaErased(), "does not say which persona"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_stored(
    lab: pj.Lab, ada: pj.PersonaModel, event: pj.Event, sentence: str
) -> None:
    before = _counts(lab)
    draft = event.on(ada) if isinstance(event, MemoryRecorded) else event

    with pytest.raises(RejectedError, match=sentence) as caught:
        lab.commit(draft)

    assert "\n" not in str(caught.value)
    assert _counts(lab) == before


def test_sql_that_writes_is_refused(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    lab.commit(MemoryRecorded("kept").on(ada))

    for sql in ("DELETE FROM memories", "DROP TABLE state.memories", "COPY memories TO 'x.csv'"):
        with pytest.raises(QueryError):
            lab.query(sql)

    assert _counts(lab)[1] == 1


def test_a_closed_lab_says_so(tmp_path: Path) -> None:
    lab = pj.open(tmp_path / "w")
    lab.close()
    lab.close()

    with pytest.raises(ClosedError, match="closed"):
        lab.commit(PersonaCreated("Ada"))
