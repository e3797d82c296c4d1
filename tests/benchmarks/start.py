"""Importing the package in a fresh interpreter."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys

from tests.benchmarks.table import Row

__all__ = ["measure"]

_LINE = re.compile(r"import time:\s+\d+ \|\s+(\d+) \| pjais_lab$", re.MULTILINE)


def measure(*, small: bool = False) -> list[Row]:
    """Cumulative import time as the interpreter itself reports it."""
    taken = []
    for _ in range(5 if small else 15):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", "import pjais_lab"],
            capture_output=True,
            text=True,
            check=True,
        )
        taken.append(int(_LINE.findall(done.stderr)[-1]) / 1000)
    return [Row("import pjais_lab, cold", statistics.median(taken), "ms", "limit", 50.0, "<=")]
