"""Importing the package in a fresh interpreter."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys

from tests.benchmarks.scratch import Scratch
from tests.benchmarks.table import LIMIT, Row

__all__ = ["measure"]

_LINE = re.compile(r"import time:\s+\d+ \|\s+(\d+) \| pjais_lab$", re.MULTILINE)


def measure(scratch: Scratch) -> list[Row]:
    """Cumulative import time as the interpreter itself reports it."""
    taken = []
    for _ in range(5 if scratch.small else 15):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", "import pjais_lab"],
            capture_output=True,
            text=True,
            check=True,
        )
        taken.append(int(_LINE.findall(done.stderr)[-1]) / 1000)
    return [
        Row(
            what="import pjais_lab, new process",
            ours=statistics.median(taken),
            unit="ms",
            peer=LIMIT,
            peer_value=50.0,
            rule="<=",
            note=f"Median of {len(taken)} processes, as the interpreter's -X importtime reports it.",
        )
    ]
