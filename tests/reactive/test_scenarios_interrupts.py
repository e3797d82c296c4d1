"""Ctrl-C and cancellation: a commit is wholly in or wholly out, and the lab works on."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import pjais_lab as pj
from pjais_lab.storage.interrupts import interruptible, shielded

COUNT = "SELECT count(*) AS n FROM memories"


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def press_ctrl_c(after_s: float) -> None:
    """From another thread, while the main one waits or computes."""
    main = threading.main_thread().ident
    assert main is not None

    def press() -> None:
        time.sleep(after_s)
        signal.pthread_kill(main, signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()


def test_ctrl_c_while_events_are_applied_leaves_the_commit_wholly_in(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    query = lab.live(COUNT)
    assert query.frame.item() == 0
    lab._parts.store.on_apply(lambda _: ctrl_c())

    with pytest.raises(KeyboardInterrupt), lab.batch():
        lab.memories.record(ada, "one")
        lab.memories.record(ada, "two")

    assert query.frame.item() == lab.query(COUNT).item() == 2
    assert lab.position == lab._parts.journal.head()


def test_ctrl_c_in_a_command_leaves_the_commit_wholly_out(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    position = lab.position

    def decide(_: Any) -> Iterable[Any]:
        ctrl_c()
        return []

    with pytest.raises(KeyboardInterrupt):
        lab.commit(decide)

    assert lab._parts.journal.head() == position
    assert not lab._parts.journal._lock.is_held
    lab.memories.record(ada, "the lab works on")
    assert lab.query(COUNT).item() == 1


def test_ctrl_c_in_a_batch_discards_it(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    with pytest.raises(KeyboardInterrupt), lab.batch():
        lab.memories.record(ada, "one")
        ctrl_c()

    assert lab.query(COUNT).item() == 0
    lab.memories.record(ada, "a commit by itself")
    assert lab.query(COUNT).item() == 1


def test_ctrl_c_ends_the_wait_for_another_writer(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    taken, leave = threading.Event(), threading.Event()

    def keep() -> None:
        with lab._parts.journal.lock():
            taken.set()
            leave.wait(20)

    other = threading.Thread(target=keep)
    other.start()
    assert taken.wait(10)
    start = time.monotonic()

    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c(0.1)
        lab.memories.record(ada, "never")

    assert time.monotonic() - start < 10
    leave.set()
    other.join()
    lab.memories.record(ada, "later")
    assert lab.query("SELECT content FROM memories")["content"].to_list() == ["later"]


def test_ctrl_c_ends_a_long_query(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c(0.1)
        lab.query("SELECT sum(a.range * b.range) AS n FROM range(1000000) a, range(1000000) b")

    assert lab.query(COUNT).item() == 0


def test_ctrl_c_at_any_moment_leaves_state_and_journal_agreeing(tmp_path: Path) -> None:
    script = f"""
import random, signal, threading, time
import pjais_lab as pj
lab = pj.open({str(tmp_path / "lab")!r}, background=False)
ada = lab.personas.create("Ada")
query = lab.live({COUNT!r})
main, shoot = threading.main_thread().ident, threading.Semaphore(0)
def shooter():
    while True:
        shoot.acquire()
        time.sleep(random.random() * 0.012)
        signal.pthread_kill(main, signal.SIGINT)
threading.Thread(target=shooter, daemon=True).start()
for n in range(60):
    before = lab.position
    try:
        shoot.release()
        with lab.batch():
            lab.memories.record(ada, "one")
            lab.memories.record(ada, "two")
        time.sleep(10)
    except KeyboardInterrupt:
        pass
    head = lab._parts.journal.head()
    shown = query.frame.item(), lab.query({COUNT!r}).item(), lab.position
    assert head - before in (0, 2), (before, head)
    assert shown == (head - 1, head - 1, head), (shown, head)
assert all(r.is_same for r in lab.rebuild(verify=True))
lab.close()
print("whole")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=90, check=False
    )

    assert (done.stdout.strip(), done.stderr.strip()) == ("whole", "")


def test_a_commit_that_could_not_be_applied_is_there_at_the_next_read(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    lab._parts.tailer.close()  # which would repair it too, a moment later
    query = lab.live(COUNT)
    assert query.frame.item() == 0
    plans = lab._parts.state._plans
    plan = plans["memories"]

    class Torn:
        """A table that no event can be applied to."""

        def __getattr__(self, name: str) -> Any:
            raise MemoryError(name)

    plans["memories"] = Torn()  # type: ignore[assignment]
    with pytest.raises(MemoryError), lab.batch():
        for i in range(100):
            lab.memories.record(ada, f"memory {i}")
    assert lab._parts.journal.head() == 101
    plans["memories"] = plan

    assert lab.query(COUNT).item() == 100
    assert query.frame.item() == 100
    assert all(r.is_same for r in lab.rebuild(verify=True))


def test_a_commit_whose_await_is_cancelled_is_wholly_in(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    entered, leave = threading.Event(), threading.Event()
    query = lab.live(COUNT)

    def write() -> None:
        with lab.batch():
            lab.memories.record(ada, "one")
            entered.set()
            leave.wait(10)
            lab.memories.record(ada, "two")

    async def cancel() -> list[int]:
        frames = aiter(query)
        seen = [(await anext(frames)).item()]
        task = asyncio.create_task(asyncio.to_thread(write))
        await asyncio.to_thread(entered.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        leave.set()
        seen.append((await anext(frames)).item())
        return seen

    assert asyncio.run(cancel()) == [0, 2]


# ---------------------------------------------------------------- the shield itself


def test_what_was_put_off_happens_once_at_the_end_of_the_outermost_shield() -> None:
    done: list[str] = []

    def work() -> None:
        with shielded():
            with shielded():
                ctrl_c()
                ctrl_c()
                done.append("inner")
            done.append("outer")

    with pytest.raises(KeyboardInterrupt):
        work()

    assert done == ["inner", "outer"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_passes_where_a_shielded_block_only_waits() -> None:
    done: list[str] = []

    def work() -> None:
        with shielded():
            ctrl_c()
            done.append("put off")
            with interruptible():
                done.append("never")

    with pytest.raises(KeyboardInterrupt):
        work()

    assert done == ["put off"]


def test_a_shield_calls_the_handler_that_was_there() -> None:
    called: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: called.append(number))
    try:
        with shielded():
            ctrl_c()
            assert called == []
        assert called == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_shield_in_another_thread_is_free() -> None:
    seen: list[object] = []

    def work() -> None:
        with shielded():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert seen == [signal.default_int_handler]
