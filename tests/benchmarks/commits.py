"""Commits: one event, ten thousand at once, and four processes at a time."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pjais_lab as pj
from pjais_lab.core.event import Chunk, Record
from pjais_lab.core.ids import clock_of, mint
from pjais_lab.memories.events import MemoryRecorded
from pjais_lab.storage.workspace import Workspace
from tests.benchmarks.peers import PyEventSourcing, RawSqlite
from tests.benchmarks.table import Row

__all__ = ["measure"]

_TEXT = "Isabella is setting up the tables for the evening party at the cafe."
_ARGS = json.dumps({"content": _TEXT, "kind": "event", "importance": 0.5, "tags": ["party"]})


def measure(*, small: bool = False) -> list[Row]:
    """All of this module's rows."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        return [
            _journal_part(here, 200 if small else 2_000),
            *_whole_path(here, 2_000 if small else 100_000, 100 if small else 500),
            _batch(here, 2_000 if small else 10_000),
            _fairness(here, 2.0 if small else 10.0),
        ]


def _journal_part(here: Path, n: int) -> Row:
    journal = Workspace.open(here / "journal").journal()
    raw = RawSqlite(here / "raw.sqlite")
    payload = _ARGS.encode()
    ours, floor = [], []
    for seq in range(1, n + 1):
        _, ids = mint(clock_of(journal.last_id(), journal.replica), time.time_ns() // 1_000_000)
        record = Record(
            seq, ids[0], "v1.MemoryRecorded", ids[0], ids[0], 1, 0, journal.replica, seq,
            "user:bench", None, _ARGS,
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
        "one-event commit, journal part, p50",
        statistics.median(ours) * 1000,
        "ms",
        "raw SQLite, WAL, FULL, same index",
        statistics.median(floor) * 1000,
        "<=",
        2.0,
    )


def _whole_path(here: Path, memories: int, n: int) -> list[Row]:
    with pj.open(here / "whole") as lab:
        ada = lab.personas.create("Ada")
        for start in range(0, memories, 10_000):
            stop = min(memories, start + 10_000)
            lab.commit(*[MemoryRecorded(f"{_TEXT} {i}").on(ada) for i in range(start, stop)])
        taken = []
        for i in range(n):
            start_s = time.perf_counter()
            lab.commit(MemoryRecorded(f"{_TEXT} {i}").on(ada))
            taken.append(time.perf_counter() - start_s)
    what = f"one-event commit, whole path, {memories:,} memories in state, p50"
    return [Row(what, statistics.median(taken) * 1000, "ms", "limit", 5.0, "<=")]


def _batch(here: Path, n: int) -> Row:
    events = [MemoryRecorded(f"{_TEXT} {i}", importance=0.5, tags=("party",)) for i in range(n)]
    states = [_ARGS.encode()] * n
    ours, peer = [], []
    with pj.open(here / "batch") as lab:
        ada = lab.personas.create("Ada")
        other = PyEventSourcing(here / "batch-peer.sqlite")
        for _ in range(7):
            drafts = [e.on(ada) for e in events]
            start = time.perf_counter()
            lab.commit(*drafts)
            ours.append(n / (time.perf_counter() - start))
            peer.append(n / other.insert(states))
    return Row(
        f"{n:,}-event batch, checked, durable and applied",
        statistics.median(ours),
        "events/s",
        "pyeventsourcing's SQLite recorder, insert alone",
        statistics.median(peer),
        ">=",
    )


def _fairness(here: Path, seconds: float) -> Row:
    path = here / "fair"
    with pj.open(path) as lab:
        lab.personas.create("Ada")
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.children", "write", str(path), str(seconds)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    counts: Counter[int] = Counter()
    for child in children:
        out, _ = child.communicate()
        counts[child.pid] = int(out.split()[-1])
    share = min(counts.values()) / sum(counts.values()) * 100
    what = f"4 writing processes ({sum(counts.values()) / seconds:,.0f} commits/s): smallest share"
    return Row(what, share, "%", "limit", 15.0, ">=")
