"""Processes of one workspace that the break tests kill.

Usage: python crew_process.py WORKSPACE warm|cold WORK. For each line on stdin it forks a child and
says ``born PID``; the child does WORK until it is killed and reports what was acknowledged. A cold
child opens the lab itself. A warm one has the lab that its parent opened, which costs a fraction,
so that hundreds can be killed while they commit and seal.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from itertools import count

import pjais_lab as pj
from pjais_lab.errors import BusyError
from pjais_lab.lab import opening  # noqa: F401  the import is what a cold child would wait for
from pjais_lab.memories.events import MemoryRecorded
from pjais_lab.personas.commands import create_persona, erase_persona
from pjais_lab.storage.compaction import compact

Act = Callable[[str], None]

dice = random.Random()


def say(*words: object) -> None:
    """One line in one write, which a kill cannot cut."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Hand:
    """What a child does with its lab."""

    def __init__(self, lab: pj.Lab) -> None:
        self.lab = lab
        self.parts = lab._parts
        self.parts.sealer.grace_events = 300  # purge early
        # Not lab.query: polars has threads, which a fork loses.
        rows = self.parts.state.cursor().execute("SELECT id FROM personas WHERE name LIKE 'Town%'")
        self.people = [str(row[0]) for row in rows.fetchall()]

    def commit(self, token: str) -> None:
        """One event or many, under a key."""
        size = dice.choice((1, 1, 1, 7, 60))
        drafts = [
            MemoryRecorded(f"{token}.{i}/{size}").on(dice.choice(self.people)) for i in range(size)
        ]
        done = self.lab.commit(*drafts, key=token)
        say("ack", token, done.seq_first, done.seq_last)

    def batch(self, token: str) -> None:
        """Several commits that are one."""
        with self.lab.batch(key=token):
            for i in range(3):
                self.lab.memories.record(dice.choice(self.people), f"{token}.{i}/3")
        say("ack", token, *self.parts.journal.position_of(token))

    def seal(self, token: str) -> None:
        """Seal, checkpoint, purge."""
        del token
        self.lab.seal()
        say("sealed")

    def tidy(self, token: str) -> None:
        """Merge files and remove those that only old snapshots need."""
        del token
        with self.parts.journal.lease("sealer", 60):
            compact(self.parts.lake, min_runs=3, grace_s=5)
        say("tidied")

    def erase(self, token: str) -> None:
        """Somebody lives a little and is erased."""
        made = self.lab.commit(create_persona(token, description=f"secret {token}"))
        (persona,) = made.entity_ids
        self.lab.commit(*(MemoryRecorded(f"secret {token} {i}").on(persona) for i in range(3)))
        if dice.random() < 0.3:
            self.lab.seal()
        self.lab.commit(erase_persona(persona))
        say("erased", persona, token)

    def check(self, token: str) -> None:
        """The state equals a rebuild."""
        del token
        for report in self.lab.rebuild(verify=True):
            if not report.is_same:
                say("error", report.table, "differs from a rebuild")


def acts(hand: Hand, work: str) -> Iterable[Act]:
    """What to do, for ever."""
    kinds, weights = {
        "write": ((hand.commit, hand.batch, hand.seal, hand.tidy), (70, 10, 15, 5)),
        "erase": ((hand.erase, hand.commit, hand.seal), (6, 2, 1)),
    }[work]
    while os.getppid() != 1:
        yield dice.choices(kinds, weights)[0]


def child(lab: pj.Lab | None, path: str, work: str) -> None:
    """Work until killed; whatever goes wrong is said."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    dice.seed()
    name = f"t{os.getpid()}x{dice.randrange(10**6)}"
    try:
        hand = Hand(lab or pj.open(path, background=False))
        if lab is None:
            hand.check(name)
        for n, act in zip(count(), acts(hand, work), strict=False):
            try:
                act(f"{name}-{n}")
            except BusyError:
                continue  # another child is sealing
    except Exception:  # noqa: BLE001  reported, and the test fails
        say("error", traceback.format_exc().replace("\n", " | "))
    finally:
        os._exit(1)


def main(path: str, mode: str, work: str) -> None:
    """Fork a child for each line, until the line's writer is gone."""
    # DuckDB then has no threads of its own, which a fork would lose.
    os.cpu_count = lambda: 1
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    lab = pj.open(path, background=False) if mode == "warm" else None
    say("open")
    for _ in sys.stdin:
        if lab is None:
            pid = os.fork()
        else:
            lab._parts.store.catch_up()
            with lab._parts.store.at_rest():
                pid = os.fork()
        if not pid:
            child(lab, path, work)
        say("born", pid)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
