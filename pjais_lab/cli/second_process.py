"""A second process that changes what this one watches.

Run as a program (``python -m pjais_lab.cli.second_process WORKSPACE PERSONA COUNT``) it records
memories and prints when each commit returned.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from pjais_lab.cli.attach import attached, rows_of
from pjais_lab.errors import BusyError, InternalError

if TYPE_CHECKING:
    from pjais_lab.lab.lab import Lab

__all__ = ["watch"]

_COMMITS: Final = 5
_PAUSE_S: Final = 0.2
_PATIENCE_S: Final = 60.0


def watch(lab: Lab, commits: int = _COMMITS) -> dict[str, Any]:
    """Let another process record memories, and see a live query here follow.

    Args:
        lab: the lab that watches.
        commits: how many memories the other process records.

    Returns:
        The counts before and after, and how long each change took to arrive.

    Raises:
        InternalError: the other process failed.
        BusyError: the live query did not follow within a minute.
    """
    sql = "SELECT id::VARCHAR, name FROM personas ORDER BY name LIMIT 1"
    persona, name = rows_of(lab, sql)[0]
    arrived: dict[int, float] = {}
    complete = threading.Event()
    sql = "SELECT count(*) AS n FROM memories WHERE persona_id = $p::UUID"
    with lab.live(sql, p=persona) as live:
        before = int(live.frame["n"][0])

        def note(change: Any) -> None:
            count = int(change["new"]["n"][0])
            arrived[count] = time.time()
            if count >= before + commits:
                complete.set()

        live.observe(note, "frame")
        returned = _other_process(lab, persona, commits)
        if not complete.wait(_PATIENCE_S):
            msg = f"The live query did not see {commits} commits of another process in a minute."
            raise BusyError(msg)
    waits = [
        max(0.0, arrived[before + n] - at) * 1000
        for n, at in enumerate(returned, 1)
        if before + n in arrived
    ]
    return {
        "persona": name,
        "commits": commits,
        "before": before,
        "after": before + commits,
        "median_ms": round(statistics.median(waits), 1),
        "worst_ms": round(max(waits), 1),
    }


def _other_process(lab: Lab, persona: str, commits: int) -> list[float]:
    command = [sys.executable, "-m", __name__, str(lab.path), persona, str(commits)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        msg = f"The second process failed: {done.stderr.strip()[-500:]}"
        raise InternalError(msg)
    return [float(line) for line in done.stdout.split()]


def _main(path: str, persona: str, commits: str) -> None:
    from pathlib import Path

    with attached(Path(path)) as lab:
        for n in range(int(commits)):
            time.sleep(_PAUSE_S)
            text = f"Somebody in another process said hello, {n + 1}."
            lab.memories.record(persona, text, importance=0.9, tags=["live"])
            sys.stdout.write(f"{time.time()}\n")


if __name__ == "__main__":
    _main(*sys.argv[1:])
