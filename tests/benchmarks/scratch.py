"""The folder of one run of the benchmarks, and the workspaces that several of them use."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

import msgspec

__all__ = ["Scratch", "Town", "child"]


class Town(msgspec.Struct, frozen=True):
    """A sealed workspace with the life of an invented town.

    Attributes:
        path: where.
        events: how many it has.
        simulate_s: how long writing them took.
        seal_s: how long sealing them took, with a checkpoint.
    """

    path: Path
    events: int
    simulate_s: float
    seal_s: float


class Scratch:
    """A temporary folder that goes at the end.

    Attributes:
        small: whether a quick look is wanted instead of a measurement.
        path: the folder.
    """

    def __init__(self, *, small: bool = False) -> None:
        self.small = small
        self._folder = tempfile.TemporaryDirectory(prefix="pjais-bench-")
        self.path = Path(self._folder.name)
        self._towns: dict[tuple[int, int], Town] = {}

    def town(self, personas: int, days: int) -> Town:
        """A town, made when first asked for; leave it as it is."""
        key = personas, days
        if key not in self._towns:
            path = self.path / f"town-{personas}-{days}"
            told = child("town", path, personas, days)
            self._towns[key] = Town(path, told["events"], told["simulate_s"], told["seal_s"])
        return self._towns[key]

    def __enter__(self) -> Self:
        """The folder."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Remove everything."""
        self._folder.cleanup()


def child(what: str, *args: object) -> Any:
    """Run a child process to its end; gives what it printed last, as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.children", what, *map(str, args)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])
