from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from queue import Queue
from typing import Any

import polars as pl
import pytest

import pjais_lab as pj
from pjais_lab.errors import ClosedError, ViewError
from pjais_lab.storage.past import Stop
from pjais_lab.views._moments import CLOCKS, Clock
from pjais_lab.views.time_machine.courses import STEPS
from pjais_lab.views.time_machine.folds import Folds, Part
from tests.views.conftest import is_let_go
from tests.views.test_static import HOSTILE, inert

DAY = datetime(2026, 11, 1, 12)


@pytest.fixture
def town(lab: pj.Lab) -> pj.Lab:
    """Three days: Ada and Bea, memories of each, some of them forgotten, moved or revived."""
    ada, bea = lab.personas.create("Ada"), lab.personas.create("Bea")
    with lab.batch():
        kept = [
            lab.memories.record(ada, f"Note {i}", kind="fact", at=DAY + timedelta(hours=i))
            for i in range(48)
        ]
        lab.memories.record(bea, "Hers", at=DAY + timedelta(days=2))
    with lab.batch():
        for memory in kept[::4]:
            lab.memories.forget(memory.id)
        for memory in kept[1::4]:
            lab.memories.retier(memory.id, "hot")
    lab.memories.restore(kept[0].id)
    return lab


@pytest.fixture
def machine(town: pj.Lab, wire: Any) -> pj.views.TimeMachine:
    return pj.views.TimeMachine(town, table="memories")


@pytest.mark.parametrize("clock", CLOCKS)
def test_the_cheap_counts_are_those_of_the_folded_past_at_every_step(
    town: pj.Lab, machine: pj.views.TimeMachine, clock: Clock
) -> None:
    town.personas.erase(town.personas["Bea"])
    machine.count_by(clock=clock)
    scale, growth = machine.scale(), machine.growth()

    for step in (0, 1, STEPS // 3, STEPS - 1, STEPS):
        machine.move(which="at", value=scale["edges"][step])
        with machine.lab as past:
            folded = {t: past.query(f"SELECT count(*) FROM {t}").item() for t in town.tables}
        assert {t: course[step] for t, course in growth.items()} == folded
        assert machine.exact()["counts"] == folded

    assert sum(scale["density"]) == town.position
    assert scale["erased"] == 1


def test_rows_are_those_of_the_lab_at_that_moment(
    town: pj.Lab, machine: pj.views.TimeMachine
) -> None:
    machine.say(which="at", text="2026-11-02 02:00")
    machine.sort(by=[("content", "desc")])

    past = machine.lab

    assert machine.lab is past
    assert machine.frame.equals(past.query(machine.sql))
    assert machine.frame["content"][0] == "Note 9"
    assert machine.size() == machine.frame.height == machine.counts["memories"]
    page = machine.rows(start=1, count=2)
    assert page["content"].to_list() == machine.frame["content"][1:3].to_list()
    past.close()
    with pytest.raises(ClosedError, match="past lab is closed"):
        past.query("SELECT 1")
    assert machine.lab.query("SELECT 1").item() == 1


def test_two_moments_differ_by_rows_added_removed_and_changed(
    town: pj.Lab, machine: pj.views.TimeMachine
) -> None:
    machine.count_by(clock="position")
    names = town.query("SELECT seq, name FROM events ORDER BY seq")
    first = names.filter(pl.col("name") == "v1.MemoryForgotten")["seq"].min()
    machine.move(which="at", value=first - 11)
    machine.compare(on=True)

    diff, counts = machine.diff, machine.differences()["tables"]

    now = town.query("SELECT id, content, tier FROM memories")
    with town.at(first - 11) as past:
        then = past.query("SELECT id, content, tier FROM memories")
    both = then.join(now, on="id", how="inner")
    changed = both.filter(pl.col("tier") != pl.col("tier_right"))
    expected = {
        "added": now.join(then, on="id", how="anti").height,
        "removed": then.join(now, on="id", how="anti").height,
        "changed": changed.height,
    }
    assert counts.row(0, named=True) == {"table": "memories"} | expected
    assert min(expected.values()) > 0
    tiers = diff.filter(pl.col("column") == "tier")
    assert sorted(tiers["entity_id"]) == sorted(changed["id"])
    assert set(zip(tiers["old"], tiers["new"], strict=True)) == {("warm", "hot")}
    assert (
        machine.changes(start=2, count=3)["entity_id"].to_list() == diff["entity_id"][2:5].to_list()
    )
    assert machine.between["events"].sum() == town.position - first + 11


@pytest.mark.parametrize("clock", CLOCKS)
def test_the_events_between_are_a_predicate_about_the_log(
    town: pj.Lab, machine: pj.views.TimeMachine, clock: Clock
) -> None:
    machine.count_by(clock=clock)
    edges = machine.scale()["edges"]
    machine.move(which="at", value=edges[100])
    machine.compare(on=True)
    machine.move(which="against", value=edges[200])

    machine.link_events(on=True)
    picked = town.query(f"SELECT count(*) FROM events WHERE {machine.selection.sql}").item()

    assert picked == machine.between["events"].sum()
    before = machine.selection[machine.link]
    machine.move(which="against", value=None)
    assert machine.selection[machine.link] != before
    machine.compare(on=False)
    assert machine.link not in machine.selection


def test_the_selection_filters_by_what_means_the_same_here_and_picks_are_entities(
    town: pj.Lab, wire: Any
) -> None:
    brush = pj.Selection({"log": pj.OneOf("name", ["v1.MemoryRecorded"])})
    machine = pj.views.TimeMachine(town, table="memories", selection=brush)
    bea = town.query("SELECT id FROM personas WHERE name = 'Bea'").item()
    brush["who"] = pj.OneOf("persona_id", [bea])

    assert machine.frame["content"].to_list() == ["Hers"]
    del brush["who"]
    ids = machine.frame["entity_id"][:2].to_list()
    machine.pick(ids=ids)

    assert machine.selected["entity_id"].to_list() == ids
    assert machine.frame.height > 2
    assert brush[machine.picks] == pj.OneOf("entity_id", [str(i) for i in ids])
    machine.choose(table="personas")
    assert machine.selected["name"].to_list() == ["Ada", "Bea"]


def test_steps_go_from_event_to_event_and_stop_at_both_ends(
    town: pj.Lab, machine: pj.views.TimeMachine
) -> None:
    start = machine.scale()["low"]
    machine.move(which="at", value=start)

    def stepped(steps: int, which: Any = "at") -> int | None:
        machine.step(which=which, steps=steps)
        found = machine._at if which == "at" else machine._against
        return None if found is None else found.value

    assert stepped(1) == start + 3_600_000_000
    assert stepped(2) == start + 3 * 3_600_000_000
    assert stepped(-50) == start
    assert stepped(500) is None
    machine.count_by(clock="position")
    machine.compare(on=True)
    assert stepped(2, "against") == 2
    assert stepped(-1) == town.position - 1


@pytest.mark.parametrize("at", [None, 7, DAY, "2026-11-01 13:30:00.000250"])
@pytest.mark.parametrize("against", [None, "now"])
def test_the_python_of_a_machine_makes_the_same_one_and_opens_its_lab(
    town: pj.Lab, wire: Any, at: Any, against: Any
) -> None:
    brush = pj.Selection({"tier": pj.OneOf("tier", ["hot"])})
    machine = pj.views.TimeMachine(
        town, at=at, against=against, table="memories", selection=brush, sort=[("content", "asc")]
    )
    names: dict[str, Any] = {"pj": pj, "lab": town, "datetime": __import__("datetime")}

    made, opened = machine.python.splitlines()
    again = eval(made, names)
    exec(opened, names)

    assert (again.python, again.sql) == (machine.python, machine.sql)
    assert names["past"].query(machine.sql).equals(machine.frame)


def test_now_moves_with_the_log_and_the_past_only_with_what_comes_before_it(
    town: pj.Lab, machine: pj.views.TimeMachine
) -> None:
    def version_after(text: str, at: datetime | None) -> str:
        town.memories.record(town.personas["Ada"], text, at=at)
        machine.scale()
        return str(machine._state()["rows"])

    assert version_after("new", None) != version_after("newer", None)
    machine.move(which="at", value=machine.scale()["edges"][150])
    machine.scale()
    before, size = machine._state()["rows"], machine.size()

    assert version_after("after it", DAY + timedelta(days=90)) == before
    assert version_after("before it", DAY) != before
    assert machine.size() == size + 1


def test_a_newer_moment_stops_the_folding_of_an_older_one(town: pj.Lab) -> None:
    folds, ended = Folds(town), Queue[str]()

    def fold(position: int) -> None:
        try:
            with folds.of(Part(f"(seq <= {position})", ("memories",), position), "rows"):
                ended.put(f"{position} was folded")
        except ViewError as error:
            ended.put(f"{position}: {error}")

    with town._parts.state.lock, ThreadPoolExecutor(2) as pool:  # so that nobody can fold yet
        older = pool.submit(fold, 20)
        _until(lambda: len(folds._making) == 1)
        newer = pool.submit(fold, 30)
        _until(lambda: any(m.part.position == 30 for m in list(folds._making.values())))
        town._parts.state.lock.release()
        older.result(10)
        newer.result(10)
        town._parts.state.lock.acquire()

    said = sorted([ended.get(timeout=5), ended.get(timeout=5)])
    assert said[0].startswith("20: A newer moment took this one's place.")
    assert said[1] == "30 was folded"
    assert len(folds) == 1


def _until(condition: Callable[[], bool]) -> None:
    ticks = threading.Event()
    for _ in range(1_000):
        if condition():
            return
        ticks.wait(0.005)
    pytest.fail("it did not happen")


def test_a_stopped_fold_leaves_nothing_behind(town: pj.Lab) -> None:
    stop = Stop()
    stop.set()
    databases = "SELECT count(*) FROM duckdb_databases()"
    before = town._parts.con.execute(databases).fetchone()

    with pytest.raises(pj.errors.QueryError, match="stopped"):
        town._parts.state.past("true", None, stop).__enter__()

    assert town._parts.con.execute(databases).fetchone() == before
    with town.at(3) as past:
        assert past.query("SELECT count(*) FROM events").item() == 3


def test_a_few_pasts_are_kept_and_the_oldest_are_closed(town: pj.Lab) -> None:
    folds = Folds(town)

    for n in range(9):
        with folds.of(Part(f"(seq <= {n})", ("personas",), n)) as past:
            past.query("SELECT * FROM personas")

    assert len(folds) == 3
    found = town._parts.con.execute("SELECT database_name FROM duckdb_databases()").fetchall()
    assert sum(str(d[0]).startswith("past_") for d in found) == 3
    town.close()
    assert len(folds) == 0


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"at": "yesterday"}, "'yesterday' is no time; expected one such as 2026-11-01"),
        ({"at": "1,2x", "clock": "position"}, "'1,2x' is no position of the log"),
        ({"at": -3}, "-3 is no position"),
        ({"at": True}, "True is no position"),
        ({"clock": "wall"}, "There is no clock 'wall'"),
        ({"table": "memorys"}, "There is no table 'memorys'. Did you mean 'memories'"),
        ({"at": 3, "against": DAY}, "is no position of the log"),
    ],
)
def test_a_wrong_moment_or_table_is_one_sentence(
    town: pj.Lab, wire: Any, keywords: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ViewError) as refused:
        pj.views.TimeMachine(town, **keywords)

    assert sentence in str(refused.value)


def test_asking_for_a_difference_without_a_second_moment_says_what_to_do(
    machine: pj.views.TimeMachine,
) -> None:
    with pytest.raises(ViewError, match="against='now'"):
        _ = machine.diff


def test_an_empty_lab_has_a_time_machine_too(lab: pj.Lab, wire: Any) -> None:
    machine = pj.views.TimeMachine(lab, at=0, against="now")

    scale, growth = machine.scale(), machine.growth()

    assert scale["high"] == sum(scale["density"]) == 0
    assert all(not any(course) for course in growth.values())
    assert machine.frame.is_empty()
    assert machine.diff.is_empty()
    assert "event 0" in machine.static()
    machine.count_by(clock="world")
    machine.step(which="at", steps=-1)
    assert machine._at.value is not None
    assert machine.error is None


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert(lab: pj.Lab, wire: Any, text: str) -> None:
    lab.personas.create(text, description=text)
    machine = pj.views.TimeMachine(lab, title=text, at=1, against="now")

    words = inert(machine.to_html())

    assert words.count("alert(1)") >= 2 * text.count("alert(1)")


def test_sealed_and_reopened_history_is_the_same(town: pj.Lab, wire: Any, tmp_path: Path) -> None:
    machine = pj.views.TimeMachine(town, at=30, against="now", table="memories")
    before, rows, counts = machine.diff, machine.frame, machine.counts

    town.seal()

    again = pj.views.TimeMachine(town, at=30, against="now", table="memories")
    assert again.diff.equals(before)
    assert again.frame.equals(rows)
    assert again.counts == counts


def test_nothing_keeps_a_closed_machine_alive(town: pj.Lab, wire: Any) -> None:
    brush = pj.Selection()
    before = len(town._parts._on_close)
    machine = pj.views.TimeMachine(town, selection=brush, at=9)
    machine.size()
    machine.close()
    machine.close()
    gone = weakref.ref(machine)

    del machine

    assert is_let_go(gone)
    assert town.live_nodes == []
    assert len(town._parts._on_close) == before
