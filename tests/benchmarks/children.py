"""Child processes of the benchmarks: ``python -m tests.benchmarks.children WHAT PATH SECONDS``."""

from __future__ import annotations

import sys
import time

import pjais_lab as pj
from pjais_lab.memories.events import MemoryRecorded

__all__: list[str] = []


def write(path: str, seconds: float) -> None:
    """Commit one event after another; print how many."""
    with pj.open(path, background=False) as lab:
        ada = lab.personas["Ada"]
        end = time.monotonic() + seconds
        n = 0
        while time.monotonic() < end:
            lab.commit(MemoryRecorded(f"memory {n}").on(ada))
            n += 1
    print(n)


def pulse(path: str, seconds: float) -> None:
    """Commit every 50 ms; the content carries the clock at the call."""
    with pj.open(path, background=False) as lab:
        ada = lab.personas["Ada"]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            lab.commit(MemoryRecorded(f"{time.monotonic():.6f}").on(ada))
            time.sleep(0.05)


if __name__ == "__main__":
    {"write": write, "pulse": pulse}[sys.argv[1]](sys.argv[2], float(sys.argv[3]))
