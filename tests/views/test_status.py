"""LabStatus: what it says of every part of a lab, what it costs to say it, and what follows what."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import pjais_lab as pj
from pjais_lab.views.lab_status.graph import Graph, graph_of
from tests.views.conftest import Wire
from tests.views.counter import SQL, Counter
from tests.views.test_static import HOSTILE, inert


@pj.event("v1.KettleBoiled", persona=True)
class KettleBoiled(pj.Event):
    """Something that another program declares."""

    at: str


def drawn(graph: Graph) -> list[tuple[str, str]]:
    """The edges, by label."""
    labels = {
        s.id: f"{s.label}{f' × {s.count}' if s.count > 1 else ''}"
        for row in graph.layers
        for s in row
    }
    return sorted((labels[a], labels[b]) for a, b in graph.edges)


# ---------------------------------------------------------------- values
def test_it_says_what_journal_lake_and_threads_are_at(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    before = lab.status
    assert (before.unsealed, before.lake.shards, before.lake.sealed_at) == (1, (), None)
    assert before.last_commit is not None
    assert datetime.now(UTC).replace(tzinfo=None) - before.last_commit < timedelta(minutes=1)
    assert before.journal_bytes > 10_000
    assert before.memory_bytes > 0

    lab.seal()
    lab.memories.record(ada, "The engine hums.")
    assert lab._parts.hub.settle()

    after = lab.status
    assert (after.position, after.sealed, after.unsealed) == (2, 1, 1)
    assert sum(s.rows for s in after.lake.shards) == 1
    assert sum(s.size_bytes for s in after.lake.shards) > 0
    assert after.lake.checkpoint == 1
    assert after.lake.sealed_at is not None
    assert [(f.name, f.is_alive, f.behind, f.error) for f in after.followers] == [
        ("following other processes", True, 0, None),
        ("what is live", True, 0, None),
    ]


def test_the_files_by_shard_are_counted_anew_after_a_seal_only(lab: pj.Lab) -> None:
    for name in "ABCDEFGH":
        lab.personas.create(name)
    lab.seal()
    first = lab.status.lake
    assert lab.status.lake is first

    lab.personas.create("I")
    lab.seal()

    assert sum(s.rows for s in lab.status.lake.shards) == 9
    assert len(first.shards) > 1


def test_it_says_who_is_sealing(lab: pj.Lab) -> None:
    assert lab.status.sealer is None

    with lab._parts.journal.lease("sealer", 60):
        held = lab.status.sealer

    assert held is not None
    assert (held.pid, held.is_here) == (str(os.getpid()), True)
    assert 50 < held.left_s <= 60
    assert lab.status.sealer is None


def test_unknown_events_are_counted_once_sealed_or_not_and_again_after_a_declaration(
    tmp_path: Path,
) -> None:
    with pj.open(tmp_path / "lab", background=False) as writer:
        writer.declare(KettleBoiled)
        ada, bea = writer.personas.create("Ada"), writer.personas.create("Bea")
        with pj.open(tmp_path / "lab", background=False) as lab:
            for persona in (ada, ada, bea):
                writer.commit(KettleBoiled(at="noon").on(persona.id))
                lab._parts.store.catch_up()
                assert sum(lab.status.unknown.values()) == lab.position - 2
            writer.seal()
            writer.commit(KettleBoiled(at="dusk").on(bea.id))
            lab._parts.store.catch_up()
            assert lab.status.unknown == {"v1.KettleBoiled": 4} == _counted(lab)
            lab.seal()
            assert lab.status.unknown == {"v1.KettleBoiled": 4}

            writer.personas.erase(ada)
            writer.seal()
            lab._parts.store.catch_up()
            lab.seal()
            assert lab.status.unknown == _counted(lab)

            lab.declare(KettleBoiled)
            assert lab.status.unknown == {}


def _counted(lab: pj.Lab) -> dict[str, int]:
    sql = "SELECT name, count(*) FROM events WHERE name = 'v1.KettleBoiled' GROUP BY name"
    return dict(lab.query(sql).rows())


def test_counting_unknown_events_again_looks_at_new_ones_only(lab: pj.Lab) -> None:
    lab.personas.create("Ada")
    state = lab._parts.state
    assert state.unknown() == {}
    state.cursor().execute("UPDATE log.tail SET name = 'v9.Strange'")  # behind its back
    assert state.unknown() == {}

    lab.personas.create("Bea")
    state.cursor().execute("UPDATE log.tail SET name = 'v9.Strange'")

    assert state.unknown() == {"v9.Strange": 1}


# ---------------------------------------------------------------- what is live
def test_what_is_live_is_said_with_its_cost(wire: Wire, lab: pj.Lab, ada: pj.PersonaModel) -> None:
    query = lab.live("SELECT * FROM personas")
    double = pj.computed(lambda frame: frame.height * 2, query)
    wrong = lab.live("SELECT 1 // (SELECT count(*) FROM memories) AS x")
    status = pj.views.LabStatus(lab)
    for i in range(3):
        lab.memories.record(ada, f"Note {i}")
    lab.personas.create("Bea")
    assert double.value == 4
    assert wrong.error is None

    rows = {row["what"]: row for row in status.live.iter_rows(named=True)}

    mine = rows["SELECT * FROM personas"]
    assert (mine["runs"], mine["rows"], mine["state"], mine["at event"]) == (2, 2, "follows", 5)
    assert 0 < mine["last ms"] < mine["total ms"]
    assert rows["computed <lambda>"]["runs"] == 2
    totals = [t for t in status.live["total ms"].to_list() if t is not None]
    assert totals == sorted(totals, reverse=True)


def test_a_query_that_fails_says_so_among_what_is_live(wire: Wire, lab: pj.Lab) -> None:
    wrong = lab.live("SELECT error('no luck today') FROM personas")
    lab.personas.create("Ada")
    assert wrong.error is not None

    (state,) = [
        r["state"]
        for r in pj.views.LabStatus(lab).live.iter_rows(named=True)
        if "error" in r["what"]
    ]

    assert "no luck today" in state


# ---------------------------------------------------------------- the graph
def test_the_graph_leads_from_tables_over_queries_and_computed_values_to_views(
    wire: Wire, lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    view = Counter(lab, label="Mine")
    live = lab.live("SELECT p.name FROM personas p JOIN memories m ON m.persona_id = p.id")
    table = pj.views.Table(live, title="Names")
    size = pj.computed(len, live)
    volatile = lab.live("SELECT now() AS t")
    models = [lab.personas.create(n) for n in ("Bea", "Cyd")]
    status = pj.views.LabStatus(lab, title="Status")

    edges = drawn(status.graph)

    assert {
        ("memories", SQL),
        (SQL, "Mine"),
        ("personas", live.sql),
        ("memories", live.sql),
        (live.sql, "Names"),
        (live.sql, "len"),
        ("any change", volatile.sql),
        ("personas", "PersonaModel × 3"),
    } <= set(edges)
    assert "Status" in {b for _, b in edges}
    assert [len(layer) > 0 for layer in status.graph.layers] == [True] * 4
    view.close()
    assert "Mine" not in {b for _, b in drawn(status.graph)}
    del table, size, models


def test_a_graph_of_many_is_bounded_and_says_how_many_are_left_out(lab: pj.Lab) -> None:
    held = [lab.live(f"SELECT {n} AS n FROM memories") for n in range(40)]

    graph = graph_of(lab.live_nodes, [])

    queries = graph.layers[1]
    assert (len(queries), queries[-1].kind, queries[-1].count) == (13, "more", 28)
    assert len(graph.edges) == 13
    assert len(held) == 40


# ---------------------------------------------------------------- what it costs
def test_a_commit_moves_rows_and_position_and_waits_for_nothing_else(
    wire: Wire, lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    view = pj.views.LabStatus(lab)
    view._channel.attach("page", 0)

    lab.memories.record(ada, "The engine hums.")
    moved = wire.until(lambda: [m for m in wire.of(view, "push") if "tables" in m.parts])

    assert moved[0].parts["position"] == 2
    assert set(moved[0].parts) <= {"tables", "position", "$query", "$error"}


def test_when_it_was_painted_the_rest_follows_at_most_once_a_second(
    wire: Wire, lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    view = pj.views.LabStatus(lab)
    view._looked_at -= 2.0
    wire.show(view)
    lab.memories.record(ada, "The engine hums.")
    said = wire.until(lambda: wire.of(view, "push"))[-1]
    view._looked_at -= 2.0

    wire.paint(view, said.content["seq"])

    wire.until(
        lambda: any(m.parts.get("status", {}).get("position") == 2 for m in wire.of(view, "push"))
    )
    again = view._looked_at
    wire.paint(view, view._channel.seq)
    assert view._looked_at == again


# ---------------------------------------------------------------- where nothing runs
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_in_queries_titles_and_errors(
    wire: Wire, lab: pj.Lab, text: str
) -> None:
    query = lab.live(
        'SELECT $x AS x, 1 AS "' + text.replace('"', "").replace("\x00", "") + '"', x=text
    )
    view = pj.views.LabStatus(lab, title=text)
    table = pj.views.Table(query, title=text)

    words = inert(view.to_html())

    assert "What follows what" in words
    assert "Rows of each table" in words
    assert table.comm is not None


def test_a_closed_lab_still_shows_what_was_last_seen(wire: Wire, lab: pj.Lab) -> None:
    view = pj.views.LabStatus(lab)
    lab.close()

    inert(view.to_html())
