"""The state of a process: batches, failures, erasure, evolution, the past."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import pytest

from pjais_lab.core.event import Event, event
from pjais_lab.core.merge import Count, Last, src
from pjais_lab.core.registry import Registry
from pjais_lab.core.shard import HashRouter
from pjais_lab.core.table import Table
from pjais_lab.core.upcast import Upcaster
from pjais_lab.errors import LabError
from pjais_lab.lab.registry import built_in
from pjais_lab.memories.events import MemoryRecalled, MemoryRecorded
from pjais_lab.personas.events import PersonaCreated, PersonaErased
from pjais_lab.storage.duck import connect
from pjais_lab.storage.state import State
from tests.property.logs import ERASED_EPOCH, PERSONAS, Log, chunk


@event("v1.BookRead", entity="book", effect="put")
class BookRead(Event):
    title: str
    pages: int = 1


@event("v1.BookLent", entity="book")
class BookLent(Event):
    pass


@event("v1.CupFilled", entity="cup", effect="put")
class CupFilled(Event):
    pass


BOOKS = Table(
    "books",
    "book",
    {
        "title": Last("VARCHAR", (src(BookRead, "title"),)),
        "pages": Last("BIGINT", (src(BookRead, "pages"),)),
    },
)
CUPS = Table("cups", "cup", {"fillings": Count("BIGINT", (src(CupFilled, const=1),))})
LIBRARY = Registry().add(BookRead, BookLent, CupFilled, BOOKS, CUPS)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def state() -> State:
    return State(connect(threads=1), LIBRARY, HashRouter())


@pytest.fixture
def lab_state() -> State:
    return State(connect(threads=1), built_in(), HashRouter())


def test_events_up_to_the_position_are_applied_once(state: State, log: Log) -> None:
    first, second = log.record(CupFilled()), log.record(CupFilled())
    state.ingest([chunk([first])])

    state.ingest([chunk([first, second])])

    assert state.query("SELECT fillings FROM cups").item() == 2
    assert state.query("SELECT count(*) FROM events").item() == 2


def test_changes_name_the_rows_touched(state: State, log: Log) -> None:
    record = log.record(BookRead("Emma"))

    changes = state.ingest([chunk([record])])

    key = (record.entity_id, record.persona_id)
    assert changes.position == 1
    assert dict(changes.tables) == {"events": frozenset({key}), "books": frozenset({key})}


def test_too_many_rows_to_name_are_all_rows(state: State, log: Log) -> None:
    records = [log.record(CupFilled(), str(n)) for n in range(1_001)]

    changes = state.ingest([chunk(records)])

    assert changes.tables["cups"] is None


@pytest.mark.parametrize("others", [0, 9])
def test_a_batch_that_fails_leaves_nothing(state: State, log: Log, others: int) -> None:
    state.ingest([chunk([log.record(BookRead("Emma"))])])
    records = [log.record(BookRead("Ulysses")) for _ in range(others)]
    records.append(msgspec.structs.replace(log.record(BookRead("Dune")), occurred_at=2**63 - 1))

    with pytest.raises(LabError):
        state.ingest([chunk(records)])

    assert state.position == 1
    assert state.query("SELECT title FROM books").item() == "Emma"
    assert state.query("SELECT count(*) FROM events").item() == 1


@pytest.mark.parametrize("others", [0, 9])
def test_content_that_does_not_decode_does_not_stop_the_log(
    state: State, log: Log, others: int
) -> None:
    good = [log.record(BookRead("Emma"), str(n)) for n in range(others)]
    bad = log.record(BookRead("Dune"), "bad", args='{"title":"Dune","pages":"many"}')
    later = log.record(BookRead("Persuasion"), "later")

    state.ingest([chunk([*good, bad])])
    state.ingest([chunk([later])])

    assert state.query("SELECT count(*) FROM books WHERE title = 'Persuasion'").item() == 1


def test_unknown_events_are_kept_and_counted(state: State, log: Log) -> None:
    state.ingest([chunk([log.record(CupFilled(), name="v3.CupFilled")])])

    assert state.unknown() == {"v3.CupFilled": 1}
    assert state.query("SELECT count(*) FROM events").item() == 1


def test_unknown_events_apply_once_they_are_declared(state: State, log: Log) -> None:
    @event("v1.BookSold", entity="book")
    class BookSold(Event):
        pass

    read, sold = log.record(BookRead("Emma")), log.record(BookSold())
    state.ingest([chunk([read, sold])])
    sales = Table("sales", "book", {"sold": Count("BIGINT", (src(BookSold, const=1),))})

    rebuilt = state.declare(LIBRARY.add(BookSold, sales))

    assert state.query("SELECT sold FROM sales").item() == 1
    assert state.unknown() == {}
    assert "cups" not in rebuilt


def test_a_changed_table_alone_is_rebuilt(state: State, log: Log) -> None:
    state.ingest([chunk([log.record(BookRead("Emma", pages=474)), log.record(CupFilled())])])
    shorter = Table("books", "book", {"title": BOOKS.columns["title"]})

    rebuilt = state.declare(Registry().add(BookRead, BookLent, CupFilled, shorter, CUPS))

    assert rebuilt == ["books"]
    assert state.query("SELECT * FROM books").columns == ["id", "persona_id", "shard", "title"]
    assert state.query("SELECT fillings FROM cups").item() == 1


def _renamed(fields: dict[str, Any]) -> dict[str, Any]:
    return {"title": fields["name"].strip(), "pages": fields.get("pages", 1)}


@pytest.mark.parametrize("others", [0, 9])
def test_an_old_event_is_read_through_its_upcaster(log: Log, others: int) -> None:
    registry = LIBRARY.add(Upcaster("v0.BookRead", "v1.BookRead", _renamed))
    state = State(connect(threads=1), registry, HashRouter())
    old = log.record(BookRead("x"), name="v0.BookRead", args='{"name":" Emma "}')
    new = [log.record(BookRead("Dune"), str(n)) for n in range(others)]

    state.ingest([chunk([old, *new])])

    assert state.query("SELECT title FROM books WHERE title <> 'Dune'").item() == "Emma"
    assert state.rebuild("books", verify=True)[0].is_same
    assert state.query("SELECT name FROM events WHERE seq = 1").item() == "v0.BookRead"


def test_an_upcaster_that_raises_holds_up_one_event_only(log: Log) -> None:
    registry = LIBRARY.add(Upcaster("v0.BookRead", "v1.BookRead", _renamed))
    state = State(connect(threads=1), registry, HashRouter())
    broken = log.record(BookRead("x"), "broken", name="v0.BookRead", args="{}")
    whole = log.record(BookRead("x"), "whole", name="v0.BookRead", args='{"name":"Emma"}')

    state.ingest([chunk([broken, whole])])

    assert state.query("SELECT title FROM books").to_series().to_list() == ["Emma"]
    assert state.quarantined() == 1


def test_a_mended_upcaster_frees_what_was_held_up(log: Log) -> None:
    registry = LIBRARY.add(Upcaster("v0.BookRead", "v1.BookRead", _renamed))
    state = State(connect(threads=1), registry, HashRouter())
    broken = log.record(BookRead("x"), name="v0.BookRead", args="{}")
    state.ingest([chunk([broken])])

    state.declare(
        LIBRARY.add(Upcaster("v0.BookRead", "v1.BookRead", lambda f: {"title": "?", "pages": 0}))
    )

    assert state.query("SELECT title FROM books").item() == "?"
    assert state.quarantined() == 0


def _erased_lab(state: State, log: Log) -> tuple[str, str]:
    ada, ben = PERSONAS[:2]
    state.ingest(
        [
            chunk(
                [
                    log.record(PersonaCreated("Ada"), persona=ada),
                    log.record(PersonaCreated("Ben"), persona=ben),
                    log.record(MemoryRecorded("secret"), "hers", persona=ada),
                    log.record(MemoryRecorded("open"), "his", persona=ben),
                ]
            )
        ]
    )
    state.ingest([chunk([log.record(PersonaErased(), persona=ada, epoch=ERASED_EPOCH)])])
    return ada, ben


def test_erasure_takes_a_persona_out_of_every_table(lab_state: State, log: Log) -> None:
    _erased_lab(lab_state, log)

    assert lab_state.query("SELECT name FROM personas").to_series().to_list() == ["Ben"]
    assert lab_state.query("SELECT content FROM memories").to_series().to_list() == ["open"]
    secrets = "SELECT count(*) FROM events WHERE args::VARCHAR LIKE '%secret%'"
    assert lab_state.query(secrets).item() == 0


def test_an_erased_persona_has_the_terminal_epoch(lab_state: State, log: Log) -> None:
    ada, ben = _erased_lab(lab_state, log)

    lives = lab_state.epochs("persona", [ada, ben])

    assert lives == {ada: (ERASED_EPOCH, ada), ben: (1, ben)}


def test_late_events_of_an_erased_persona_do_not_return(lab_state: State, log: Log) -> None:
    ada, _ = _erased_lab(lab_state, log)

    lab_state.ingest([chunk([log.record(MemoryRecorded("late"), "late", persona=ada)])])

    assert lab_state.query("SELECT content FROM memories").to_series().to_list() == ["open"]
    assert lab_state.rebuild("memories", verify=True)[0].is_same


def test_epochs_are_found_for_many_ids_and_none(lab_state: State, log: Log) -> None:
    records = [log.record(MemoryRecorded("x"), str(n)) for n in range(20)]
    lab_state.ingest([chunk(records)])
    ids = [r.entity_id or "" for r in records]

    assert lab_state.epochs("memory", []) == {}
    assert set(lab_state.epochs("memory", ids)) == set(ids)
    assert lab_state.epochs("memory", [PERSONAS[0]]) == {}


def test_a_taken_value_names_its_living_owner(lab_state: State, log: Log) -> None:
    _, ben = _erased_lab(lab_state, log)

    assert lab_state.taken("personas", "name", ["Ada", "Ben", "Cy"]) == {"Ben": ben}


def test_the_past_knows_nothing_of_later_events(lab_state: State, log: Log) -> None:
    first = log.record(MemoryRecorded("x"))
    lab_state.ingest([chunk([first])])
    lab_state.ingest([chunk([log.record(MemoryRecalled())])])

    with lab_state.past("seq <= 1") as past:
        then = past.query("SELECT recalls, (SELECT count(*) FROM events) FROM memories").row(0)

    assert then == (0, 1)
    assert lab_state.query("SELECT recalls FROM memories").item() == 1


def test_sealed_events_leave_memory_and_stay_in_the_view(state: State, log: Log) -> None:
    records = [log.record(BookRead("Emma")), log.record(CupFilled()), log.record(CupFilled())]
    state.ingest([chunk(records)])
    state.cursor().execute("CREATE TABLE log.lake AS SELECT * FROM log.tail WHERE seq <= 2")

    state.mark_sealed("SELECT * FROM memory.log.lake", 2)

    assert state.cursor().execute("SELECT seq FROM log.tail").fetchall() == [(3,)]
    assert state.query("SELECT seq FROM events ORDER BY seq").to_series().to_list() == [1, 2, 3]
    assert all(state.rebuild(t, verify=True)[0].is_same for t in ("books", "cups"))


def test_readers_on_other_threads_see_whole_batches_only(state: State, log: Log) -> None:
    seen: list[int] = []
    is_done = threading.Event()

    def read() -> None:
        while not is_done.is_set():
            total = state.query("SELECT coalesce(sum(fillings), 0)::BIGINT FROM cups").item()
            seen.append(total)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(10):
        state.ingest([chunk([log.record(CupFilled(), str(n)) for n in range(7)])])
    is_done.set()
    reader.join()

    assert seen
    assert {n % 7 for n in seen} == {0}
    assert seen == sorted(seen)


def test_a_log_that_no_table_reads_is_kept_all_the_same(log: Log) -> None:
    state = State(connect(threads=1), Registry(), HashRouter())
    state.ingest([chunk([log.record(CupFilled())])])

    assert state.position == 1
    assert state.query('SELECT "table", rows FROM log.sizes').is_empty()
