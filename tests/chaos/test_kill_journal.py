"""Writers of a journal are killed at random moments: nothing acknowledged is lost or doubled.

PJAIS_KILLS sets how many are killed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from pjais_lab.storage._sqlite import SqliteJournal

KILLS = int(os.environ.get("PJAIS_KILLS", "40"))
WRITER = Path(__file__).with_name("journal_writer.py")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 needs POSIX")


def start(path: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WRITER), str(path), name], stdout=subprocess.PIPE, text=True
    )


def kill(writer: subprocess.Popen[str]) -> list[tuple[str, int, int]]:
    """The commits it had acknowledged; a line cut short by the kill was not."""
    writer.send_signal(signal.SIGKILL)
    said = writer.communicate()[0].splitlines(keepends=True)
    rows = [line.split() for line in said if line.endswith("\n")]
    return [(key, int(first), int(last)) for key, first, last in rows]


@pytest.mark.timeout(60 + 3 * KILLS)
def test_every_acknowledged_commit_of_killed_writers_is_there_exactly_once(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    dice = random.Random(20)
    acknowledged: list[tuple[str, int, int]] = []
    writers = [start(path, f"w{i}") for i in range(2)]
    replaced = 0
    while replaced < KILLS:
        assert writers[0].stdout is not None
        acknowledged.append(_ack(writers[0].stdout.readline()))
        time.sleep(dice.random() * 0.05)  # the moment of the kill is what is random here
        acknowledged += kill(writers.pop(0))
        replaced += 1
        writers.append(start(path, f"w{replaced + 1}"))
    for writer in writers:
        acknowledged += kill(writer)

    with SqliteJournal(path, create=False) as journal:
        report = journal.verify_chain()
        records = [r for c in journal.read(0) for r in c.records]
        positions = {key: journal.position_of(key) for key, _, _ in acknowledged}

    marks = [msgspec.json.decode(r.args or "")["mark"] for r in records]
    assert [r.seq for r in records] == list(range(1, report.events + 1))
    assert [r.origin_seq for r in records] == [r.seq for r in records]
    assert all(a.id < b.id for a, b in pairwise(records))
    assert max(Counter(marks).values()) == 1
    assert len(acknowledged) >= KILLS
    for key, first, last in acknowledged:
        assert positions[key] == (first, last)
        assert marks[first - 1 : last] == [f"{key}.{i}" for i in range(last - first + 1)]


def _ack(line: str) -> tuple[str, int, int]:
    key, first, last = line.split()
    return key, int(first), int(last)
