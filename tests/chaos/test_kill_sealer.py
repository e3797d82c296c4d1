"""The sealer is killed at random moments: every event stays, once, in the lake or in the journal.

PJAIS_KILLS sets how often it is killed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pjais_lab.core.shard import HashRouter
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.storage.compaction import expire, record_digests
from pjais_lab.storage.duck import connect
from pjais_lab.storage.lake import Lake

KILLS = int(os.environ.get("PJAIS_KILLS", "25"))
SEALER = Path(__file__).with_name("sealer_process.py")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 needs POSIX")


@pytest.mark.timeout(60 + 10 * KILLS)
def test_every_event_outlives_killed_sealers_exactly_once(tmp_path: Path) -> None:
    dice = random.Random(11)
    acknowledged = 0

    for _ in range(KILLS):
        sealer = subprocess.Popen(
            [sys.executable, str(SEALER), str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert sealer.stdout is not None
        first = "".join(sealer.stdout.readline() for _ in range(dice.randint(1, 4)))
        time.sleep(dice.random())  # the moment of the kill is what is random here
        assert sealer.poll() is None, sealer.communicate()[1]
        sealer.send_signal(signal.SIGKILL)
        said = (first + sealer.communicate()[0]).splitlines(keepends=True)
        acknowledged = max(int(line) for line in said if line.endswith("\n"))
        check(tmp_path, acknowledged)

    lake = Lake(connect(1), tmp_path / "lake", HashRouter(4))
    assert lake.mark() > 0
    expire(lake, grace_s=0, orphan_s=0)
    record_digests(lake)
    files = lake.files()
    assert set(lake.data_path.rglob("*.parquet")) == {f.path for f in files}
    assert lake.digests.first_damage((f.path, f.size_bytes) for f in files) is None


def check(folder: Path, acknowledged: int) -> None:
    """Lake up to the mark, then journal, is 1, 2, 3, ... without gap or double."""
    lake = Lake(connect(1), folder / "lake", HashRouter(4))
    with SqliteJournal(folder / "journal.sqlite", create=False) as journal:
        mark = lake.mark()
        sql = f"SELECT seq FROM ({lake.events_sql(mark)}) ORDER BY seq"
        places = [row[0] for row in lake.cursor().execute(sql).fetchall()]
        places += [r.seq for chunk in journal.read(mark) for r in chunk.records]
        assert places == list(range(1, journal.head() + 1))
        assert len(places) >= acknowledged
        assert journal.floor() <= mark
    lake.detach()
