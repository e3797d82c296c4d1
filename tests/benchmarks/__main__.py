"""Measure everything and print one table."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.benchmarks import (
    boot,
    commits,
    cubes,
    events,
    history,
    live,
    pages,
    rebuild,
    simulate,
    start,
)
from tests.benchmarks.scratch import Scratch
from tests.benchmarks.table import Row, machine, show, write

MODULES = {
    "start": start,
    "commits": commits,
    "simulate": simulate,
    "rebuild": rebuild,
    "boot": boot,
    "history": history,
    "live": live,
    "pages": pages,
    "events": events,
    "cubes": cubes,
}


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", choices=MODULES, action="append", help="may be given repeatedly")
    parser.add_argument("--small", action="store_true", help="a quick look, not a measurement")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    asked = parser.parse_args()
    where, begun = machine(), time.perf_counter()
    parts: dict[str, list[Row]] = {}
    with Scratch(small=asked.small) as scratch:
        for name in asked.only or MODULES:
            since = time.perf_counter()
            print(f"{name} …", end=" ", file=sys.stderr, flush=True)
            parts[name] = MODULES[name].measure(scratch)
            print(f"{time.perf_counter() - since:.0f} s", file=sys.stderr, flush=True)
    total_s = time.perf_counter() - begun
    if asked.small:
        print("Small: sizes are a fraction of what is asked; the verdicts mean nothing.")
    show(parts, where, total_s)
    if asked.json:
        write(asked.json, parts, where, total_s)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
