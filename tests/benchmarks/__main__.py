"""Measure everything and print one table."""

from __future__ import annotations

import argparse

from tests.benchmarks import commits, live, start
from tests.benchmarks.table import show

MODULES = {"start": start, "commits": commits, "live": live}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=MODULES)
    parser.add_argument("--small", action="store_true", help="a quick look, not a measurement")
    asked = parser.parse_args()
    names = [asked.only] if asked.only else list(MODULES)
    show([row for name in names for row in MODULES[name].measure(small=asked.small)])
