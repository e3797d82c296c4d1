"""What every journal must do."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec
import pytest

from pjais_lab.errors import (
    BusyError,
    ClosedError,
    ConcurrencyError,
    InternalError,
)
from pjais_lab.storage.journal import GapError, Journal
from pjais_lab.testing.chunks import next_chunk

ADA = "018bcfe5-6800-7000-8000-00000000000a"
BOB = "018bcfe5-6800-7000-8000-00000000000b"
PEER = "0000000beef"

Opener = Callable[[], Journal]


def add(journal: Journal, args: int | list[str] = 1, **options: str) -> int:
    chunk = next_chunk(journal, args, **options)
    journal.append(chunk)
    return chunk.seq_last


def test_a_fresh_journal_is_empty(journal: Journal) -> None:
    assert isinstance(journal, Journal)
    assert (journal.head(), journal.floor(), journal.last_id()) == (0, 0, None)
    assert (journal.vector(), journal.read(0)) == ({}, [])
    assert len(journal.replica) == 11


def test_what_is_appended_is_read_back_the_same(journal: Journal) -> None:
    chunk = next_chunk(
        journal, ['{"a":"ä\\n\\"x\\""}', '{"b":[1,{"c":null}]}', "null "], persona_id=ADA
    )
    records = (*chunk.records[:2], msgspec.structs.replace(chunk.records[2], args=None))
    chunk = msgspec.structs.replace(chunk, records=records)

    journal.append(chunk)

    assert journal.read(0) == [chunk]


def test_another_opener_sees_what_was_appended(journal: Journal, open_journal: Opener) -> None:
    add(journal, 3)

    other = open_journal()

    assert other.replica == journal.replica
    assert other.head() == 3
    assert other.vector() == {journal.replica: 3}
    assert other.last_id() == journal.read(0)[0].records[-1].id


def test_two_openers_append_by_turns(journal: Journal, open_journal: Opener) -> None:
    other = open_journal()

    for turn in (journal, other, other, journal):
        add(turn, 2)

    assert [c.seq_last for c in journal.read(0)] == [2, 4, 6, 8]
    assert journal.read(0) == other.read(0)


def test_events_of_several_origins_are_counted_apart(journal: Journal) -> None:
    add(journal, 2)
    add(journal, 3, origin=PEER)
    add(journal, 1)

    assert journal.vector() == {journal.replica: 3, PEER: 3}
    assert [r.origin_seq for c in journal.read(0) for r in c.records] == [1, 2, 1, 2, 3, 3]


def test_reading_goes_on_after_a_place_and_cuts_a_commit_that_straddles_it(
    journal: Journal,
) -> None:
    add(journal, 3)
    add(journal, 3)

    assert [c.seq_first for c in journal.read(3)] == [4]
    cut = journal.read(1)[0]
    assert (cut.seq_first, cut.seq_last, cut.origin_seq_last) == (2, 3, 3)
    assert [(r.seq, r.origin_seq) for r in cut.records] == [(2, 2), (3, 3)]
    assert journal.read(6) == []


def test_limit_counts_commits(journal: Journal) -> None:
    for _ in range(5):
        add(journal, 2)

    assert [c.seq_last for c in journal.read(2, limit=2)] == [4, 6]


def test_a_commit_decided_on_another_position_is_refused(journal: Journal) -> None:
    chunk = next_chunk(journal, 2)
    add(journal)

    with pytest.raises(ConcurrencyError, match="expected the log at 0 but it is at 1") as caught:
        journal.append(chunk, expected=0)

    assert caught.value.data["expected"] == 0
    assert caught.value.data["actual"] == 1
    assert journal.head() == 1


def test_a_commit_that_does_not_follow_the_head_is_refused(journal: Journal) -> None:
    chunk = next_chunk(journal, 2)
    add(journal)

    with pytest.raises(ConcurrencyError, match="nothing was stored"):
        journal.append(chunk)

    assert journal.vector() == {journal.replica: 1}


def test_a_gap_in_an_origins_numbers_is_refused(journal: Journal) -> None:
    chunk = next_chunk(journal)
    record = msgspec.structs.replace(chunk.records[0], origin_seq=2)
    gap = msgspec.structs.replace(chunk, origin_seq_last=2, records=(record,))

    with pytest.raises(InternalError, match="from 2 but the journal has them up to 0"):
        journal.append(gap)

    assert journal.head() == 0


@pytest.mark.parametrize("wrong", [{"seq_first": 2}, {"records": ()}, {"origin_seq_last": 9}])
def test_a_chunk_that_contradicts_itself_is_refused(
    journal: Journal, wrong: dict[str, object]
) -> None:
    chunk = msgspec.structs.replace(next_chunk(journal, 2), **wrong)

    with pytest.raises(InternalError):
        journal.append(chunk)

    assert journal.head() == 0


def test_a_key_is_known_after_its_commit_and_refused_twice(journal: Journal) -> None:
    add(journal)
    journal.append(next_chunk(journal, 3), key="import/1")

    with pytest.raises(ConcurrencyError, match="'import/1' was committed before as events 2 to 4"):
        journal.append(next_chunk(journal), key="import/1")

    assert journal.position_of("import/1") == (2, 4)
    assert journal.position_of("import/2") is None
    assert journal.head() == 4


def test_a_key_outlives_its_events(journal: Journal) -> None:
    journal.append(next_chunk(journal), key="k")

    journal.purge(1)

    assert journal.position_of("k") == (1, 1)


def test_a_refused_commit_leaves_its_key_free(journal: Journal) -> None:
    with pytest.raises(ConcurrencyError):
        journal.append(next_chunk(journal), key="k", expected=7)

    assert journal.position_of("k") is None


def test_purging_removes_whole_commits_and_can_be_repeated(journal: Journal) -> None:
    for _ in range(3):
        add(journal, 2)

    assert journal.purge(5) == 4
    assert journal.purge(5) == 0

    assert (journal.floor(), journal.head()) == (4, 6)
    assert [c.seq_last for c in journal.read(4)] == [6]


def test_reading_below_the_floor_says_where_the_journal_begins(journal: Journal) -> None:
    add(journal, 2)
    add(journal, 2)
    journal.purge(2)

    with pytest.raises(GapError, match="begins after event 2") as caught:
        journal.read(1)

    assert caught.value.floor == 2
    assert [c.seq_first for c in journal.read(2)] == [3]


def test_after_a_refused_read_the_journal_still_sees_what_others_append(
    journal: Journal, open_journal: Opener
) -> None:
    for _ in range(3):
        add(journal, 2)
    journal.purge(2)
    with pytest.raises(GapError) as kept:
        journal.read(0)

    add(open_journal())

    assert journal.head() == 7
    assert kept.value.floor == 2


def test_a_wholly_purged_journal_goes_on_where_it_was(journal: Journal) -> None:
    seen = add(journal, 4)
    newest = journal.last_id()
    journal.purge(seen)

    assert (journal.head(), journal.floor(), journal.last_id()) == (4, 4, newest)
    assert journal.read(4) == []
    with pytest.raises(GapError):
        journal.read(3)
    assert add(journal) == 5
    journal.verify_chain()


def test_scrubbing_erases_one_personas_content_and_nothing_else(journal: Journal) -> None:
    add(journal, ['{"secret":"s3cr3t"}'] * 2, persona_id=ADA)
    add(journal, [f'{{"friend":"{ADA}"}}'], persona_id=BOB)
    before = journal.read(0)

    assert journal.scrub(ADA) == 2
    assert journal.scrub(ADA) == 0
    assert journal.settle()

    after = journal.read(0)
    assert [r.args for r in after[0].records] == [None, None]
    assert [r.id for r in after[0].records] == [r.id for r in before[0].records]
    assert after[1] == before[1]


def test_the_chain_verifies_after_scrubbing_and_purging(journal: Journal) -> None:
    for origin in (None, PEER, None, PEER, None):
        chunk = next_chunk(journal, 2, persona_id=ADA, origin=origin)
        journal.append(chunk)

    whole = journal.verify_chain()
    journal.scrub(ADA)
    journal.purge(5)
    rest = journal.verify_chain()

    assert (whole.commits, whole.events, whole.origins, whole.scrubbed) == (5, 10, 2, 0)
    assert (rest.commits, rest.events, rest.origins, rest.scrubbed) == (3, 6, 2, 3)


def test_meta_values_are_kept_and_replaced(journal: Journal, open_journal: Opener) -> None:
    assert journal.meta_get("mark") is None

    journal.meta_set("mark", "1")
    journal.meta_set("mark", "2")

    assert open_journal().meta_get("mark") == "2"


def test_the_lock_is_reentrant_and_keeps_others_out(journal: Journal, open_journal: Opener) -> None:
    other = open_journal()

    with journal.lock(), journal.lock():
        add(journal)
        with pytest.raises(BusyError, match=r"over 0\.05 s"), other.lock(0.05):
            pass

    with other.lock(0.05):
        add(other)
    assert journal.head() == 2


def test_the_lock_serialises_threads_of_one_journal(journal: Journal) -> None:
    def work() -> None:
        for _ in range(25):
            with journal.lock():
                journal.append(next_chunk(journal), expected=journal.head())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert journal.head() == 100
    assert journal.verify_chain().events == 100


def test_an_exception_under_the_lock_frees_it(journal: Journal, open_journal: Opener) -> None:
    with pytest.raises(KeyError), journal.lock():
        raise KeyError

    with open_journal().lock(0.05):
        pass


def test_a_closed_journal_says_so(journal: Journal) -> None:
    chunk = next_chunk(journal)
    journal.close()
    journal.close()

    for call in (
        journal.head,
        journal.vector,
        lambda: journal.read(0),
        lambda: journal.append(chunk),
    ):
        with pytest.raises(ClosedError, match="is closed"):
            call()
