from __future__ import annotations

from typing import Any

import pytest

from pjais_lab.reactive._invalidation import Dependencies, Touched, dependencies
from pjais_lab.storage.duck import connect
from pjais_lab.storage.sqlparse import analyse

ADA = "018bcfe5-6800-7000-8000-00000000000a"
BOB = "018bcfe5-6800-7000-8000-00000000000b"
MEMORY = "018bcfe5-6800-7000-8000-00000000000c"
TABLES = ("memories", "personas")


def depends(sql: str, **params: Any) -> Dependencies:
    con = connect(threads=1)
    try:
        return dependencies(analyse(con, sql), params, TABLES)
    finally:
        con.close()


def touched(**tables: set[tuple[str, str | None]] | None) -> Touched:
    made = Touched()
    made.add(tables)
    return made


MINE: dict[str, set[tuple[str, str | None]]] = {
    "memories": {(MEMORY, ADA)},
    "events": {(MEMORY, ADA)},
}


@pytest.mark.parametrize(
    ("sql", "params", "hit"),
    [
        ("FROM memories", {}, True),
        ("FROM personas", {}, False),
        ("FROM memories WHERE persona_id = $p", {"p": ADA}, True),
        ("FROM memories WHERE persona_id = $p", {"p": ADA.upper()}, True),
        ("FROM memories WHERE persona_id = $p", {"p": BOB}, False),
        ("FROM memories WHERE persona_id = $p", {"p": "no id"}, True),
        ("FROM memories WHERE id = $m", {"m": BOB}, False),
        ("FROM memories WHERE id = $m AND persona_id = $p", {"m": MEMORY, "p": BOB}, False),
        ("FROM memories a, memories b WHERE a.persona_id = $p", {"p": BOB}, True),
        ("FROM events WHERE persona_id = $p", {"p": BOB}, False),
        ("FROM events WHERE entity_id = $m", {"m": MEMORY}, True),
        ("FROM events WHERE id = $e", {"e": BOB}, True),
        ("FROM elsewhere", {}, True),
        ("SHOW TABLES", {}, True),
        ("SELECT 1", {}, False),
        ("SELECT now()", {}, True),
    ],
)
def test_a_commit_hits_the_queries_it_may_concern(
    sql: str, params: dict[str, str], *, hit: bool
) -> None:
    assert touched(**MINE).hits(depends(sql, **params)) is hit


@pytest.mark.parametrize(
    ("sql", "params", "hit"),
    [
        ("FROM events WHERE name = 'v1.MemoryAdded'", {}, True),
        ("FROM events WHERE name = 'v1.MemoryForgotten'", {}, False),
        ("FROM events WHERE name = $n", {"n": "v1.MemoryForgotten"}, False),
        ("FROM events WHERE name = $n", {"n": None}, False),
        ("FROM events WHERE name = $n", {"n": 5}, True),
        ("FROM events WHERE name IN ('v1.MemoryForgotten', 'v1.MemoryAdded')", {}, True),
        ("FROM events WHERE name IN ('v1.MemoryForgotten', 'v1.MemoryLinked')", {}, False),
        ("FROM events WHERE name = 'v1.MemoryForgotten' OR seq = 1", {}, True),
        ("FROM events WHERE lower(name) = 'v1.memoryadded'", {}, True),
        ("FROM events WHERE name = 'v1.memoryadded' COLLATE NOCASE", {}, True),
        ("SELECT seq AS name FROM events WHERE name = 'v1.MemoryForgotten'", {}, True),
        ("FROM memories WHERE name = 'v1.MemoryForgotten'", {}, True),
        ("FROM events e JOIN memories m ON e.entity_id = m.id WHERE e.name = 'v1.X'", {}, True),
        ("FROM events a, events b WHERE a.name = 'v1.X' AND b.name = 'v1.Y'", {}, False),
    ],
)
def test_a_commit_hits_the_queries_of_history_that_ask_for_its_events(
    sql: str, params: dict[str, Any], *, hit: bool
) -> None:
    made = Touched()
    made.add(MINE, frozenset({"v1.MemoryAdded"}))

    assert made.hits(depends(sql, **params)) is hit


def test_one_change_of_unknown_events_hits_queries_of_every_name() -> None:
    on = depends("FROM events WHERE name = 'v1.MemoryForgotten'")
    made = Touched()
    made.add(MINE, frozenset({"v1.MemoryAdded"}))
    made.add(MINE)

    assert made.hits(on)


def test_too_many_keys_hit_every_query_of_the_table() -> None:
    on = depends("FROM memories WHERE persona_id = $p", p=BOB)

    assert touched(memories=None, events=None).hits(on)


def test_changes_that_do_not_speak_of_events_hit_every_query_of_history() -> None:
    on = depends("FROM events WHERE persona_id = $p", p=BOB)

    assert touched(memories={(MEMORY, ADA)}).hits(on)


def test_keys_of_several_changes_add_up() -> None:
    made = touched(**MINE)
    made.add({"memories": {(BOB, BOB)}, "events": {(BOB, BOB)}})

    assert made.hits(depends("FROM memories WHERE persona_id = $p", p=ADA))
    assert made.hits(depends("FROM memories WHERE persona_id = $p", p=BOB))
    assert made.hits_row("memories", MEMORY)
    assert not made.hits_row("personas", ADA)


def test_nothing_touched_hits_nothing_but_the_clock() -> None:
    assert not Touched().hits(depends("FROM memories"))
    assert not Touched().hits(depends("SHOW TABLES"))
    assert Touched().hits(depends("SELECT now()"))
