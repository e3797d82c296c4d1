"""Other processes, the past, and looking without touching."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pjais_lab as pj
from pjais_lab.memories.commands import record_memory, revise_memory
from pjais_lab.reactive.hub import Hub

Runs = Callable[[Callable[[], Any]], int]
COUNT = "SELECT count(*) AS n FROM memories"


@pytest.fixture
def elsewhere(lab: pj.Lab) -> Callable[[str], str]:
    """Runs code with its own lab on the same workspace, in another process."""

    def run(body: str) -> str:
        lines = "\n".join(f"    {line}" for line in body.splitlines())
        script = f"import pjais_lab as pj\nwith pj.open({str(lab.path)!r}, background=False) as lab:\n{lines}"
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=90, check=True
        )
        return done.stdout.strip()

    return run


def test_another_process_moves_a_live_query_by_itself(
    lab: pj.Lab, ada: pj.PersonaModel, elsewhere: Callable[[str], str]
) -> None:
    query = lab.live(COUNT)
    assert query.frame.item() == 0
    moved = threading.Event()
    query.observe(lambda change: change.new.item() == 1 and moved.set(), "frame")

    elsewhere(f"lab.memories.record({ada.id!r}, 'from afar')")

    assert moved.wait(20)
    assert query.version == lab.position == 2


def test_many_events_of_another_process_arrive_in_few_rounds_and_in_order(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel, elsewhere: Callable[[str], str]
) -> None:
    query = lab.live(COUNT)
    assert query.frame.item() == 0
    seen: list[tuple[int, int]] = []
    done = threading.Event()

    def note(change: Any) -> None:
        seen.append((change.owner.version, change.new.item()))
        if change.new.item() == 600:
            done.set()

    query.observe(note, "frame")
    rounds = hub.rounds

    elsewhere(
        f"for n in range(3):\n"
        f"    with lab.batch():\n"
        f"        for i in range(200):\n"
        f"            lab.memories.record({ada.id!r}, f'{{n}} {{i}}')"
    )

    assert done.wait(20)
    assert seen == sorted(set(seen))
    assert {n for _, n in seen} <= {200, 400, 600}
    assert hub.rounds - rounds <= 4


def test_a_follower_that_fell_behind_the_journal_goes_on_from_the_lake(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel, elsewhere: Callable[[str], str]
) -> None:
    query = lab.live(COUNT)
    assert query.frame.item() == 0
    lab._parts.tailer.close()  # paused: it sees nothing of what follows

    elsewhere(
        f"for n in range(4):\n"
        f"    with lab.batch():\n"
        f"        for i in range(4000):\n"
        f"            lab.memories.record({ada.id!r}, f'{{n}} {{i}}')\n"
        f"lab.seal()"
    )
    assert lab._parts.journal.floor() > lab.position
    lab._parts.store.catch_up()

    assert lab.query(COUNT).item() == 16_000
    assert query.frame.item() == 16_000
    assert query.version == lab.position


def test_what_a_refused_commit_caught_up_with_is_shown(
    lab: pj.Lab, ada: pj.PersonaModel, elsewhere: Callable[[str], str]
) -> None:
    query = lab.live(COUNT)
    assert query.frame.item() == 0
    lab._parts.tailer.close()  # paused: only the commit below looks at the journal
    elsewhere(f"lab.memories.record({ada.id!r}, 'from afar')")

    with pytest.raises(pj.errors.RejectedError):
        lab.memories.forget("018bcfe5-6800-7000-8000-00000000000a")

    assert lab.position == 2
    assert query.frame.item() == 1


def test_a_commit_that_expects_the_position_before_another_process_wrote_is_a_conflict(
    lab: pj.Lab, ada: pj.PersonaModel, elsewhere: Callable[[str], str]
) -> None:
    expected = lab.position
    lab._parts.tailer.close()  # paused: this lab does not know yet that it is behind
    elsewhere(f"lab.memories.record({ada.id!r}, 'from afar')")
    assert lab.position == expected

    with pytest.raises(pj.errors.ConcurrencyError) as caught:
        lab.commit(record_memory(ada, "late"), expected=expected)

    assert caught.value.data == {"expected": expected, "actual": expected + 1}
    assert lab.query("SELECT content FROM memories")["content"].to_list() == ["from afar"]


def test_a_paused_follower_takes_ten_thousand_events_in_one_round(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel, elsewhere: Callable[[str], str]
) -> None:
    query = lab.live(COUNT)
    assert query.frame.item() == 0
    told: list[int] = []
    query.observe(lambda change: told.append(change.new.item()), "frame")
    lab._parts.tailer.close()
    elsewhere(
        f"for n in range(100):\n"
        f"    with lab.batch():\n"
        f"        for i in range(100):\n"
        f"            lab.memories.record({ada.id!r}, f'{{n}} {{i}}')"
    )
    assert hub.settle(10)
    rounds = hub.rounds

    lab._parts.store.catch_up()
    assert hub.settle(10)

    assert told == [10_000]
    assert hub.rounds == rounds + 1


def test_processes_that_open_a_fresh_workspace_at_once_share_one(tmp_path: Path) -> None:
    script = f"""
import sys
import pjais_lab as pj
with pj.open({str(tmp_path / "lab")!r}) as lab:
    lab.personas.create(sys.argv[1])
"""
    started = [
        subprocess.Popen([sys.executable, "-c", script, name], stderr=subprocess.PIPE, text=True)
        for name in ("Ada", "Bob", "Cy")
    ]
    errors = [p.communicate(timeout=90)[1] for p in started]

    assert errors == ["", "", ""]
    with pj.open(tmp_path / "lab", create=False, background=False) as lab:
        assert lab.personas.names == ["Ada", "Bob", "Cy"]
        assert set(lab.status.vector.values()) == {3}


def test_a_rebuild_and_a_seal_change_no_answer(lab: pj.Lab, hub: Hub, ada: pj.PersonaModel) -> None:
    memories = lab.live("SELECT content FROM memories ORDER BY content")
    history = lab.live("SELECT count(*) AS n FROM events")
    for n in range(5):
        lab.memories.record(ada, f"thought {n}")
    before = memories.frame, history.frame
    told: list[Any] = []
    memories.observe(told.append, "frame")
    history.observe(told.append, "frame")

    lab.seal()
    lab.rebuild(verify=True)
    lab.personas.revise(ada, description="a round for all")
    assert hub.settle(10)

    assert memories.frame is before[0]
    assert history.frame.item() == before[1].item() + 1
    assert [change.owner for change in told] == [history]


def test_the_past_is_what_the_log_was_and_the_present_stays(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    lab.memories.record(ada, "then")
    then = lab.position
    query = lab.live(COUNT)
    frame = query.frame
    lab.memories.record(ada, "now")
    frame = query.frame
    rounds = hub.rounds

    past = lab.at(then)

    assert past.query("SELECT content FROM memories")["content"].to_list() == ["then"]
    assert hub.settle(10)
    assert query.frame is frame
    assert hub.rounds == rounds


def test_the_log_of_one_entity_is_a_query_that_changes_nothing(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    memory = lab.memories.record(ada, "first")
    (recorded,) = lab.query("SELECT id FROM events WHERE entity_id = $m", m=memory.id)["id"]
    lab.commit(revise_memory(memory, content="second"), cause=recorded, actor="plugin:editor")
    lab.memories.record(ada, "another")
    position, counters = lab.position, (lab.status.head, hub.rounds)

    log = lab.live(
        "SELECT name, origin, actor, cause, persona_id FROM events WHERE entity_id = $m"
        " ORDER BY seq",
        m=memory.id,
    )

    assert log.frame["name"].to_list() == ["v1.MemoryRecorded", "v1.MemoryRevised"]
    assert log.frame["cause"].to_list() == [None, recorded]
    assert log.frame["actor"].to_list()[1] == "plugin:editor"
    assert set(log.frame["origin"]) == {lab.status.replica}
    assert set(log.frame["persona_id"]) == {ada.id}
    assert lab.position == position
    assert (lab.status.head, hub.rounds) == (counters[0], counters[1] + 1)


def test_status_tells_positions_pending_quarantine_and_errors_apart(
    lab: pj.Lab, ada: pj.PersonaModel, elsewhere: Callable[[str], str]
) -> None:
    lab.seal()
    lab.memories.record(ada, "not sealed yet")
    lab._parts.tailer.close()
    elsewhere(f"lab.memories.record({ada.id!r}, 'from afar')")

    status = lab.status

    assert (status.position, status.head, status.sealed, status.floor) == (2, 3, 1, 0)
    assert status.vector == {status.replica: 3}
    assert status.unsealed == 1
    assert (status.quarantined, status.unknown, status.ignored) == (0, {}, {})
    assert (status.tailer_error, status.keeper_error) == (None, None)


def test_why_a_lab_no_longer_follows_is_in_its_status(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    journal, tailer = lab._parts.journal, lab._parts.tailer
    tailer.close()  # its thread; below its turns are taken one by one
    moved = journal.path.with_suffix(".away")
    journal._pool.close()
    journal._pool._is_closed = False
    journal.path.rename(moved)

    assert tailer.turn()
    assert "journal.sqlite" in str(tailer.error)

    moved.rename(journal.path)
    assert lab.status.tailer_error is not None
    assert tailer.turn() == 0
    assert lab.status.tailer_error is None


def test_a_query_of_history_sees_events_that_move_no_table(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    history = lab.live("SELECT count(*) AS n FROM events WHERE persona_id = $p", p=ada.id)
    mine = history.frame.item()

    lab.memories.record(ada, "one")
    lab.personas.create("Bob")

    assert history.frame.item() == mine + 1


def test_counters_read_twice_are_the_same(lab: pj.Lab, hub: Hub, ada: pj.PersonaModel) -> None:
    queries = [lab.live(COUNT), lab.live("SELECT count(*) AS n FROM personas")]
    lab.memories.record(ada, "one")
    assert [q.frame.item() for q in queries] == [1, 1]
    assert hub.settle(10)

    def counters() -> tuple[Any, ...]:
        repr(queries[0])
        queries[0]._repr_html_()
        return (
            hub.rounds,
            hub.runs,
            lab.position,
            [q.version for q in queries],
            lab.status.position,
        )

    assert counters() == counters()


def test_text_from_the_log_is_inert_in_the_table(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    lab.memories.record(ada, '<script>alert(1)</script> & "quotes"')

    shown = lab.live('SELECT content, 1 AS "<b>" FROM memories')._repr_html_()

    assert "<script>" not in shown
    assert "<b>" not in shown
    assert "&lt;script&gt;" in shown


def test_queries_answer_as_if_asked_anew_after_every_change(lab: pj.Lab) -> None:
    """Invalidation misses nothing: whatever happens, each live query equals a fresh one."""
    ada, bob = (lab.personas.create(n) for n in ("Ada", "Bob"))
    first = lab.memories.record(ada, "first", tags=["a"])
    second = lab.memories.record(bob, "second", tags=["b"])
    sqls = [
        "SELECT id, content, tags FROM memories WHERE persona_id = $a",
        "FROM memories SELECT count(*) AS n WHERE id = $m",
        "SELECT * FROM memories WHERE persona_id IN ($a, $b) ORDER BY id",
        "WITH mine AS (SELECT * FROM memories WHERE persona_id = $a) SELECT count(*) AS n FROM mine",
        "SELECT p.name, m.content FROM personas p LEFT JOIN memories m ON m.persona_id = p.id"
        " WHERE p.id = $a",
        "SELECT p.name, m.content FROM personas p JOIN memories m ON m.persona_id = p.id"
        " WHERE p.id = $b AND m.id = $m",
        "SELECT name FROM personas p WHERE NOT EXISTS"
        " (SELECT 1 FROM memories m WHERE m.persona_id = p.id AND m.persona_id = $b)",
        "SELECT (SELECT count(*) FROM memories WHERE persona_id = $a) AS a, count(*) AS b FROM links",
        "SELECT count(*) AS n FROM events WHERE persona_id = $b",
        "SELECT name, count(*) AS n FROM events WHERE entity_id = $m GROUP BY name",
        "SELECT tier, count(*) AS n FROM memories WHERE persona_id = $a OR id = $m GROUP BY tier",
        "SUMMARIZE SELECT importance FROM memories WHERE persona_id = $a",
    ]
    values = {"a": ada.id, "b": bob.id, "m": second.id}
    used = [{n: v for n, v in values.items() if f"${n}" in sql} for sql in sqls]
    queries = [lab.live(sql, **p) for sql, p in zip(sqls, used, strict=True)]

    steps: list[Callable[[], Any]] = [
        lambda: lab.memories.record(ada, "third"),
        lambda: lab.memories.revise(second, content="changed"),
        lambda: lab.memories.link(first, second),
        lambda: lab.memories.retier(second, "cold"),
        lambda: lab.personas.revise(bob, name="Robert"),
        lambda: lab.memories.recall(first, second),
        lambda: lab.memories.forget(first),
        lambda: lab.memories.forget(second),
        lambda: lab.memories.record(bob, "fourth"),
        lambda: lab.personas.erase(ada),
        lambda: lab.rebuild(),
    ]
    for step in steps:
        step()
        for query, sql, params in zip(queries, sqls, used, strict=True):
            fresh = lab.query(sql, **params)
            columns = fresh.columns
            assert query.frame.sort(columns).equals(fresh.sort(columns)), (sql, query.error)
