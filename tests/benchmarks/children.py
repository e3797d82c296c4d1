"""Child processes of the benchmarks: ``python -m tests.benchmarks.children WHAT PATH …``."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

import pjais_lab as pj
from pjais_lab.memories.events import MemoryRecorded

__all__: list[str] = []

FIRST_QUERY = "SELECT tier, count(*) AS n, avg(importance) AS mean FROM memories GROUP BY tier"


def write(path: str, seconds: str) -> None:
    """Open, wait for the word, then commit one event after another; print how many."""
    with pj.open(path, background=False) as lab:
        ada = lab.personas["Ada"]
        print("ready", flush=True)
        sys.stdin.readline()
        end = time.monotonic() + float(seconds)
        n = 0
        while time.monotonic() < end:
            lab.commit(MemoryRecorded(f"memory {n}").on(ada))
            n += 1
    print(n)


def pulse(path: str, seconds: str) -> None:
    """Commit every 50 ms; the content carries the clock just before the call."""
    with pj.open(path, background=False) as lab:
        ada = lab.personas["Ada"]
        end = time.monotonic() + float(seconds)
        while time.monotonic() < end:
            lab.commit(MemoryRecorded(f"{time.monotonic():.6f}").on(ada))
            time.sleep(0.05)


def simulate(path: str, personas: str, days: str) -> None:
    """Let a town live; print how many events there were and how long it took."""
    with pj.open(path, background=False) as lab:
        report = lab.simulate(personas=int(personas), days=int(days), seed=1)
    print(json.dumps({"events": report.events, "simulate_s": report.elapsed_s}))


def town(path: str, personas: str, days: str) -> None:
    """The same, then seal it; print how long each took."""
    with pj.open(path, background=False) as lab:
        report = lab.simulate(personas=int(personas), days=int(days), seed=1)
        start = time.perf_counter()
        lab.seal()
        sealing = time.perf_counter() - start
    told = {"events": report.events, "simulate_s": report.elapsed_s, "seal_s": sealing}
    print(json.dumps(told))


def boot(path: str) -> None:
    """Import, open, ask; say so at once, then print times and memory, then do it again, warm."""
    pj.open  # noqa: B018 - imports what opening needs
    imported, before = time.perf_counter(), _resident_bytes()
    lab = pj.open(path, background=False)
    opened = time.perf_counter()
    lab.query(FIRST_QUERY)
    asked = time.perf_counter()
    print("answered", flush=True)
    after = _resident_bytes()
    memories = lab.query("SELECT count(*) FROM memories").item()
    lab.close()
    start = time.perf_counter()
    with pj.open(path, background=False) as lab:
        lab.query(FIRST_QUERY)
        again = time.perf_counter() - start
    told = {
        "open_s": opened - imported,
        "query_s": asked - opened,
        "again_s": again,
        "resident_bytes": after - before,
        "memories": memories,
    }
    print(json.dumps(told))


def _resident_bytes() -> int:
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import psutil  # noqa: PLC0415 - not on Linux, where its import would be part of the boot

    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    {f.__name__: f for f in (write, pulse, simulate, town, boot)}[sys.argv[1]](*sys.argv[2:])
