"""Which commits make which live queries run, and which answers are shared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pjais_lab as pj

Runs = Callable[[Callable[[], Any]], int]

COUNT = "SELECT count(*) AS n FROM memories"
OF = f"{COUNT} WHERE persona_id = $p"


def number(query: pj.LiveQuery) -> int:
    return int(query.frame.item())


def test_a_commit_about_one_persona_runs_only_the_queries_bound_to_it(
    lab: pj.Lab, runs: Runs
) -> None:
    people = [lab.personas.create(f"Persona {i}").id for i in range(20)]
    queries = [lab.live(OF, p=p) for p in people]
    assert [number(q) for q in queries] == [0] * 20

    assert runs(lambda: lab.memories.record(people[7], "mine")) == 1
    assert [number(q) for q in queries] == [0] * 7 + [1] + [0] * 12


def test_a_query_of_other_tables_is_not_run(lab: pj.Lab, ada: pj.PersonaModel, runs: Runs) -> None:
    talks = lab.live("SELECT count(*) AS n FROM conversations")
    assert number(talks) == 0

    assert runs(lambda: lab.memories.record(ada, "alone")) == 0


def test_equal_queries_are_run_once(lab: pj.Lab, ada: pj.PersonaModel, runs: Runs) -> None:
    twins = [lab.live(OF, p=ada.id) for _ in range(10)]
    assert [number(q) for q in twins] == [0] * 10

    assert runs(lambda: lab.memories.record(ada, "one")) == 1
    assert [number(q) for q in twins] == [1] * 10


def test_a_query_that_equals_one_whose_answer_stands_takes_that_answer(
    lab: pj.Lab, ada: pj.PersonaModel, runs: Runs
) -> None:
    lab.memories.record(ada, "one")
    first = lab.live(OF, p=ada.id)
    assert number(first) == 1
    twins: list[pj.LiveQuery] = []

    assert runs(lambda: twins.append(lab.live(OF, p=ada.id))) == 0
    assert [number(q) for q in twins] == [1]
    assert runs(lambda: lab.memories.record(ada, "two")) == 1
    assert [number(q) for q in (first, *twins)] == [2, 2]


def test_a_query_that_equals_one_that_failed_is_run(lab: pj.Lab, runs: Runs) -> None:
    wrong = "SELECT CAST('x' AS INTEGER) AS n FROM range(1)"
    first = lab.live(wrong)
    assert first.error
    twins: list[pj.LiveQuery] = []

    assert runs(lambda: twins.append(lab.live(wrong))) >= 1
    assert twins[0].error


def test_a_query_of_other_events_is_not_run(lab: pj.Lab, runs: Runs) -> None:
    ben = lab.personas.create("Ben").id
    moods = lab.live("SELECT count(*) AS n FROM events WHERE name = 'v1.PersonaMoodChanged'")
    assert number(moods) == 0

    assert runs(lambda: lab.memories.record(ben, "alone")) == 0
    assert runs(lambda: lab.personas.change_mood(ben, "joy", 50)) == 1
    assert number(moods) == 1


def test_a_query_with_the_clock_in_it_is_run_every_round(
    lab: pj.Lab, ada: pj.PersonaModel, runs: Runs
) -> None:
    clock = lab.live("SELECT now() AS t")
    before = clock.frame.item()

    assert runs(lambda: lab.memories.record(ada, "tick")) == 1
    assert clock.frame.item() > before
