"""Waiting in an event loop: the newest value only, nothing missed, nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import warnings
import weakref
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

import pjais_lab as pj
from pjais_lab.errors import LiveQueryError
from pjais_lab.reactive.hub import Hub

COUNT = "SELECT count(*) AS n FROM memories"
_T = TypeVar("_T")


def run(work: Coroutine[Any, Any, _T], timeout_s: float = 20) -> _T:
    async def limited() -> _T:
        async with asyncio.timeout(timeout_s):
            return await work

    return asyncio.run(limited())


def observers(query: pj.LiveQuery) -> int:
    """How many callbacks are registered on a query, whoever registered them."""
    return sum(len(c) for by_type in query._trait_notifiers.values() for c in by_type.values())


def test_iterating_gives_the_current_answer_then_each_newest(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    query = lab.live(COUNT)
    seen: list[int] = []

    async def follow() -> None:
        async for frame in query:
            seen.append(frame.item())
            if frame.item() == 3:
                return
            await asyncio.to_thread(lab.memories.record, ada, "next")

    run(follow())

    assert seen == [0, 1, 2, 3]


def test_a_change_between_two_steps_of_an_iteration_is_not_missed(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    query = lab.live(COUNT)

    async def follow() -> list[int]:
        frames = aiter(query)
        first = (await anext(frames)).item()
        lab.memories.record(ada, "meanwhile")
        assert hub.settle(10)
        return [first, (await anext(frames)).item()]

    assert run(follow()) == [0, 1]


def test_a_slow_reader_gets_the_last_of_five_hundred_commits_and_no_queue(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    query = lab.live(COUNT)

    async def follow() -> list[int]:
        frames = aiter(query)
        seen = [(await anext(frames)).item()]

        def burst() -> None:
            for i in range(500):
                lab.memories.record(ada, f"thought {i}")
            assert hub.settle(30)

        await asyncio.to_thread(burst)
        while seen[-1] < 500:
            seen.append((await anext(frames)).item())
        return seen

    seen = run(follow(), 60)

    assert seen[-1] == 500
    assert seen == sorted(set(seen))
    assert len(seen) <= 3


def test_positions_never_go_back_while_iterating(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    query = lab.live(COUNT)
    versions: list[int] = []

    async def follow() -> None:
        writing = asyncio.create_task(asyncio.to_thread(write))
        async for frame in query:
            versions.append(query.version)
            if frame.item() == 100:
                break
        await writing

    def write() -> None:
        for i in range(100):
            lab.memories.record(ada, f"thought {i}")

    run(follow())

    assert versions == sorted(versions)


def test_changed_gives_the_next_answer(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    query = lab.live(COUNT)
    assert query.frame.item() == 0

    async def wait() -> int:
        waiting = asyncio.create_task(query.changed())
        await asyncio.sleep(0)
        await asyncio.to_thread(lab.memories.record, ada, "one")
        return (await waiting).item()

    assert run(wait()) == 1


def test_wait_for_looks_at_the_current_answer_first(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    query = lab.live(COUNT)
    lab.memories.record(ada, "one")

    assert run(query.wait_for(lambda frame: frame.item() == 1)).item() == 1


def test_wait_for_gives_up_in_time(lab: pj.Lab) -> None:
    query = lab.live(COUNT)

    with pytest.raises(TimeoutError):
        run(query.wait_for(lambda frame: frame.item() == 1, timeout_s=0.05))
    assert observers(query) == 0


def test_an_iteration_ends_when_the_query_is_closed(lab: pj.Lab) -> None:
    query = lab.live(COUNT)

    async def follow() -> int:
        seen = 0
        async for _ in query:
            seen += 1
            asyncio.get_running_loop().call_later(0.01, query.close)
        return seen

    assert run(follow()) == 1


def test_an_iteration_ends_when_the_lab_is_closed(lab: pj.Lab) -> None:
    query = lab.live(COUNT)

    async def follow() -> int:
        seen = 0
        async for _ in query:
            seen += 1
            asyncio.get_running_loop().call_later(0.01, lab.close)
        return seen

    assert run(follow()) == 1


def test_an_iteration_raises_when_the_query_fails(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    query = lab.live("SELECT max(content)::INTEGER AS n FROM memories")

    async def follow() -> None:
        async for _ in query:
            await asyncio.to_thread(lab.memories.record, ada, "not a number")

    with pytest.raises(LiveQueryError, match="not a number"):
        run(follow())


def test_an_iteration_over_a_failing_query_raises_at_once(lab: pj.Lab) -> None:
    query = lab.live("SELECT error('broken')")

    async def first() -> Any:
        return await anext(aiter(query))

    with pytest.raises(LiveQueryError, match="broken"):
        run(first())


def test_a_cancelled_wait_leaves_nothing_behind(lab: pj.Lab) -> None:
    query = lab.live(COUNT)
    assert query.frame.item() == 0

    async def cancel() -> None:
        waits: list[asyncio.Task[Any]] = [
            asyncio.create_task(query.changed()),
            asyncio.create_task(query.wait_for(lambda frame: frame.item() == 7)),
        ]
        await asyncio.sleep(0.02)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

    run(cancel())

    assert observers(query) == 0


def test_a_query_is_gone_after_its_iteration_was_broken_off(lab: pj.Lab, hub: Hub) -> None:
    async def look() -> weakref.ref[pj.LiveQuery]:
        query = lab.live(COUNT)
        async for _ in query:
            break
        return weakref.ref(query)

    gone = run(look())
    assert hub.settle(10)  # a round that is going on holds what it feeds
    gc.collect()

    assert gone() is None


def test_a_loop_that_has_ended_disturbs_nobody(lab: pj.Lab, hub: Hub, ada: pj.PersonaModel) -> None:
    query = lab.live(COUNT)
    kept: list[Any] = []

    async def begin() -> None:
        kept.append(aiter(query))
        await anext(kept[0])

    asyncio.run(begin())

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lab.memories.record(ada, "one")
        assert hub.settle(10)

    assert query.frame.item() == 1


def test_a_cancelled_batch_is_wholly_out_and_a_finished_one_wholly_in(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    query = lab.live(COUNT)

    async def write(pause: asyncio.Event) -> None:
        with lab.batch():
            lab.memories.record(ada, "one")
            await pause.wait()
            lab.memories.record(ada, "two")

    async def both() -> tuple[int, int]:
        never, now = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(write(never))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        out = query.frame.item()
        now.set()
        await write(now)
        return out, query.frame.item()

    assert run(both()) == (0, 2)


def test_commits_of_other_tasks_are_no_part_of_an_open_batch(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    async def both() -> int:
        ready, go = asyncio.Event(), asyncio.Event()

        async def batch() -> None:
            with lab.batch():
                lab.memories.record(ada, "inside")
                ready.set()
                await go.wait()
                raise asyncio.CancelledError

        task = asyncio.create_task(batch())
        await ready.wait()
        lab.memories.record(ada, "outside")
        go.set()
        await asyncio.gather(task, return_exceptions=True)
        return int(lab.query(COUNT).item())

    assert run(both()) == 1


def test_a_task_begun_in_a_batch_commits_by_itself_when_the_batch_is_over(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    async def work() -> int:
        over = asyncio.Event()

        async def later() -> None:
            await over.wait()
            lab.memories.record(ada, "later")

        with lab.batch():
            task = asyncio.create_task(later())
            lab.memories.record(ada, "now")
        over.set()
        await task
        return int(lab.query(COUNT).item())

    assert run(work()) == 2
