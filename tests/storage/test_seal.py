"""The sealer: what is due moves into the lake, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pjais_lab.core.event import Event, event
from pjais_lab.core.merge import Last, src
from pjais_lab.core.registry import Registry
from pjais_lab.core.shard import HashRouter
from pjais_lab.core.table import Table
from pjais_lab.errors import BusyError
from pjais_lab.storage import checkpoint
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.storage.duck import connect
from pjais_lab.storage.lake import Lake
from pjais_lab.storage.seal import Sealer
from pjais_lab.storage.settings import Seal
from pjais_lab.storage.state import State
from pjais_lab.testing.chunks import next_chunk


@event("v1.Tested", entity="test", effect="create")
class Trial(Event):
    n: int


REGISTRY = Registry().add(Trial, Table("tests", "test", {"n": Last("BIGINT", (src(Trial, "n"),))}))


class Bench:
    """A journal, a lake and a state, as one process has them."""

    def __init__(self, folder: Path, rules: Seal | None = None) -> None:
        con = connect(2)
        self.journal = SqliteJournal(folder / "journal.sqlite")
        self.lake = Lake(con, folder / "lake", HashRouter(4))
        self.state = State(con, REGISTRY, HashRouter(4))
        self.sealer = Sealer(self.journal, self.lake, self.state, rules or Seal())

    def commit(self, n: int) -> None:
        self.journal.append(next_chunk(self.journal, n))
        self.state.ingest(self.journal.read(self.state.position))

    def log(self) -> list[int]:
        sql = "SELECT seq FROM events ORDER BY seq"
        return [row[0] for row in self.state.cursor().execute(sql).fetchall()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_nothing_moves_until_it_is_due(bench: Bench) -> None:
    bench.commit(10)

    assert not bench.sealer.is_due()
    assert bench.sealer.seal_once() == 0
    assert not bench.lake.exists


@pytest.mark.parametrize("rules", [Seal(events=10), Seal(size_bytes=4096), Seal(events=1, age_s=1)])
def test_enough_events_or_bytes_are_due(tmp_path: Path, rules: Seal) -> None:
    bench = Bench(tmp_path, rules)
    bench.commit(900)

    assert bench.sealer.seal_once() == 900
    assert bench.lake.mark() == 900


def test_the_log_reads_the_same_after_sealing(bench: Bench) -> None:
    bench.commit(50)
    bench.sealer.seal_once(force=True)
    bench.commit(50)

    assert (bench.state.mark, bench.lake.mark()) == (50, 50)
    assert bench.log() == list(range(1, 101))
    assert bench.state.cursor().execute("SELECT count(*) FROM log.tail").fetchone() == (50,)


def test_the_journal_keeps_a_grace_of_sealed_events(bench: Bench) -> None:
    for _ in range(6):
        bench.commit(5000)

    bench.sealer.seal_once(force=True)

    assert bench.journal.floor() == 20_000
    assert bench.journal.head() == 30_000


def test_sealing_twice_changes_nothing(bench: Bench) -> None:
    bench.commit(50)

    assert bench.sealer.seal_once(force=True) == 50
    assert bench.sealer.seal_once(force=True) == 50
    assert bench.log() == list(range(1, 51))


def test_only_one_process_seals_at_a_time(bench: Bench) -> None:
    bench.commit(50)

    with bench.journal.lease("sealer", 60), pytest.raises(BusyError, match="sealer"):
        bench.sealer.seal_once(force=True)
    assert bench.lake.mark() == 0


def test_a_follower_that_lags_behind_the_mark_loses_nothing(bench: Bench, tmp_path: Path) -> None:
    other = Bench(tmp_path)
    bench.commit(50)
    other.state.ingest(other.journal.read(0))
    bench.commit(50)
    bench.sealer.seal_once(force=True)

    assert other.sealer.seal_once(force=True) == 100
    assert other.state.mark == 50
    assert other.log() == list(range(1, 51))


def test_a_forced_seal_leaves_a_checkpoint_at_the_position(bench: Bench) -> None:
    bench.commit(50)
    bench.sealer.seal_once(force=True)

    rows = checkpoint.newest(bench.lake)

    assert {(r.name, r.position) for r in rows} == {("_erased", 50), ("tests", 50)}


def test_a_checkpoint_is_not_written_again_for_a_few_events(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Seal(events=100))
    bench.commit(1000)
    bench.sealer.seal_once()
    bench.commit(150)
    bench.sealer.seal_once()
    assert {r.position for r in checkpoint.newest(bench.lake)} == {1000}

    bench.commit(150)
    bench.sealer.seal_once()
    assert {r.position for r in checkpoint.newest(bench.lake)} == {1300}


def test_every_sealed_file_has_a_digest(bench: Bench) -> None:
    bench.commit(50)
    bench.sealer.seal_once(force=True)

    assert set(bench.lake.digests.read()) == {f.path for f in bench.lake.files()}
