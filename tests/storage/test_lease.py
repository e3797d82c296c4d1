"""Leases of processes that die, hang or start again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pjais_lab.errors import BusyError
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.storage.lease import LeaseRow, is_free, process_mark

HOLDER = """
import sys
from pathlib import Path
from pjais_lab.storage._sqlite import SqliteJournal
lease = SqliteJournal(Path(sys.argv[1])).lease("sealer", 600)
print(lease.token, flush=True)
sys.stdin.read()
"""

linux = pytest.mark.skipif(sys.platform != "linux", reason="process marks need /proc")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    with SqliteJournal(tmp_path / "journal.sqlite") as made:
        yield made


def hold(journal: SqliteJournal) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(journal.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "1\n"
    return process


@linux
def test_the_lease_of_a_killed_process_is_free_at_once(journal: SqliteJournal) -> None:
    holder = hold(journal)
    with pytest.raises(BusyError, match=f"process {holder.pid} for up to 600 s") as caught:
        journal.lease("sealer", 1)

    holder.kill()
    holder.communicate()

    assert caught.value.data["pid"] == str(holder.pid)
    assert journal.lease("sealer", 1).token == 2


@linux
def test_a_killed_process_that_nobody_has_reaped_yet_counts_as_gone(
    journal: SqliteJournal,
) -> None:
    holder = hold(journal)

    holder.kill()
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)

    assert journal.lease("sealer", 1).token == 2
    holder.communicate()


@linux
def test_a_reused_pid_is_another_process() -> None:
    boot, space, pid, start = process_mark(os.getpid()).split("/")

    def free(holder: str) -> bool:
        return is_free(LeaseRow(holder, 1, 1000, 1000), 500)

    assert not free(f"{boot}/{space}/{pid}/{start}/n")
    assert free(f"{boot}/{space}/{pid}/{int(start) - 1}/n")
    assert free(f"another-boot/{space}/{pid}/{start}/n")
    assert not free(f"{boot}/pid:[1]/{2**22 + 1}/{start}/n")


def test_a_lease_without_a_known_process_lasts_its_time() -> None:
    row = LeaseRow("-/-/1/-/n", 1, 1000, 1000)

    assert not is_free(row, 999)
    assert is_free(row, 1000)
