"""A journal in several processes: fair, and whole after a fork."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pjais_lab.storage._sqlite import SqliteJournal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def run(code: str, *args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True, check=False
    )


FORK = """
import os, sys
from pathlib import Path
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.testing.chunks import next_chunk
journal = SqliteJournal(Path(sys.argv[1]))
def add():
    for _ in range(50):
        with journal.lock():
            journal.append(next_chunk(journal))
add()
with journal.lock():
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            add()
            os._exit(0)
        children.append(child)
    journal.append(next_chunk(journal))
add()
print(sum(os.waitpid(c, 0)[1] for c in children))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_appends_with_connections_and_locks_of_its_own(path: Path) -> None:
    done = run(FORK, path)

    assert (done.stdout, done.stderr) == ("0\n", "")
    with SqliteJournal(path) as journal:
        assert journal.head() == 50 + 1 + 50 + 2 * 50
        journal.verify_chain()


WRITER = """
import sys, time
from pathlib import Path
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.testing.chunks import next_chunk
journal = SqliteJournal(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
end, n = time.monotonic() + float(sys.argv[2]), 0
while time.monotonic() < end:
    with journal.lock():
        journal.append(next_chunk(journal))
    n += 1
print(n)
"""


def test_four_processes_get_a_fair_share_each(path: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), "1.5"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    counts = [int(writer.communicate()[0]) for writer in _started(writers)]

    assert min(counts) >= 0.15 * sum(counts)
    with SqliteJournal(path) as journal:
        assert journal.head() == sum(counts)
        assert journal.verify_chain().events == sum(counts)


def _started(writers: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    return writers


def test_two_processes_that_make_the_same_journal_agree(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from pjais_lab.storage._sqlite import SqliteJournal\n"
        "sys.stdin.readline(); print(SqliteJournal(Path(sys.argv[1])).replica)"
    )
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]

    replicas = {maker.communicate()[0] for maker in _started(makers)}

    assert len(replicas) == 1
