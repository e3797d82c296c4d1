from __future__ import annotations

import random
import shutil
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
import pytest

import pjais_lab as pj
from pjais_lab.errors import LabError, NotFoundError, QueryError, ViewError
from pjais_lab.personas.events import PersonaMoodChanged
from pjais_lab.views.event_log import view as event_log
from tests.views.conftest import is_let_go

HOSTILE = '<img src=x onerror=alert(1)>\u202egpj "quoted" it\'s n\\d'


@pj.event("v1.BookRead")
class BookRead(pj.Event):
    title: str
    pages: int = 0


@pj.event("v2.BookRead")
class BookReadWhole(pj.Event):
    title: str
    pages: int
    is_done: bool


def _done(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"is_done": fields["pages"] > 0}


NEWER = (BookReadWhole, pj.Upcaster("v1.BookRead", "v2.BookRead", _done))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thousands of events, most of them sealed, the last ones of Ada."""
    path = tmp_path_factory.mktemp("made") / "town"
    with pj.open(path, background=False) as lab:
        lab.simulate(personas=3, days=16)
        ada = lab.personas.create("Ada")
        for i in range(30):
            lab.memories.record(ada, f"Note {i} on the engine.", tags=["reading"])
        lab.seal()
        for i in range(30, 60):
            lab.memories.record(ada, f"Note {i} on the engine.", tags=["reading"])
    return path


@pytest.fixture(scope="module")
def still(made: Path) -> Iterator[pj.Lab]:
    """The same for tests that only read."""
    shutil.copytree(made, made.parent / "still")
    with pj.open(made.parent / "still", background=False) as opened:
        yield opened


@pytest.fixture
def town(made: Path, tmp_path: Path) -> Iterator[pj.Lab]:
    shutil.copytree(made, tmp_path / "town")
    with pj.open(tmp_path / "town", background=False) as opened:
        yield opened


@pytest.fixture
def log(town: pj.Lab, wire: Any) -> pj.views.EventLog:
    return pj.views.EventLog(town)


def feel(lab: pj.Lab, **options: Any) -> Any:
    event = PersonaMoodChanged(emotion="joy", intensity=80.0, confidence=50.0, context="")
    return lab.commit(event.on(lab.personas["Ada"]), **options).records[0]


def pages(log: pj.views.EventLog, some: int = 137) -> list[int]:
    """The whole log, page by page."""
    starts = range(0, log.count(), some)
    return [seq for n in starts for seq in log.rows(start=n, count=some)["seq"].to_list()]


def test_the_log_is_a_query_and_a_frame_the_newest_last(still: pj.Lab, wire: Any) -> None:
    log = pj.views.EventLog(still)
    last = log.rows(start=log.count() - 1, count=10).to_dicts()

    assert log.sql == "SELECT * FROM events\nORDER BY seq"
    assert log.frame["seq"].to_list() == pages(log) == list(range(1, still.position + 1))
    assert [(r["name"], r["persona"], r["said"][:24], r["mark"]) for r in last] == [
        ("v1.MemoryRecorded", "Ada", "Note 59 on the engine. ·", "")
    ]


@pytest.mark.parametrize(
    ("asked", "condition"),
    [
        ({"names": "v1.PersonaMoodChanged"}, "name = 'v1.PersonaMoodChanged'"),
        ({"names": [PersonaMoodChanged]}, "name = 'v1.PersonaMoodChanged'"),
        ({"without": ["v1.MemoryRecorded"]}, "name <> 'v1.MemoryRecorded'"),
        ({"persona": "Ada"}, "persona_id = (SELECT id FROM personas WHERE name = 'Ada')"),
        ({"actor": "simulation:town"}, "actor = 'simulation:town'"),
        ({"search": "NOTE 5"}, "args::VARCHAR ILIKE '%note 5%'"),
        ({"search": "moodch"}, "name ILIKE '%moodch%'"),
        ({"search": "nothing says this"}, "false"),
        (
            {"search": "engine", "persona": "Ada", "names": ["v1.MemoryRecorded"]},
            "args::VARCHAR LIKE '%engine.%' AND actor <> 'simulation:town'",
        ),
    ],
)  # fmt: skip
def test_a_filtered_log_has_the_same_events_as_plain_sql_at_every_place(
    still: pj.Lab, wire: Any, asked: dict[str, Any], condition: str
) -> None:
    log = pj.views.EventLog(still, **asked)
    expected = still.query(f"SELECT seq FROM events WHERE {condition} ORDER BY seq")[
        "seq"
    ].to_list()

    assert log.count() == len(expected)
    assert pages(log) == expected
    assert log.frame["seq"].to_list() == expected
    for place in random.Random(0).sample(range(len(expected)), min(5, len(expected))):
        found = log.find(event=str(log.rows(start=place, count=1).item(0, "id")))
        assert found == {"place": place, "is_shown": True}


def test_what_is_committed_comes_to_the_end_and_moves_no_place(
    log: pj.views.EventLog, town: pj.Lab
) -> None:
    before = pages(log)
    some = log.rows(start=7, count=3)

    for _ in range(70):
        feel(town)
    town.seal()
    feel(town)

    assert pages(log) == [*before, *range(before[-1] + 1, before[-1] + 72)]
    assert log.rows(start=7, count=3).equals(some)


def test_a_burst_is_pushed_in_few_messages_and_its_end_is_shown(
    log: pj.views.EventLog, town: pj.Lab, wire: Any
) -> None:
    wire.show(log)
    log.count()
    start = town.position

    def acknowledged() -> bool:
        pushes = wire.of(log, "push")
        for push in pushes:
            wire.paint(log, push.content["seq"])
        states = [p.parts["state"] for p in pushes if "state" in p.content["parts"]]
        return bool(states) and states[-1]["count"] == start + 1_000

    ada = town.personas["Ada"].id
    for _ in range(100):
        with town.batch():
            for _ in range(10):
                town.personas.change_mood(ada, "joy", 50.0)
    wire.until(acknowledged)

    pushes = wire.of(log, "push")
    seconds = pushes[-1].at - pushes[0].at
    assert len(pushes) <= 20 * seconds + 3
    tail = pushes[-1].parts["tail"]
    assert tail["seq"].to_list() == list(range(start + 961, start + 1_001))


def test_what_is_committed_while_somebody_counts_is_counted_after_that(
    log: pj.views.EventLog, town: pj.Lab, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    event, start = str(log.rows(start=5, count=1).item(0, "id")), town.position
    begun, goes_on = threading.Event(), threading.Event()
    places, shown = log._places, list[tuple[int, int]]()

    def ask_slowly(sql: str) -> pl.DataFrame:
        begun.set()
        assert goes_on.wait(10)
        return town.query(sql)

    def is_shown(position: int, count: int) -> bool:
        for push in wire.of(log, "push")[len(shown) :]:
            state = push.parts.get("state", {})
            shown.append((state.get("position"), state.get("count")))
            wire.paint(log, push.content["seq"])
        return bool(shown) and shown[-1] == (position, count)

    wire.show(log)
    log.count()
    wire.until(lambda: is_shown(start, start))
    with ThreadPoolExecutor(1) as pool:
        with monkeypatch.context() as patched:
            patched.setattr(places, "_ask", ask_slowly)
            found = pool.submit(log.find, event=event)
            assert begun.wait(10)
        feel(town)
        wire.until(lambda: is_shown(start + 1, start))  # whoever counts is not waited for
        goes_on.set()
        assert found.result(10) == {"place": 5, "is_shown": True}
    wire.until(lambda: is_shown(start + 1, start + 1))


def test_picked_events_filter_the_other_views_and_are_there_in_code(
    log: pj.views.EventLog, town: pj.Lab
) -> None:
    other = pj.views.EventLog(town, selection=log.selection)
    ids = [str(i) for i in log.rows(start=10, count=2)["id"]]

    log.pick(events=ids)

    assert log.selected["seq"].to_list() == other.frame["seq"].to_list() == [11, 12]
    assert log.selection[log.picks] == pj.OneOf("id", ids)
    assert log.count() == town.position
    assert log.event is not None
    assert (log.event["seq"], str(log.event["id"])) == (12, ids[1])
    assert isinstance(log.event["args"], dict)
    log.pick(events=[])
    assert (log.event, log.selected.height) == (None, town.position)


def test_the_selection_of_other_views_filters_the_log_where_it_has_the_columns(
    log: pj.views.EventLog, town: pj.Lab
) -> None:
    day = pj.Interval("occurred_at", datetime(2026, 10, 6), datetime(2026, 10, 7))
    ada = town.personas["Ada"]
    sql = "SELECT count(*) FROM events WHERE occurred_at BETWEEN '2026-10-06' AND '2026-10-07'"
    expected = town.query(sql).item()

    log.selection.update({"brush": day, "tier": pj.OneOf("tier", ["hot"])})
    assert 0 < log.count() == expected < town.position
    log.remove(chip="shared brush")
    log.selection["who"] = pj.OneOf("persona_id", [ada.id])

    assert log.count() == 61
    assert log.frame["persona_id"].n_unique() == 1


def test_a_predicate_that_fits_no_event_is_told_and_changes_nothing(
    log: pj.views.EventLog, town: pj.Lab
) -> None:
    log.selection["brush"] = pj.OneOf("persona_id", ["nobody"])

    assert log.error is not None
    assert "'nobody' is no value of the column 'persona_id'" in log.error
    del log.selection["brush"]
    assert (log.error, log.count()) == (None, town.position)


def test_the_python_of_a_log_makes_the_same_log(log: pj.views.EventLog, town: pj.Lab) -> None:
    for by, values in {
        "names": ["v1.MemoryRecorded", "v1.MemoryRecalled"],
        "without": ["v1.MemoryRecalled"],
        "persona": [town.personas["Ada"].id],
        "actor": [str(log.rows(start=town.position - 1, count=1).item(0, "actor"))],
        "search": ["ote 5"],
    }.items():
        log.filter(by=by, values=values)
    log.selection["time"] = pj.Interval("occurred_at", datetime(2020, 1, 1))

    again = eval(log.python, {"pj": pj, "lab": town, "datetime": __import__("datetime")})

    assert (again.sql, again.python) == (log.sql, log.python)
    assert again.frame["seq"].equals(log.frame["seq"])
    assert log.count() == 11
    assert "persona='Ada'" in log.python
    log.clear()
    assert log.python == "pj.views.EventLog(lab)"


def test_facets_count_each_kind_under_the_other_filters(
    log: pj.views.EventLog, town: pj.Lab
) -> None:
    log.filter(by="persona", values=[town.personas["Ada"].id])
    log.filter(by="without", values=["v1.PersonaCreated"])

    found = log.facets()

    assert [f[1:] for f in found["names"]] == [["v1.MemoryRecorded", 60], ["v1.PersonaCreated", 1]]
    assert ["Ada", 60] in [f[1:] for f in found["persona"]]
    assert len(found["persona"]) == 4


def test_text_is_found_however_json_writes_it(lab: pj.Lab, ada: pj.PersonaModel, wire: Any) -> None:
    lab.memories.record(ada, HOSTILE)
    lab.memories.record(ada, 'It is "quoted" here only.')

    assert pj.views.EventLog(lab, search='"QUOTED" it\'s n\\D').frame.height == 1
    assert pj.views.EventLog(lab, search='"quoted"').frame.height == 2
    assert pj.views.EventLog(lab, search="% OR 1=1 --'").frame.height == 0


def test_an_event_is_shown_whole_with_its_digits(lab: pj.Lab, wire: Any) -> None:
    lab.declare(BookRead)
    lab.commit(BookRead(title="x" * 5_000, pages=2**63 - 1).on())

    found = pj.views.EventLog(lab).look(event=last_id(lab))

    assert found["stored"] == [
        (0, "title", "text", "x" * 5_000),
        (0, "pages", "number", "9223372036854775807"),
    ]
    assert (found["mark"], found["read"], found["trouble"]) == ("", None, None)
    assert (found["name"], found["seq"], found["persona_id"]) == ("v1.BookRead", "1", None)


def last_id(lab: pj.Lab) -> str:
    return str(lab.query("SELECT id FROM events ORDER BY seq DESC LIMIT 1").item())


def test_unknown_old_and_unreadable_events_say_so(tmp_path: Path, wire: Any) -> None:
    with pj.open(tmp_path / "lab", background=False) as lab:
        lab.declare(BookRead)
        lab.commit(BookRead(title="Emma", pages=3).on())
    with pj.open(tmp_path / "lab", background=False) as lab:
        log = pj.views.EventLog(lab, names="v1.BookRead")
        unknown = log.look(event=last_id(lab)), log.rows(start=0, count=1).item(0, "mark")

        lab.declare(*NEWER)
        old = log.look(event=last_id(lab)), log.rows(start=0, count=1).item(0, "mark")
        lab.declare(pj.Upcaster("v2.BookRead", "v3.BookRead", lambda f: 1 / 0), _third())
        failing = log.look(event=last_id(lab))

    assert (unknown[0]["mark"], unknown[1]) == ("unknown", "unknown")
    assert unknown[0]["stored"] == [(0, "title", "text", "Emma"), (0, "pages", "number", "3")]
    assert (old[0]["mark"], old[1]) == ("old", "old")
    assert old[0]["read"]["name"] == "v2.BookRead"
    assert old[0]["read"]["lines"][-1] == (0, "is_done", "boolean", "true")
    assert "ZeroDivisionError" in failing["trouble"]


def _third() -> type[pj.Event]:
    @pj.event("v3.BookRead")
    class Third(pj.Event):
        title: str

    return Third


def test_causes_effects_and_neighbours_are_found(log: pj.views.EventLog, town: pj.Lab) -> None:
    root = feel(town)
    middle = feel(town, cause=root.id)
    town.seal()
    leaves = [feel(town, cause=middle.id), feel(town, cause=middle.id)]
    deep = feel(town, cause=leaves[0].id)

    found = log.around(event=middle.id)

    assert [c["id"] for c in found["causes"]] == [root.id]
    assert [(e["id"], e["depth"]) for e in found["effects"]] == [
        (leaves[0].id, 0),
        (deep.id, 1),
        (leaves[1].id, 0),
    ]
    assert [c["id"] for c in log.around(event=deep.id)["causes"]] == [
        root.id,
        middle.id,
        leaves[0].id,
    ]
    assert [e["seq"] for e in found["entity"]][-4:] == [r.seq for r in (root, *leaves, deep)]
    with town.batch():
        for _ in range(3):
            town.personas.change_mood(root.persona_id, "joy", 50.0)
    assert len(log.around(event=last_id(town))["together"]) == 2


def test_a_new_name_of_a_persona_is_shown_on_all_its_events(
    log: pj.views.EventLog, town: pj.Lab
) -> None:
    assert log.rows(start=log.count() - 1, count=1).item(0, "persona") == "Ada"

    town.personas.revise(town.personas["Ada"], name="Countess")

    assert log.rows(start=log.count() - 2, count=1).item(0, "persona") == "Countess"


def test_an_erased_persona_takes_its_content_along_and_its_places_too(
    log: pj.views.EventLog, town: pj.Lab
) -> None:
    pages(log)
    ada = town.personas["Ada"].id
    town.personas.erase(ada)
    erased = log.rows(start=log.count() - 2, count=1).to_dicts()[0]
    whole = log.look(event=str(erased["id"]))

    town.seal()
    pages(log)

    assert (erased["mark"], erased["said"], erased["persona"]) == ("erased", "", None)
    assert (whole["mark"], whole["stored"]) == ("erased", [])
    left = town.query("SELECT seq FROM events ORDER BY seq")["seq"].to_list()
    assert len(left) < town.position
    assert log.count() == len(left)
    assert pages(log) == left


@pytest.mark.parametrize(
    ("ask", "kind", "sentence"),
    [
        (
            lambda v, lab: pj.views.EventLog(lab, names="v1.PersonaCreatd"),
            ViewError,
            "no event 'v1.PersonaCreatd'.*Did you mean 'v1.PersonaCreated'",
        ),
        (lambda v, lab: pj.views.EventLog(lab, names=7), ViewError, "names=7 is no list"),
        (lambda v, lab: pj.views.EventLog(lab, persona="Adda"), NotFoundError, "no persona 'Adda'"),
        (lambda v, lab: v.pick(events=["x"] * 1_001), ViewError, "at most 1,000"),
        (lambda v, lab: v.filter(by="shard", values=[]), ViewError, "cannot be filtered by 'shard'"),
        (lambda v, lab: v.look(event=str(UUID(int=7 << 76))), ViewError, "The log has no event"),
        (lambda v, lab: v.look(event="x' OR true --"), QueryError, "x' OR true --"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_answered_with_a_sentence(
    still: pj.Lab,
    wire: Any,
    ask: Callable[[Any, Any], Any],
    kind: type[LabError],
    sentence: str,
) -> None:
    log = pj.views.EventLog(still)

    with pytest.raises(kind, match=sentence):
        ask(log, still)

    assert log.count() == still.position


def test_a_frame_is_bounded(
    log: pj.views.EventLog, town: pj.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "_MOST_FRAME", 50)

    with pytest.raises(ViewError, match="a frame holds at most 50 of them"):
        _ = log.frame
    log.filter(by="names", values=["v1.PersonaCreated"])
    assert log.frame.height == 4


def test_a_misspelt_keyword_is_named(lab: pj.Lab, wire: Any) -> None:
    with pytest.raises(TypeError, match="Did you mean 'persona'"):
        pj.views.EventLog(lab, persna="Ada")  # type: ignore[call-arg]


def test_the_static_log_is_inert_bounded_and_ends_with_the_newest(
    lab: pj.Lab, ada: pj.PersonaModel, wire: Any
) -> None:
    for n in range(40):
        lab.memories.record(ada, f"{n} {HOSTILE * 20}")

    static = pj.views.EventLog(lab, title=HOSTILE).static()

    assert "<img" not in static
    assert "\u202e" not in static
    assert "39 &lt;img" in static
    assert len(static) < 30_000


def test_a_closed_log_is_let_go(lab: pj.Lab, wire: Any) -> None:
    brush = pj.Selection()
    log = pj.views.EventLog(lab, selection=brush)
    log.close()
    log.close()
    gone = weakref.ref(log)

    del log

    assert is_let_go(gone)
    assert lab.live_nodes == []
