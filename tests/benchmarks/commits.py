"""Commits: one event, ten thousand at once, and four processes at a time."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pjais_lab as pj
from pjais_lab.core.codec import encode
from pjais_lab.core.event import Chunk, Record
from pjais_lab.core.ids import clock_of, mint
from pjais_lab.memories.events import MemoryRecorded
from pjais_lab.storage.workspace import Workspace
from tests.benchmarks.peers import PyEventSourcing, RawSqlite
from tests.benchmarks.scratch import Scratch
from tests.benchmarks.table import LIMIT, Row, seconds

__all__ = ["measure"]

_TEXT = "Isabella is setting up the tables for the evening party at the cafe."
_WARM_UP = 50


def measure(scratch: Scratch) -> list[Row]:
    """All of this module's rows."""
    here, small = scratch.path, scratch.small
    return [
        _journal_part(here, 200 if small else 2_000),
        _whole_path(here, 2_000 if small else 100_000, 100 if small else 500),
        _batch(here, 2_000 if small else 10_000),
        _fairness(here, 1.0 if small else 4.0, 2 if small else 5),
    ]


def _journal_part(here: Path, n: int) -> Row:
    journal = Workspace.open(here / "journal").journal()
    raw = RawSqlite(here / "raw.sqlite")
    args = encode(MemoryRecorded(_TEXT, importance=0.5, tags=("party",)))
    payload = args.encode()
    ours, floor = [], []
    for seq in range(1, _WARM_UP + n + 1):
        _, ids = mint(clock_of(journal.last_id(), journal.replica), time.time_ns() // 1_000_000)
        record = Record(
            seq, ids[0], "v1.MemoryRecorded", ids[0], ids[0], 1, 0, journal.replica, seq,
            "user:bench", None, args,
        )  # fmt: skip
        chunk = Chunk(seq, seq, journal.replica, seq, (record,))
        start = time.perf_counter()
        with journal.lock():
            journal.append(chunk, expected=seq - 1)
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        raw.commit(payload)
        floor.append(time.perf_counter() - start)
    journal.close()
    return Row(
        what="one-event commit, journal part, p50",
        ours=statistics.median(ours[_WARM_UP:]) * 1000,
        unit="ms",
        peer="raw SQLite insert, WAL, FULL, same index",
        peer_value=statistics.median(floor[_WARM_UP:]) * 1000,
        rule="<=",
        factor=2.0,
        note=f"{n:,} of each, taking turns, after {_WARM_UP} that are not counted; both on disk on"
        " return. Ours with lock, encoding, digest and chain.",
    )


def _whole_path(here: Path, memories: int, n: int) -> Row:
    with pj.open(here / "whole") as lab:
        ada = lab.personas.create("Ada")
        for start in range(0, memories, 10_000):
            stop = min(memories, start + 10_000)
            lab.commit(*[MemoryRecorded(f"{_TEXT} {i}").on(ada) for i in range(start, stop)])
        drafts = [MemoryRecorded(f"{_TEXT} {i}").on(ada) for i in range(n + _WARM_UP)]
        taken = [seconds(partial(lab.commit, draft)) for draft in drafts][_WARM_UP:]
    return Row(
        what=f"one-event commit, whole path, {memories:,} memories in state, p50",
        ours=statistics.median(taken) * 1000,
        unit="ms",
        peer=LIMIT,
        peer_value=5.0,
        rule="<=",
        note=f"{n:,} commits after {_WARM_UP} that are not counted: checked, on disk, applied.",
    )


def _batch(here: Path, n: int) -> Row:
    events = [MemoryRecorded(f"{_TEXT} {i}", importance=0.5, tags=("party",)) for i in range(n)]
    states = [encode(e).encode() for e in events]
    ours, peer = [], []
    other = PyEventSourcing(here / "batch-peer.sqlite")
    with pj.open(here / "batch") as lab:
        ada = lab.personas.create("Ada")
        for _ in range(8):
            drafts = [e.on(ada) for e in events]
            ours.append(n / seconds(partial(lab.commit, *drafts)))
            peer.append(n / other.insert(states))
    return Row(
        what=f"{n:,}-event batch: checked, on disk, applied to state",
        ours=statistics.median(ours[1:]),
        unit="/s",
        peer="pyeventsourcing's SQLite recorder, insert alone",
        peer_value=statistics.median(peer[1:]),
        rule=">=",
        note="Median of 7 turns after one that is not counted; the same content, byte for byte. The"
        f" peer's SQLite says journal_mode={other.pragma('journal_mode')},"
        f" synchronous={other.pragma('synchronous')} (2 is FULL); it neither checks nor projects.",
    )


def _fairness(here: Path, seconds_each: float, rounds: int) -> Row:
    path = here / "fair"
    with pj.open(path) as lab:
        lab.personas.create("Ada")
    counts = [_four_writers(path, seconds_each) for _ in range(rounds)]
    shares = [min(c) / sum(c) * 100 for c in counts]
    rate = statistics.median(sum(c) / seconds_each for c in counts)
    return Row(
        what="4 writing processes: smallest share of the commits",
        ours=statistics.median(shares),
        unit="%",
        peer=LIMIT,
        peer_value=15.0,
        rule=">=",
        note=f"Median of {rounds} runs of {seconds_each:g} s in which all four begin together;"
        f" smallest in any run {min(shares):.1f}%; together {rate:,.0f} commits/s.",
    )


def _four_writers(path: Path, seconds_each: float) -> list[int]:
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.children",
        "write",
        str(path),
        str(seconds_each),
    ]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    return [int(child.communicate()[0]) for child in children]
