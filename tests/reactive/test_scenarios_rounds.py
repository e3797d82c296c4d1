"""What live queries and computed values show, and when they are run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import pjais_lab as pj
from pjais_lab.core.event import Event
from pjais_lab.errors import QueryError
from pjais_lab.memories.commands import record_memory
from pjais_lab.reactive.hub import Hub

Runs = Callable[[Callable[[], Any]], int]

COUNT = "SELECT count(*) AS n FROM memories"
OF = f"{COUNT} WHERE persona_id = $p"


@pj.event("v1.GaugeRead", entity="gauge", effect="create")
class GaugeRead(Event):
    text: str


@pj.event("v1.GaugeCorrected", entity="gauge")
class GaugeCorrected(Event):
    text: str


GAUGES = pj.Table(
    "gauges",
    "gauge",
    {"text": pj.Last("VARCHAR", (pj.src(GaugeRead, "text"), pj.src(GaugeCorrected, "text")))},
)


def number(query: pj.LiveQuery) -> int:
    return int(query.frame.item())


# ---------------------------------------------------------------- read your writes, one position


def test_what_was_committed_is_seen_by_the_next_read(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    query = lab.live(OF, p=ada.id)

    for n in range(1, 31):
        lab.memories.record(ada, f"thought {n}")

        assert number(query) == n


def test_a_computed_value_is_as_new_as_the_commit(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    doubled = pj.computed(lambda frame: frame.item() * 2, lab.live(COUNT))

    lab.memories.record(ada, "one")

    assert doubled.value == 2


def test_every_thread_sees_its_own_commits(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    lab.live(COUNT)
    wrong: list[tuple[int, int]] = []

    def write(name: str) -> None:
        mine = lab.live("SELECT count(*) AS n FROM memories WHERE content = $name", name=name)
        for n in range(1, 21):
            lab.memories.record(ada, name)
            if number(mine) != n:
                wrong.append((n, number(mine)))

    threads = [threading.Thread(target=write, args=(f"thread {i}",)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_all_live_queries_show_one_position(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    touched = lab.live(COUNT)
    untouched = lab.live("SELECT count(*) AS n FROM conversations")
    derived = pj.computed(lambda frame: frame.item(), untouched)
    seen: list[set[int]] = []
    touched.observe(
        lambda _: seen.append({touched.version, untouched.version, derived.version, ada.version}),
        "frame",
    )

    for n in range(5):
        lab.memories.record(ada, f"thought {n}")

    assert {touched.version, untouched.version, derived.version} == {lab.position}
    assert [len(s) for s in seen] == [1] * len(seen)


def test_the_position_is_told_to_those_who_ask_for_it(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    query = lab.live("SELECT count(*) AS n FROM conversations")
    assert number(query) == 0
    told: list[int] = []
    query.observe(lambda change: told.append(change.new), "version")

    lab.memories.record(ada, "elsewhere")
    assert hub.settle(10)

    assert told == [lab.position]


# ---------------------------------------------------------------- batches


def test_ten_thousand_events_in_a_batch_run_each_of_five_queries_once(
    lab: pj.Lab, ada: pj.PersonaModel, runs: Runs
) -> None:
    queries = [lab.live(f"{COUNT} WHERE importance > {i / 10}") for i in range(5)]
    told: list[int] = []
    for query in queries:
        query.observe(lambda change: told.append(change.new.item()), "frame")

    def batch() -> None:
        with lab.batch():
            for i in range(10_000):
                lab.memories.record(ada, f"memory {i}", importance=0.9)

    assert runs(batch) == 5
    assert told == [10_000] * 5


def test_a_state_inside_a_batch_is_never_shown(lab: pj.Lab, hub: Hub, ada: pj.PersonaModel) -> None:
    query = lab.live(COUNT)
    seen: list[int] = [number(query)]
    query.observe(lambda change: seen.append(change.new.item()), "frame")

    with lab.batch():
        lab.memories.record(ada, "one")
        inside = number(query)
        lab.memories.record(ada, "two")
    assert hub.settle(10)

    assert (inside, seen) == (0, [0, 2])


def test_a_batch_that_fails_tells_nobody(lab: pj.Lab, hub: Hub, ada: pj.PersonaModel) -> None:
    query = lab.live(COUNT)
    told: list[Any] = []
    assert number(query) == 0
    query.observe(told.append, "frame")

    position = lab.position

    with pytest.raises(pj.errors.RejectedError), lab.batch():
        lab.memories.record(ada, "fine")
        lab.memories.forget("018bcfe5-6800-7000-8000-00000000000a")
        lab.memories.record(ada, "fine too")
    assert hub.settle(10)

    assert (number(query), told) == (0, [])
    assert lab.position == lab._parts.journal.head() == position


def test_a_batch_in_a_batch_joins_it(lab: pj.Lab, hub: Hub, ada: pj.PersonaModel) -> None:
    query = lab.live(COUNT)
    assert number(query) == 0
    told: list[int] = []
    query.observe(lambda change: told.append(change.new.item()), "frame")

    with lab.batch():
        lab.memories.record(ada, "one")
        with lab.batch():
            lab.memories.record(ada, "two")
        lab.memories.record(ada, "three")
    assert hub.settle(10)

    assert told == [3]


def test_a_burst_ends_with_its_last_state(lab: pj.Lab, hub: Hub, ada: pj.PersonaModel) -> None:
    query = lab.live(COUNT)
    told: list[int] = []
    assert number(query) == 0
    before = hub.rounds
    query.observe(lambda change: told.append(change.new.item()), "frame")

    for n in range(200):
        lab.commit(record_memory(ada, f"thought {n}"))
    assert hub.settle(10)

    assert told[-1] == 200
    assert told == sorted(set(told))
    assert hub.rounds - before < 200


# ---------------------------------------------------------------- unchanged, ordered, limited


def test_a_diamond_runs_its_end_once_and_never_on_mixed_values(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    base = lab.live(COUNT)
    left = pj.computed(lambda frame: frame.item() + 1, base)
    right = pj.computed(lambda frame: frame.item() * 10, base)
    pairs: list[tuple[int, int]] = []

    def join(a: int, b: int) -> int:
        pairs.append((a, b))
        return a + b

    end = pj.computed(join, left, right)
    assert end.value == 1
    pairs.clear()

    lab.memories.record(ada, "one")
    assert hub.settle(10)

    assert pairs == [(2, 10)]
    assert end.value == 12


def test_two_queries_of_one_round_never_disagree(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    total = lab.live(COUNT)
    halves = lab.live(
        "SELECT count(*) FILTER (importance > 0.5) + count(*) FILTER (importance <= 0.5) AS n"
        " FROM memories"
    )
    differences: list[int] = []
    both = pj.computed(lambda a, b: differences.append(a.item() - b.item()), total, halves)

    for n in range(40):
        lab.memories.record(ada, f"thought {n}", importance=n / 40)
    assert hub.settle(10)

    assert both.error is None
    assert set(differences) == {0}


def test_an_equal_result_runs_nothing_downstream_and_tells_nobody(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    kinds = lab.live("SELECT DISTINCT kind FROM memories")
    lab.memories.record(ada, "one")
    downstream: list[int] = []
    size = pj.computed(lambda frame: downstream.append(1) or frame.height, kinds)
    told: list[Any] = []
    frame, version = kinds.frame, kinds.version
    assert size.value == 1
    kinds.observe(told.append, "frame")

    lab.memories.record(ada, "two")
    assert hub.settle(10)

    assert kinds.frame is frame
    assert (downstream, told) == ([1], [])
    assert kinds.version > version


def test_an_equal_computed_value_stops_there(lab: pj.Lab, hub: Hub, ada: pj.PersonaModel) -> None:
    parity = pj.computed(lambda frame: frame.item() % 2, lab.live(COUNT))
    runs: list[int] = []
    name = pj.computed(lambda odd: runs.append(odd) or ("odd" if odd else "even"), parity)
    assert name.value == "even"

    with lab.batch():
        lab.memories.record(ada, "one")
        lab.memories.record(ada, "two")
    assert hub.settle(10)

    assert runs == [0]


def test_a_change_of_order_alone_is_told_when_the_query_orders(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    first = lab.memories.record(ada, "first", importance=0.9)
    lab.memories.record(ada, "second", importance=0.5)
    ordered = lab.live("SELECT content FROM memories ORDER BY importance DESC")
    assert ordered.frame["content"].to_list() == ["first", "second"]

    lab.memories.revise(first, importance=0.1)

    assert ordered.frame["content"].to_list() == ["second", "first"]


def test_a_limit_is_refilled_without_a_hole(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    made = [lab.memories.record(ada, f"m{i}", importance=0.5) for i in range(5)]
    top = lab.live("SELECT id, content FROM memories ORDER BY importance DESC, content LIMIT 3")
    assert top.frame["content"].to_list() == ["m0", "m1", "m2"]

    lab.memories.forget(made[1])

    assert top.frame["content"].to_list() == ["m0", "m2", "m3"]


def test_null_and_nan_equal_themselves(lab: pj.Lab, hub: Hub, ada: pj.PersonaModel) -> None:
    query = lab.live(
        "SELECT NULL AS a, 'nan'::DOUBLE AS b, [1.0, 'nan'::DOUBLE] AS c FROM personas"
    )
    frame = query.frame
    told: list[Any] = []
    query.observe(told.append, "frame")

    lab.personas.revise(ada, description="other")
    assert hub.settle(10)

    assert query.frame is frame
    assert told == []


# ---------------------------------------------------------------- which commits concern which query


def test_a_new_table_is_seen_by_queries_made_before_its_events(lab: pj.Lab) -> None:
    lab.declare(GaugeRead, GaugeCorrected, GAUGES)
    query = lab.live("SELECT count(*) AS n FROM gauges")
    assert number(query) == 0

    lab.commit(GaugeRead(text="7"))

    assert number(query) == 1


# ---------------------------------------------------------------- errors


def test_a_failing_query_keeps_its_value_and_its_siblings_go_on(lab: pj.Lab) -> None:
    lab.declare(GaugeRead, GaugeCorrected, GAUGES)
    good = lab.commit(GaugeRead(text="7"))
    total = lab.live("SELECT sum(text::INTEGER) AS n FROM gauges")
    count = lab.live("SELECT count(*) AS n FROM gauges")
    mean = pj.computed(lambda a, b: a.item() / b.item(), total, count)
    assert (number(total), mean.value) == (7, 7)

    bad = lab.commit(GaugeRead(text="seven"))

    assert "seven" in (total.error or "")
    assert isinstance(total.exception, QueryError)
    assert (number(total), total.stale, total.version) == (7, True, lab.position)
    assert (number(count), count.error) == (2, None)
    assert mean.value == 7

    lab.commit(GaugeCorrected(text="3").on(entity=bad.id))

    assert (number(total), total.error, total.stale, mean.value) == (10, None, False, 5)
    assert good.id != bad.id


def test_many_failing_queries_do_not_hurt_the_others(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    bad = [lab.live(f"SELECT error('no {i}') FROM memories") for i in range(6)]
    good = [lab.live(f"{COUNT} WHERE importance >= {i / 10}") for i in range(6)]

    lab.memories.record(ada, "one", importance=1.0)

    assert [f"no {i}" in (q.error or "") for i, q in enumerate(bad)] == [True] * 6
    assert [(number(q), q.error) for q in good] == [(1, None)] * 6


def test_a_computed_value_that_raises_keeps_the_last_one(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    inverse = pj.computed(lambda frame: 1 / (frame.item() - 1), lab.live(COUNT))
    assert inverse.value == -1

    lab.memories.record(ada, "one")
    assert "division" in (inverse.error or "")
    assert (inverse.value, inverse.stale) == (-1, True)

    lab.memories.record(ada, "two")
    assert (inverse.value, inverse.error, inverse.stale) == (1, None, False)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM memories",
        "COPY memories TO 'out.csv'",
        "ATTACH 'other.db'",
        "SET threads = 1",
        "INSTALL httpfs",
        "SELECT 1; SELECT 2",
        "CREATE TABLE t AS SELECT 1",
        "",
    ],
)
def test_sql_that_is_not_one_reading_statement_is_refused(lab: pj.Lab, sql: str) -> None:
    position = lab.position

    with pytest.raises(QueryError):
        lab.live(sql)
    with pytest.raises(QueryError):
        lab.query(sql)

    assert lab.position == position


def test_a_missing_parameter_is_named_when_the_query_is_made(lab: pj.Lab) -> None:
    with pytest.raises(QueryError, match="'?p'?"):
        lab.live(OF)


def test_a_model_stands_for_its_id_in_a_parameter(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    lab.memories.record(ada, "one")

    assert number(lab.live(OF, p=ada)) == lab.query(OF, p=ada).item() == 1


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda query, other: pj.computed(len), "was given no input"),
        (lambda query, other: pj.computed(len, "SELECT 1"), "was given the input 'SELECT 1'"),
        (lambda query, other: pj.computed(query, query), "expected a function"),
        (lambda query, other: pj.computed(len, query, other), "are of two labs"),
    ],
    ids=["no input", "text", "no function", "two labs"],
)
def test_what_cannot_be_computed_is_refused_in_one_sentence(
    lab: pj.Lab, tmp_path: Path, make: Callable[[Any, Any], Any], sentence: str
) -> None:
    with pj.open(tmp_path / "other", background=False) as elsewhere:
        query, other = lab.live(COUNT), elsewhere.live(COUNT)

        with pytest.raises(pj.errors.RejectedError, match=sentence):
            make(query, other)


def test_what_is_live_says_what_state_it_is_in(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    query, failed = lab.live(COUNT), lab.live("SELECT error('boom') AS n")
    inverse = pj.computed(lambda frame: 1 / frame.item(), query)

    assert f"version {lab.position})" in repr(query)
    assert repr(failed).endswith("error: QueryError: The query failed: boom.)")
    assert "boom" in failed._repr_html_()
    assert "ZeroDivisionError" in repr(inverse)
    query.close()
    assert "closed" in repr(query)
    assert "closed" in query._repr_html_()
    lab.personas.erase(ada)
    assert repr(ada).endswith(", gone)")


def test_a_query_over_nothing_has_a_frame_with_columns(lab: pj.Lab) -> None:
    frame = lab.live("SELECT id, content FROM memories").frame

    assert isinstance(frame, pl.DataFrame)
    assert (frame.height, frame.columns) == (0, ["id", "content"])
