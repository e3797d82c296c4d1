"""The tests' side of ``crew_process.py``: children that are born, work and are killed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import Queue

import msgspec

PROC = Path("/proc")
SCRIPT = Path(__file__).with_name("crew_process.py")


class Said(msgspec.Struct):
    """What children reported before they were killed."""

    acks: dict[str, tuple[int, int]] = msgspec.field(default_factory=dict)
    erased: list[tuple[str, str]] = msgspec.field(default_factory=list)
    errors: list[str] = msgspec.field(default_factory=list)
    sealed: int = 0
    tidied: int = 0

    def hear(self, line: str) -> None:
        word, *rest = line.split()
        if word == "ack":
            self.acks[rest[0]] = (int(rest[1]), int(rest[2]))
        elif word == "erased":
            self.erased.append((rest[0], rest[1]))
        elif word == "sealed":
            self.sealed += 1
        elif word == "tidied":
            self.tidied += 1
        else:
            self.errors.append(line)


class Crew:
    """A parent process and the children it forks.

    Args:
        path: the workspace.
        mode: whether children open the lab themselves.
        work: what they do.
        said: where their reports go.
    """

    def __init__(self, path: Path, mode: str, work: str, said: Said) -> None:
        self._said = said
        self._born: Queue[int] = Queue()
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(path), mode, work],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "open\n":
            raise AssertionError(self._process.wait())
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def spawn(self) -> int:
        """A new child."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._born.get(timeout=60)

    def end(self, pids: list[int]) -> None:
        """Kill the parent and these children at once; returns when all have ended and were heard."""
        for pid in (self._process.pid, *pids):
            kill(pid)
        self._process.wait()
        self._reader.join()
        assert self._process.stdin is not None
        self._process.stdin.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if line.startswith("born "):
                    self._born.put(int(line[5:]))
                else:
                    self._said.hear(line)


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def reap(path: Path, work: str, kills: int) -> Said:
    """Let children work on a workspace, four at a time, and kill them at random moments.

    Every tenth opens the lab itself; the others are forked from a lab that is open. From time to
    time everybody is killed at once, as a power cut would.

    Args:
        path: the workspace.
        work: what they do.
        kills: how many are killed.
    """
    said = Said()
    cold = Crew(path, "cold", work, said)
    killed = 0
    while killed < kills:
        warm = Crew(path, "warm", work, said)
        alive: dict[int, Life] = {}
        until = min(kills, killed + 70)
        while killed + len(alive) < until:
            while len(alive) < 4:
                is_cold = random.randrange(10) == 0
                crew = cold if is_cold else warm
                alive[crew.spawn()] = Life(0.8 if is_cold else 0.22)
            time.sleep(0.002)  # the moment is what is random here
            for pid in [pid for pid, life in alive.items() if life.is_over(pid)]:
                kill(pid)
                killed += 1
                del alive[pid]
        warm.end(list(alive))
        killed += len(alive)
    cold.end([])
    return said


class Life:
    """How long a child may live: a time of the processor, or three times that by the clock.

    The first, because a busy machine must not kill everybody before they have begun.

    Args:
        mean_s: how long on average.
    """

    def __init__(self, mean_s: float) -> None:
        self._cpu_s = random.expovariate(1 / mean_s)
        self._end = time.monotonic() + 0.2 + 3 * self._cpu_s

    def is_over(self, pid: int) -> bool:
        try:
            fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            used_s = 0.0
        else:
            used_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return used_s >= self._cpu_s or time.monotonic() >= self._end
