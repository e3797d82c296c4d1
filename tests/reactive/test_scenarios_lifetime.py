"""Nothing leaks, nothing spins: what nobody holds is gone, and waiting costs nothing."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pjais_lab as pj
from pjais_lab.errors import ClosedError
from pjais_lab.reactive.hub import Hub

Runs = Callable[[Callable[[], Any]], int]
COUNT = "SELECT count(*) AS n FROM memories"


def test_a_dropped_live_query_is_gone_and_not_run(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel, runs: Runs
) -> None:
    query: pj.LiveQuery | None = lab.live(COUNT)
    assert query is not None
    assert query.frame.item() == 0
    told: list[Any] = []
    query.observe(told.append, "frame")
    gone = weakref.ref(query)
    assert hub.settle(10)

    query = None
    gc.collect()

    assert gone() is None
    assert runs(lambda: lab.memories.record(ada, "one")) == 0
    assert [n for n in hub.nodes if isinstance(n, pj.LiveQuery)] == []
    assert told == []


def test_a_query_whose_observer_committed_is_gone_when_dropped(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    query: pj.LiveQuery | None = lab.live(COUNT)
    assert query is not None
    assert query.frame.item() == 0
    query.observe(lambda c: c.new.item() == 1 and lab.memories.record(ada, "answer"), "frame")
    lab.memories.record(ada, "question")
    while lab.query(COUNT).item() < 2 or not hub.settle(10):
        pass
    gone = weakref.ref(query)
    assert hub.settle(10)

    query = None
    gc.collect()

    assert gone() is None


def test_a_failed_query_is_gone_when_dropped(lab: pj.Lab, hub: Hub) -> None:
    query: pj.LiveQuery | None = lab.live("SELECT error('no')")
    assert query is not None
    assert "no" in (query.error or "")
    gone = weakref.ref(query)
    assert hub.settle(10)

    query = None
    gc.collect()

    assert gone() is None


def test_a_computed_value_keeps_its_inputs_and_is_itself_dropped(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    derived: Any = pj.computed(lambda frame: frame.item(), lab.live(COUNT))
    gc.collect()
    lab.memories.record(ada, "one")
    assert derived.value == 1

    derived = None
    gc.collect()
    assert hub.settle(10)

    assert [n.label for n in hub.nodes if n is not ada] == []


def test_a_thousand_forgotten_queries_leave_nothing(lab: pj.Lab, hub: Hub) -> None:
    for i in range(1_000):
        lab.live(f"SELECT {i % 50} AS n FROM personas")
    gc.collect()
    assert hub.settle(30)
    gc.collect()

    assert hub.nodes == []
    assert len(hub._nodes) == 0


def test_a_thousand_looked_up_models_leave_nothing(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    for _ in range(300):
        assert lab.personas["Ada"] == ada
    gc.collect()
    assert hub.settle(30)
    gc.collect()

    assert hub.nodes == [ada]


def test_an_idle_hub_uses_no_processor(lab: pj.Lab, hub: Hub, ada: pj.PersonaModel) -> None:
    queries = [lab.live(f"{COUNT} WHERE importance > {i / 50}") for i in range(50)]
    assert queries[-1].frame.item() == 0
    assert hub.settle(10)
    rounds, before, start = hub.rounds, time.process_time(), time.monotonic()

    threading.Event().wait(1.5)
    used = (time.process_time() - before) / (time.monotonic() - start)

    assert hub.rounds == rounds
    assert used < 0.05


def test_the_hubs_thread_ends_with_the_lab(tmp_path: Path) -> None:
    before = {t.name for t in threading.enumerate()}
    lab = pj.open(tmp_path / "lab")
    assert "pjais-hub" in {t.name for t in threading.enumerate()}

    lab.close()

    assert {t.name for t in threading.enumerate() if t.name.startswith("pjais")} <= before


def threads_of_labs() -> set[threading.Thread]:
    return {t for t in threading.enumerate() if t.name.startswith("pjais-")}


def have_ended(threads: set[threading.Thread]) -> bool:
    """Collect until they have: a thread that is at work holds its lab for that long."""
    deadline = time.monotonic() + 20
    while alive := [t for t in threads if t.is_alive()]:
        if time.monotonic() > deadline:
            return False
        gc.collect()
        alive[0].join(0.02)
    return True


def test_a_lab_that_nobody_holds_ends_its_threads_and_closes_its_files(tmp_path: Path) -> None:
    before = threads_of_labs()
    lab: pj.Lab | None = pj.open(tmp_path / "lab")
    assert lab is not None
    lab.personas.create("Ada")
    lab.seal()
    journal, threads = lab._parts.journal, threads_of_labs() - before
    assert {t.name for t in threads} == {"pjais-hub", "pjais-tailer", "pjais-keeper"}

    lab = None

    assert have_ended(threads)
    with pytest.raises(ClosedError):
        journal.head()


@pytest.mark.parametrize(
    "part",
    [
        lambda lab: lab.live(COUNT),
        lambda lab: pj.computed(lambda frame: frame, lab.live(COUNT)),
        lambda lab: lab.personas["Ada"],
        lambda lab: lab.personas,
        lambda lab: lab.memories,
        lambda lab: lab.at(1),
    ],
    ids=["query", "computed", "model", "personas", "memories", "past"],
)
def test_whoever_holds_a_part_of_a_lab_holds_the_lab(
    tmp_path: Path, part: Callable[[pj.Lab], object]
) -> None:
    lab: pj.Lab | None = pj.open(tmp_path / "lab", background=False)
    assert lab is not None
    lab.personas.create("Ada")
    hub, tailer = lab._parts.hub._thread, lab._parts.tailer._thread

    held: object = part(lab)
    lab = None
    gc.collect()
    hub.join(0.05)
    assert hub.is_alive()
    assert tailer.is_alive()

    del held
    assert have_ended({hub, tailer})


def test_a_dropped_past_lab_is_gone(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    def databases() -> int:
        cursor = lab._parts.con.cursor()
        return int(cursor.execute("SELECT count(*) FROM duckdb_databases()").fetchall()[0][0])

    before = databases()
    past: pj.PastLab | None = lab.at(1)
    assert past is not None
    assert past.query("SELECT name FROM personas").item() == ada.name
    gone = weakref.ref(past)

    past = None
    gc.collect()

    assert gone() is None
    assert databases() == before


def test_closing_does_not_wait_for_a_long_query(tmp_path: Path) -> None:
    lab = pj.open(tmp_path / "lab", background=False)
    asker = lab._parts.hub._asker
    query = lab.live("SELECT sum(a.range * b.range) AS n FROM range(1000000) a, range(1000000) b")
    while asker._reader is None:
        threading.Event().wait(0.005)
    start = time.monotonic()

    lab.close()

    assert time.monotonic() - start < 15
    assert query.stale is True


def test_a_script_that_ends_without_closing_ends_at_once(tmp_path: Path) -> None:
    script = f"""
import pjais_lab as pj
lab = pj.open({str(tmp_path / "lab")!r})
query = lab.live("SELECT count(*) AS n FROM memories")
ada = lab.personas.create("Ada")
for i in range(20):
    lab.memories.record(ada, str(i))
print(query.frame.item(), flush=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout.strip(), done.stderr.strip()) == (0, "20", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_reading_in_a_forked_child_does_not_hang(tmp_path: Path) -> None:
    script = f"""
import os, pjais_lab as pj, time
lab = pj.open({str(tmp_path / "lab")!r})
query = lab.live("SELECT count(*) AS n FROM memories")
query.frame
pid = os.fork()
if pid == 0:
    start = time.monotonic()
    try:
        other = lab.live("SELECT 1 AS n")
        other.frame
    except pj.LabError:
        pass
    os._exit(0 if time.monotonic() - start < 5 else 1)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
lab.close()
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.stdout.strip() == "0", done.stderr
