"""Live queries: across processes, idle, and many at once."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil

import pjais_lab as pj
from pjais_lab.memories.events import MemoryRecorded
from tests.benchmarks.scratch import Scratch
from tests.benchmarks.table import LIMIT, Row, percentile

__all__ = ["measure"]

_NEWEST = (
    "SELECT content FROM memories WHERE persona_id = $p ORDER BY created_at DESC, id DESC LIMIT 1"
)
_KINDS = (
    "SELECT kind, count(*) AS n, avg(importance) AS mean FROM memories WHERE persona_id = $p"
    " GROUP BY kind"
)


def measure(scratch: Scratch) -> list[Row]:
    """All of this module's rows."""
    here, small = scratch.path, scratch.small
    return [
        *_across(here / "across", 2.0 if small else 20.0),
        _idle(here / "idle", 1.0 if small else 5.0),
        _many(here / "many", 20_000 if small else 1_000_000),
    ]


def _across(path: Path, seconds: float) -> list[Row]:
    delays: list[float] = []
    with pj.open(path, background=False) as lab:
        ada = lab.personas.create("Ada")
        newest = lab.live(_NEWEST, p=ada.id)

        def seen(_: object) -> None:
            frame = newest.frame
            if frame.height:
                delays.append(time.monotonic() - float(frame.item(0, 0)))

        newest.observe(seen, "frame")
        subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.children", "pulse", str(path), str(seconds)],
            check=True,
        )
        time.sleep(0.5)
        newest.close()
    p50, p95 = percentile(delays, 0.5) * 1000, percentile(delays, 0.95) * 1000
    note = f"{len(delays)} commits, one every 50 ms, from just before the call of commit to the observer"
    return [
        Row(what="commit here to live query changed in another process, p50", ours=p50, unit="ms"),
        Row(
            what="… p95",
            ours=p95,
            unit="ms",
            peer=LIMIT,
            peer_value=50.0,
            rule="<=",
            note=f"{note}; the slowest {max(delays) * 1000:.0f} ms.",
        ),
    ]


def _idle(path: Path, seconds: float) -> Row:
    with pj.open(path) as lab:
        lab.personas.create("Ada")
        query = lab.live("SELECT count(*) AS n FROM memories")
        time.sleep(1.0)
        shares = [_cpu_share(seconds) for _ in range(5)]
        query.close()
    return Row(
        what="idle CPU of a kernel that follows, with one live query",
        ours=statistics.median(shares),
        unit="%",
        peer=LIMIT,
        peer_value=1.0,
        rule="<=",
        note=f"Of one core; median of 5 spans of {seconds:g} s, the busiest {max(shares):.2f}%.",
    )


def _cpu_share(seconds: float) -> float:
    me = psutil.Process()
    before, start = sum(me.cpu_times()[:2]), time.perf_counter()
    time.sleep(seconds)
    return (sum(me.cpu_times()[:2]) - before) / (time.perf_counter() - start) * 100


def _many(path: Path, memories: int) -> Row:
    one: list[float] = []
    fifty: list[float] = []
    with pj.open(path, background=False) as lab:
        town = [lab.personas.create(f"P{i}") for i in range(50)]
        each = memories // len(town)
        for persona in town:
            for start in range(0, each, 10_000):
                stop = min(each, start + 10_000)
                lab.commit(*[MemoryRecorded(f"memory {i}").on(persona) for i in range(start, stop)])
        _cost(lab, town[:1], 5)
        for _ in range(5):
            one += _cost(lab, town[:1], 10)
            fifty += _cost(lab, town, 10)
    return Row(
        what=f"50 live queries on {memories:,} memories, commit touching one persona",
        ours=statistics.median(fifty) * 1000,
        unit="ms",
        peer="only the one query that depends on it",
        peer_value=statistics.median(one) * 1000,
        rule="<=",
        factor=1.5,
        note=f"Median of {len(fifty)} commits each, in 5 turns, after 5 that are not counted; from the"
        " call of commit until the dependent query shows it.",
    )


def _cost(lab: pj.Lab, watched: list[pj.PersonaModel], commits: int) -> list[float]:
    queries = [lab.live(_KINDS, p=p.id) for p in watched]
    for query in queries:
        assert query.frame.height  # each has answered once
    taken = []
    for i in range(commits):
        count = queries[0].frame.item(0, "n")
        start = time.perf_counter()
        lab.commit(MemoryRecorded(f"more {i}").on(watched[0]))
        shown = queries[0].frame.item(0, "n")
        taken.append(time.perf_counter() - start)
        assert shown == count + 1
    for query in queries:
        query.close()
    return taken
