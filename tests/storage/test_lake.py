"""The lake: sealing, reading, moving, erasing, and what happens when files are damaged."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from pjais_lab.core.ids import natural_id
from pjais_lab.errors import (
    BusyError,
    CatalogError,
    ConcurrencyError,
    CorruptSegmentError,
    DiskFullError,
    LeaseLostError,
    ReadOnlyError,
)
from pjais_lab.storage import compaction
from pjais_lab.storage.duck import extension_path, transaction
from pjais_lab.storage.lake import Lake
from pjais_lab.testing.sealed import made_events, made_persona
from tests.storage.conftest import OpenLake


def places(lake: Lake) -> list[int]:
    rows = lake.cursor().execute(f"SELECT seq FROM ({lake.events_sql(lake.mark())}) ORDER BY seq")
    return [row[0] for row in rows.fetchall()]


def event_files(lake: Lake) -> list[Path]:
    return [f.path for f in lake.files() if f.table == "events"]


def read_all(lake: Lake) -> None:
    with lake.boundary("reading everything"):
        lake.cursor().execute(
            f"SELECT bit_xor(hash(e)) FROM ({lake.events_sql(9999)}) e"
        ).fetchall()


# ---------------------------------------------------------------- sealing


def test_a_lake_that_was_never_sealed_is_empty_and_leaves_no_trace(lake: Lake) -> None:
    assert lake.mark() == 0
    assert places(lake) == []
    assert not lake.directory.exists()


def test_sealed_events_are_read_back_as_they_were(lake: Lake) -> None:
    lake.seal(made_events(1, 500), 500)

    cursor = lake.cursor()
    sealed = cursor.execute(f"{lake.events_sql(500)} ORDER BY seq").fetchall()
    made = cursor.execute(f"SELECT * FROM ({made_events(1, 500)}) ORDER BY seq").fetchall()

    assert sealed == made


def test_the_mark_moves_with_the_rows(sealed: Lake, open_lake: OpenLake) -> None:
    other = open_lake()

    assert other.mark() == 2000
    assert places(other) == list(range(1, 2001))


def test_sealing_the_same_events_again_changes_nothing(sealed: Lake) -> None:
    assert sealed.seal(made_events(1, 2000), 2000) == 0
    assert sealed.seal(made_events(1, 2500), 2500) == 500
    assert places(sealed) == list(range(1, 2501))


def test_a_source_with_a_gap_is_refused_whole(sealed: Lake) -> None:
    source = f"SELECT * FROM ({made_events(2001, 2500)}) WHERE seq <> 2222"

    with pytest.raises(ConcurrencyError, match="expected 500, got 499"):
        sealed.seal(source, 2500)
    assert places(sealed) == list(range(1, 2001))


def test_a_source_with_a_double_is_refused_whole(sealed: Lake) -> None:
    source = f"{made_events(2001, 2500)} UNION ALL {made_events(2007, 2007)}"

    with pytest.raises(ConcurrencyError, match="got 501 of which 500 are different"):
        sealed.seal(source, 2500)
    assert sealed.mark() == 2000


def test_a_writer_that_believes_in_another_mark_is_refused(sealed: Lake) -> None:
    with pytest.raises(ConcurrencyError, match="sealed up to 2,000, not 1,000"):
        sealed.seal(made_events(1001, 2500), 2500, base=1000)


def test_a_sealer_that_was_taken_for_dead_is_refused(lake: Lake, open_lake: OpenLake) -> None:
    open_lake().seal(made_events(1, 1000), 1000, token=8)

    with pytest.raises(LeaseLostError, match="7 was taken over by 8"):
        lake.seal(made_events(1, 1500), 1500, token=7)
    assert lake.mark() == 1000


def test_of_two_sealers_at_once_one_is_told_to_try_again(sealed: Lake, open_lake: OpenLake) -> None:
    slow = sealed.cursor()

    with pytest.raises(BusyError), sealed.boundary("sealing"), transaction(slow):
        slow.execute("DELETE FROM lake.marks")
        slow.execute("INSERT INTO lake.marks VALUES (3000, 0)")
        open_lake().seal(made_events(2001, 2100), 2100)

    assert sealed.mark() == 2100


def test_files_are_sharded_sorted_and_compressed(lake: Lake) -> None:
    lake.seal(made_events(1, 200_000, personas=50), 200_000)
    cursor = lake.cursor()

    for path in event_files(lake):
        groups = cursor.execute(
            "SELECT stats_min_value, stats_max_value, row_group_num_rows, compression"
            f" FROM parquet_metadata('{path}') WHERE path_in_schema = 'persona_id' ORDER BY 1, 2"
        ).fetchall()
        shards = cursor.execute(f"SELECT DISTINCT shard FROM read_parquet('{path}')").fetchall()
        assert all(a[1] <= b[0] for a, b in pairwise(groups)), "row groups overlap"
        assert {g[3] for g in groups} == {"ZSTD"}
        assert max(g[2] for g in groups) <= 40_960
        assert len(shards) == 1


def test_one_personas_history_reads_only_a_few_row_groups(lake: Lake) -> None:
    lake.seal(made_events(1, 200_000, personas=50), 200_000)
    persona = made_persona(7)

    history = lake.cursor().execute(lake.history_sql(persona, 200_000)).fetchall()

    assert [row[0] for row in history] == list(range(7, 200_001, 50))
    plan = lake.cursor().execute(f"EXPLAIN ANALYZE {lake.history_sql(persona, 200_000)}").fetchall()
    assert "Total Files Read: 1" in plan[0][1]


# ---------------------------------------------------------------- reading


def test_a_plain_duckdb_with_the_extension_reads_the_lake(sealed: Lake) -> None:
    script = f"""
import duckdb
con = duckdb.connect()
con.execute("LOAD '{extension_path("sqlite_scanner")}'")
con.execute("LOAD '{extension_path("ducklake")}'")
con.execute("ATTACH 'ducklake:sqlite:{sealed.catalog_path}' AS lake")
print(con.execute("SELECT count(*), min(seq), max(seq), any_value(name) FROM lake.events").fetchone())
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False
    )

    assert done.stdout.strip() == "(2000, 1, 2000, 'v1.Noted')", done.stderr


def test_a_moved_lake_is_read_at_its_new_place(
    sealed: Lake, open_lake: OpenLake, tmp_path: Path
) -> None:
    sealed.detach()
    sealed.directory.rename(tmp_path / "elsewhere")

    moved = open_lake(tmp_path / "elsewhere")

    assert places(moved) == list(range(1, 2001))


def test_a_copied_lake_is_written_without_touching_the_original(
    sealed: Lake, open_lake: OpenLake, tmp_path: Path
) -> None:
    sealed.detach()
    shutil.copytree(sealed.directory, tmp_path / "copy")

    copy = open_lake(tmp_path / "copy")
    copy.seal(made_events(2001, 3000), 3000)

    assert sealed.mark() == 2000
    assert all(p.is_relative_to(tmp_path / "copy") for p in event_files(copy))


def test_an_old_snapshot_stays_readable_through_a_compaction(
    sealed: Lake, open_lake: OpenLake
) -> None:
    reader = open_lake()
    assert reader.attach()
    cursor = reader.cursor()
    cursor.execute("BEGIN")
    before = cursor.execute("SELECT count(*) FROM lake.events").fetchone()

    for first in range(2001, 9001, 1000):
        sealed.seal(made_events(first, first + 999), first + 999)
    report = compaction.compact(sealed, min_runs=4)

    after = cursor.execute("SELECT count(*), count(args) FROM lake.events").fetchone()
    assert report.files_after < report.files_before
    assert (before, after) == ((2000,), (2000, 2000))


SEALER = """
import sys
from itertools import count
from pathlib import Path
from pjais_lab.core.shard import HashRouter
from pjais_lab.storage.compaction import compact
from pjais_lab.storage.duck import connect
from pjais_lab.storage.lake import Lake
from pjais_lab.testing.sealed import made_events
lake = Lake(connect(1), Path(sys.argv[1]), HashRouter(4))
stop = Path(sys.argv[2])
for mark in count(100, 100):
    lake.seal(made_events(mark - 99, mark), mark)
    compact(lake, min_runs=4)
    if stop.exists():
        break
print(mark)
"""


def test_reading_while_another_process_seals_never_fails(lake: Lake, tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    command = [sys.executable, "-c", SEALER, str(lake.directory), str(stop)]
    sealer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    seen = {0}
    while len(seen) < 8:  # the sealer goes on until it was watched for long enough
        assert sealer.poll() is None
        mark = lake.mark()
        assert places(lake)[:mark] == list(range(1, mark + 1))
        if mark not in seen and len(seen) % 3 == 0:
            lake.detach()
        seen.add(mark)
    stop.touch()

    last = int(sealer.communicate()[0])
    assert sealer.returncode == 0
    assert places(lake) == list(range(1, last + 1))


@pytest.mark.skipif(sys.platform != "linux", reason="needs locks of open file descriptions")
def test_an_attached_lake_keeps_sqlites_log_so_that_nobody_waits_for_its_deletion(
    sealed: Lake, open_lake: OpenLake
) -> None:
    log = sealed.catalog_path.with_name("catalog.sqlite-wal")
    other = open_lake()

    assert other.mark() == 2000
    other.detach()
    sealed.seal(made_events(2001, 2100), 2100)
    assert log.exists()

    sealed.detach()
    assert not log.exists()


def test_a_catalogue_that_is_only_being_made_reads_as_an_empty_lake(lake: Lake) -> None:
    lake.data_path.mkdir(parents=True)
    lake.catalog_path.touch()

    assert lake.mark() == 0
    assert lake.catalog_path.stat().st_size == 0, "a reader makes no catalogue"
    assert lake.seal(made_events(1, 10), 10) == 10


def test_a_read_only_lake_refuses_to_be_sealed(sealed: Lake, open_lake: OpenLake) -> None:
    reader = open_lake(read_only=True)

    with pytest.raises(ReadOnlyError, match="does not take writes"):
        reader.seal(made_events(2001, 2100), 2100)
    assert places(reader) == list(range(1, 2001))


# ---------------------------------------------------------------- compaction


def test_compaction_merges_small_files_and_removes_them(sealed: Lake) -> None:
    for first in range(2001, 9001, 1000):
        sealed.seal(made_events(first, first + 999), first + 999)

    report = compaction.compact(sealed, grace_s=0)

    assert report.files_before == 9 * report.files_after
    assert report.files_removed >= report.files_before
    assert set(sealed.data_path.rglob("*.parquet")) == {f.path for f in sealed.files()}
    assert places(sealed) == list(range(1, 9001))


def test_snapshots_and_their_files_stay_for_the_grace(sealed: Lake) -> None:
    sealed.seal(made_events(2001, 2100), 2100)
    before = set(sealed.data_path.rglob("*.parquet"))

    removed = compaction.expire(sealed, grace_s=3600)

    assert removed == 0
    assert set(sealed.data_path.rglob("*.parquet")) == before
    row = sealed.cursor().execute("SELECT count(*) FROM lake.events AT (VERSION => 2)").fetchone()
    assert row == (1000,)


def test_what_a_killed_writer_left_behind_is_removed_in_time(sealed: Lake) -> None:
    stray = event_files(sealed)[0].with_name("ducklake-stray.parquet")
    stray.write_bytes(b"half a file")

    assert compaction.expire(sealed) == 0
    assert compaction.expire(sealed, orphan_s=0) == 1
    assert not stray.exists()
    assert places(sealed) == list(range(1, 2001))


def test_every_file_has_a_digest_that_coreutils_confirms(sealed: Lake) -> None:
    assert compaction.record_digests(sealed) == len(sealed.files())
    assert compaction.record_digests(sealed) == 0

    if shutil.which("b2sum"):
        command = ["b2sum", "--check", "--quiet", sealed.digests.path.name]
        assert subprocess.run(command, cwd=sealed.directory, check=False).returncode == 0
    assert sealed.digests.first_damage((f.path, f.size_bytes) for f in sealed.files()) is None


# ---------------------------------------------------------------- erasing


def bytes_anywhere(lake: Lake, text: str) -> list[Path]:
    files = [p for p in lake.directory.rglob("*") if p.is_file()]
    return [p for p in files if text.encode() in p.read_bytes()]


def test_an_erased_persona_is_gone_from_every_byte_of_the_lake(sealed: Lake) -> None:
    persona = made_persona(0)
    mark = f"mark-{persona}"
    assert bytes_anywhere(sealed, mark)

    erased = sealed.erase(persona)

    assert erased == 250
    assert bytes_anywhere(sealed, mark) == []
    assert places(sealed) == [n for n in range(1, 2001) if n % 8]
    assert bytes_anywhere(sealed, f"mark-{made_persona(1)}")


def test_what_was_erased_is_remembered_as_holes(sealed: Lake) -> None:
    sealed.erase(made_persona(3))

    holes = sealed.cursor().execute("SELECT * FROM lake.holes ORDER BY 1").fetchall()

    assert holes == [(n, n) for n in range(3, 2001, 8)]


def test_the_event_that_erases_stays(sealed: Lake) -> None:
    assert sealed.erase(made_persona(3), keep=["v1.Noted"]) == 0
    assert places(sealed) == list(range(1, 2001))


def test_an_erasure_that_was_cut_short_is_finished_later(sealed: Lake) -> None:
    persona = made_persona(5)
    cursor = sealed.cursor()
    with transaction(cursor):
        cursor.execute("INSERT INTO lake.erasures VALUES (?)", [persona])
        cursor.execute("DELETE FROM lake.events WHERE persona_id = ?", [persona])
    assert bytes_anywhere(sealed, f"mark-{persona}")

    assert compaction.finish_erasures(sealed) == 1
    assert bytes_anywhere(sealed, f"mark-{persona}") == []
    assert compaction.finish_erasures(sealed) == 0


def test_erasing_somebody_unknown_changes_nothing(sealed: Lake) -> None:
    assert sealed.erase(natural_id("nobody")) == 0
    assert places(sealed) == list(range(1, 2001))


# ---------------------------------------------------------------- damage


def test_a_missing_file_is_named(sealed: Lake) -> None:
    path = event_files(sealed)[0]
    path.unlink()

    with pytest.raises(CorruptSegmentError, match=path.name):
        read_all(sealed)


def test_a_cut_file_is_named(sealed: Lake) -> None:
    path = event_files(sealed)[0]
    path.write_bytes(path.read_bytes()[:-50])

    with pytest.raises(CorruptSegmentError, match=path.name):
        read_all(sealed)


def test_a_flipped_bit_is_found_wherever_it_is(sealed: Lake) -> None:
    compaction.record_digests(sealed)
    path = event_files(sealed)[0]
    sound = path.read_bytes()
    dice = random.Random(7)

    for _ in range(20):
        damaged = bytearray(sound)
        damaged[dice.randrange(len(sound))] ^= 1 << dice.randrange(8)
        path.write_bytes(damaged)
        found = sealed.digests.first_damage((f.path, f.size_bytes) for f in sealed.files())
        assert found is not None
        assert found.data["path"] == str(path)


def test_a_read_that_stumbles_over_a_flipped_bit_names_the_file(sealed: Lake) -> None:
    compaction.record_digests(sealed)
    path = event_files(sealed)[0]
    damaged = bytearray(path.read_bytes())
    for place in range(len(damaged) - 300, len(damaged) - 8):  # the footer, which every read needs
        damaged[place] ^= 0x55
    path.write_bytes(damaged)

    with pytest.raises(CorruptSegmentError, match=path.name):
        read_all(sealed)


def test_a_missing_catalogue_is_no_empty_lake(sealed: Lake, open_lake: OpenLake) -> None:
    sealed.detach()
    sealed.catalog_path.unlink()

    for act in (open_lake().mark, lambda: open_lake().seal(made_events(1, 10), 10)):
        with pytest.raises(CatalogError, match=r"catalog\.sqlite is missing"):
            act()
    assert not sealed.catalog_path.exists()


@pytest.mark.parametrize("length", [0, 5000])
def test_a_cut_catalogue_is_named(sealed: Lake, open_lake: OpenLake, length: int) -> None:
    sealed.detach()
    sealed.catalog_path.write_bytes(sealed.catalog_path.read_bytes()[:length])

    with pytest.raises(CatalogError, match="catalog"):
        open_lake().mark()
    with pytest.raises(CatalogError, match="catalog"):
        open_lake().seal(made_events(1, 10), 10)


FULL_DISK = """
import resource, sys
from pathlib import Path
from pjais_lab.core.shard import HashRouter
from pjais_lab.errors import DiskFullError
from pjais_lab.storage.duck import connect
from pjais_lab.storage.lake import Lake
from pjais_lab.testing.sealed import made_events
lake = Lake(connect(1), Path(sys.argv[1]), HashRouter(4))
lake.attach(write=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    lake.seal(made_events(2001, 200_000), 200_000)
except DiskFullError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
def test_a_full_disk_while_sealing_changes_nothing(sealed: Lake) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(sealed.directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "Free some space" in done.stdout, done.stderr
    assert DiskFullError.__name__ not in done.stderr
    assert places(sealed) == list(range(1, 2001))
    assert sealed.seal(made_events(2001, 2100), 2100) == 100
