"""A live query whose observers rest is asked only by those who read it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

import pjais_lab as pj

COUNT = "SELECT count(*) AS n FROM memories"


@pytest.fixture
def heard() -> Callable[[Any], None]:
    """An observer that rests; it keeps what it was told."""

    def hear(change: Any) -> None:
        hear.told.append(change.new.item())  # type: ignore[attr-defined]
        hear.news.set()  # type: ignore[attr-defined]

    hear.told, hear.news = [], threading.Event()  # type: ignore[attr-defined]
    return hear


@pytest.fixture
def resting(lab: pj.Lab, heard: Callable[[Any], None]) -> pj.LiveQuery:
    query = lab.live(COUNT)
    query.observe(heard, "frame")
    query.wait()
    query.rest(heard)
    return query


def commit(lab: pj.Lab, times: int = 1) -> None:
    for n in range(times):
        lab.memories.record(lab.personas["Ada"], f"Note {n}.")
        assert lab._parts.hub.settle(10)


def test_it_is_not_run_and_says_which_position_it_shows(
    lab: pj.Lab, ada: pj.PersonaModel, resting: pj.LiveQuery, heard: Any
) -> None:
    before = resting.peek("runs"), resting.peek("version")

    commit(lab, 3)

    assert resting.is_asleep
    assert (resting.peek("runs"), resting.peek("version")) == before
    assert heard.told == []


def test_who_reads_it_gets_what_is_there_now_and_it_sleeps_on(
    lab: pj.Lab, ada: pj.PersonaModel, resting: pj.LiveQuery
) -> None:
    commit(lab, 3)
    runs = resting.peek("runs")

    assert resting.frame.item() == 3
    assert resting.version == lab.position
    commit(lab)

    assert resting.is_asleep
    assert resting.peek("runs") == runs + 1


def test_an_observer_that_resumes_is_told_what_it_has_missed(
    lab: pj.Lab, ada: pj.PersonaModel, resting: pj.LiveQuery, heard: Any
) -> None:
    commit(lab, 3)

    resting.resume(heard)

    assert heard.news.wait(10)
    assert heard.told == [3]
    commit(lab)
    assert heard.told == [3, 4]


def test_another_observer_keeps_it_awake(
    lab: pj.Lab, ada: pj.PersonaModel, resting: pj.LiveQuery
) -> None:
    told: list[int] = []
    commit(lab)

    resting.observe(lambda change: told.append(change.new.item()), "frame")
    assert lab._parts.hub.settle(10)
    commit(lab)

    assert not resting.is_asleep
    assert told == [1, 2]


def test_what_is_computed_from_it_keeps_it_awake_until_it_is_closed(
    lab: pj.Lab, ada: pj.PersonaModel, resting: pj.LiveQuery
) -> None:
    commit(lab)
    double = pj.computed(lambda frame: 2 * frame.item(), resting)
    assert double.value == 2
    commit(lab)
    assert double.value == 4

    double.close()

    assert resting.is_asleep


def test_who_waits_in_an_event_loop_gets_each_newer_answer(
    lab: pj.Lab, ada: pj.PersonaModel, resting: pj.LiveQuery
) -> None:
    commit(lab, 2)

    async def wait() -> list[int]:
        frames = aiter(resting)
        first = await anext(frames)
        await asyncio.to_thread(commit, lab)
        return [first.item(), (await anext(frames)).item()]

    assert asyncio.run(wait()) == [2, 3]


def test_an_equal_query_does_not_take_over_its_old_answer(
    lab: pj.Lab, ada: pj.PersonaModel, resting: pj.LiveQuery
) -> None:
    commit(lab, 2)

    assert lab.live(COUNT).frame.item() == 2
    assert resting.peek("version") < lab.position
