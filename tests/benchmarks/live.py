"""Live queries: across processes, idle, and many at once."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

import pjais_lab as pj
from pjais_lab.memories.events import MemoryRecorded
from tests.benchmarks.table import Row, percentile

__all__ = ["measure"]


def measure(*, small: bool = False) -> list[Row]:
    """All of this module's rows."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        return [
            *_across(here / "across", 2.0 if small else 15.0),
            _idle(here / "idle", 2.0 if small else 20.0),
            _many(here / "many", 20_000 if small else 1_000_000),
        ]


def _across(path: Path, seconds: float) -> list[Row]:
    delays: list[float] = []
    with pj.open(path, background=False) as lab:
        ada = lab.personas.create("Ada")
        newest = lab.live(
            "SELECT content FROM memories WHERE persona_id = $p ORDER BY created_at DESC, id DESC"
            " LIMIT 1",
            p=ada.id,
        )

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
    what = f"commit in one process to live query changed in another ({len(delays)} commits)"
    return [Row(f"{what}, p50", p50, "ms"), Row(f"{what}, p95", p95, "ms", "limit", 50.0, "<=")]


def _idle(path: Path, seconds: float) -> Row:
    with pj.open(path) as lab:
        lab.personas.create("Ada")
        query = lab.live("SELECT count(*) AS n FROM memories")
        time.sleep(1.0)
        me = psutil.Process()
        before = sum(me.cpu_times()[:2])
        time.sleep(seconds)
        share = (sum(me.cpu_times()[:2]) - before) / seconds * 100
        query.close()
    return Row(
        "idle CPU of a kernel that follows, with one live query", share, "%", "limit", 1.0, "<="
    )


def _many(path: Path, memories: int) -> Row:
    with pj.open(path, background=False) as lab:
        town = [lab.personas.create(f"P{i}") for i in range(50)]
        each = memories // len(town)
        for persona in town:
            for start in range(0, each, 10_000):
                stop = min(each, start + 10_000)
                lab.commit(*[MemoryRecorded(f"memory {i}").on(persona) for i in range(start, stop)])
        sql = (
            "SELECT kind, count(*) AS n, avg(importance) AS mean FROM memories"
            " WHERE persona_id = $p GROUP BY kind"
        )
        needed = _cost(lab, town[:1], sql, town[0])
        all_of_them = _cost(lab, town, sql, town[0])
    return Row(
        f"50 live queries on {memories:,} memories, a commit touching one persona",
        all_of_them * 1000,
        "ms",
        "the one query that depends on it",
        needed * 1000,
        "<=",
        1.5,
    )


def _cost(lab: pj.Lab, watched: list[pj.PersonaModel], sql: str, touched: pj.PersonaModel) -> float:
    queries = [lab.live(sql, p=p.id) for p in watched]
    taken = []
    for i in range(15):
        start = time.perf_counter()
        lab.commit(MemoryRecorded(f"more {i}").on(touched))
        queries[0].frame  # noqa: B018 - waits until the round is done
        taken.append(time.perf_counter() - start)
    for query in queries:
        query.close()
    return statistics.median(taken)
