"""Opening a workspace of a million events: how long, and how much memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pjais_lab as pj
from pjais_lab.memories.events import MemoryRecorded
from tests.benchmarks.scratch import Scratch
from tests.benchmarks.table import LIMIT, Row

__all__ = ["measure"]

_TAIL = 2_000


def measure(scratch: Scratch) -> list[Row]:
    """All of this module's rows."""
    town = scratch.town(50, 10) if scratch.small else scratch.town(500, 30)
    with pj.open(town.path, background=False) as lab:
        someone = next(iter(lab.personas))
        lab.commit(*[MemoryRecorded(f"since then {i}").on(someone) for i in range(_TAIL)])
        total = lab.position
    rounds = 2 if scratch.small else 5
    warm = [_boot(town.path) for _ in range(rounds + 1)][1:]
    cold = [_boot(town.path, forget=True) for _ in range(rounds)] if _can_forget() else []
    return [*_times(total, warm, cold), _memory(warm)]


def _times(total: int, warm: list[dict[str, Any]], cold: list[dict[str, Any]]) -> list[Row]:
    def middle(told: list[dict[str, Any]], *keys: str) -> float:
        return statistics.median(sum(one[k] for k in keys) for one in told)

    rows = [
        Row(
            what=f"new process opens a workspace of {total:,} events and answers a query",
            ours=middle(warm, "process_s"),
            unit="s",
            peer=LIMIT,
            peer_value=1.0,
            rule="<=",
            note=f"Median of {len(warm)} after one that is not counted, from the start of the"
            f" interpreter, imports included: a checkpoint and {_TAIL:,} events after it. Files in"
            " the system's cache.",
        ),
        Row(
            what="… opening and the query without interpreter and imports",
            ours=middle(warm, "open_s", "query_s"),
            unit="s",
            peer=LIMIT,
            peer_value=1.0,
            rule="<=",
        ),
        Row(what="… opened again by the same process", ours=middle(warm, "again_s"), unit="s"),
    ]
    if cold:
        rows.insert(
            1,
            Row(
                what="… with the workspace's files dropped from the system's cache",
                ours=middle(cold, "process_s"),
                unit="s",
                note=f"Median of {len(cold)}.",
            ),
        )
    return rows


def _memory(told: list[dict[str, Any]]) -> Row:
    each = [one["resident_bytes"] / one["memories"] for one in told]
    return Row(
        what="resident memory of an open lab per million memories",
        ours=statistics.median(each) * 1_000_000 / 2**20,
        unit="MiB",
        note=f"Growth from imported to answered, over {told[0]['memories']:,} living memories; with"
        " the links, messages and all else that the town has.",
    )


def _boot(path: Path, *, forget: bool = False) -> dict[str, Any]:
    if forget:
        for file in path.rglob("*"):
            _forget(file)
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.children", "boot", path],
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "answered\n"
        elapsed = time.perf_counter() - start
        told: dict[str, Any] = json.loads(child.stdout.readline())
    return told | {"process_s": elapsed}


def _can_forget() -> bool:
    return hasattr(os, "posix_fadvise")


def _forget(file: Path) -> None:
    with suppress(IsADirectoryError), file.open("rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
