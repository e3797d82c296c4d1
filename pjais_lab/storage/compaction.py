"""Keep the lake fast and clean: merge small files, let old snapshots go, take erased rows out.

All of it is for the holder of the sealer's lease.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from pjais_lab.errors import BusyError
from pjais_lab.storage._ducklake import LAKE, META, DuckLake
from pjais_lab.storage.duck import quote, transaction

__all__ = ["GRACE_S", "CompactionReport", "compact", "expire", "finish_erasures", "record_digests"]

GRACE_S: Final = 900.0
"""How long a reader may go on with an old snapshot before its files go."""

_ORPHAN_S: Final = 86_400.0
_NAME: Final = quote(LAKE)
_TIERS: Final = (4 << 20, 32 << 20, 256 << 20)
_VACUUM: Final = """
import sqlite3, sys
con = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
con.execute("VACUUM")
sys.exit(con.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
"""


class CompactionReport(msgspec.Struct, frozen=True):
    """What a compaction did.

    Attributes:
        files_before: files of events before.
        files_after: files of events after.
        files_removed: files deleted from the disk.
    """

    files_before: int
    files_after: int
    files_removed: int


def compact(lake: DuckLake, *, min_files: int = 8, grace_s: float = GRACE_S) -> CompactionReport:
    """Merge files of like size where a shard has many, then expire.

    Files are merged in tiers, so that every event is rewritten only a few times in its life.

    Args:
        lake: the lake, written by nobody else meanwhile.
        min_files: how many files of a tier a shard may have before they are merged.
        grace_s: how long old snapshots stay readable.

    Raises:
        CorruptSegmentError: a file to be merged is damaged; nothing was changed.
        DiskFullError: nothing was changed.
    """
    lake.attach(write=True)
    before = _event_sizes(lake)
    for limit in _TIERS:
        if _crowded(_event_sizes(lake), limit, min_files):
            _call(
                lake,
                "merging the lake's files",
                f"ducklake_merge_adjacent_files({_NAME}, 'events', max_file_size => {limit})",
            )
    removed = expire(lake, grace_s=grace_s)
    return CompactionReport(_count(before), _count(_event_sizes(lake)), removed)


def expire(lake: DuckLake, *, grace_s: float = GRACE_S, orphan_s: float = _ORPHAN_S) -> int:
    """Let snapshots older than the grace go, and remove the files that only they needed.

    Args:
        lake: the lake, written by nobody else meanwhile.
        grace_s: how long old snapshots stay readable.
        orphan_s: how old a file is that a killed writer left behind, to go too.

    Returns:
        How many files were deleted.
    """
    lake.attach(write=True)
    what = "expiring the lake's snapshots"
    cursor = lake.cursor()
    # DuckLake's own `older_than` compares texts in an SQLite catalogue: all of today is old to it.
    old = f"::TIMESTAMPTZ < now() - to_seconds({grace_s})"
    with lake.boundary(what):
        snapshots = cursor.execute(
            f"SELECT snapshot_id FROM {META}.ducklake_snapshot WHERE snapshot_time{old}"
            f" AND snapshot_id < (SELECT max(snapshot_id) FROM {META}.ducklake_snapshot)"
        ).fetchall()
        if snapshots:
            versions = ", ".join(str(s) for (s,) in snapshots)
            _call(lake, what, f"ducklake_expire_snapshots({_NAME}, versions => [{versions}])")
        useless = cursor.execute(
            f"SELECT path, path_is_relative FROM {META}.ducklake_files_scheduled_for_deletion"
            f" WHERE schedule_start{old}"
        ).fetchall()
        for path, is_relative in useless:
            (lake.data_path / path if is_relative else Path(path)).unlink(missing_ok=True)
        if useless:
            cursor.execute(
                f"DELETE FROM {META}.ducklake_files_scheduled_for_deletion"
                " WHERE list_contains(?::VARCHAR[], path)",
                [[path for path, _ in useless]],
            )
        return len(useless) + _remove_orphans(lake, orphan_s)


def _remove_orphans(lake: DuckLake, older_s: float) -> int:
    known = " UNION ALL ".join(
        f"SELECT path FROM {META}.ducklake_{table}"
        for table in ("data_file", "delete_file", "files_scheduled_for_deletion")
    )
    rows = lake.cursor().execute(known).fetchall()
    names = {Path(path).name for (path,) in rows}
    orphans = [p for p in lake.data_path.rglob("*.parquet") if p.name not in names]
    old = [p for p in orphans if p.stat().st_mtime <= time.time() - older_s]
    for path in old:
        path.unlink()
    return len(old)


def finish_erasures(lake: DuckLake) -> int:
    """Take deleted rows out of the files, the old snapshots and the catalogue's free pages.

    Repeats what a killed predecessor did not finish. Readers of old snapshots are told to ask again.

    Args:
        lake: the lake, written by nobody else meanwhile.

    Returns:
        How many personas were waiting for it.

    Raises:
        BusyError: the catalogue was in use for 30 s; the next call tries again.
    """
    if not lake.attach():
        return 0
    lake.attach(write=True)
    cursor = lake.cursor()
    with lake.boundary("reading the lake's erasures"):
        waiting = cursor.execute(f"SELECT DISTINCT persona_id FROM {LAKE}.erasures").fetchall()
    if not waiting:
        return 0
    what = "erasing rows from the lake"
    _call(lake, what, f"ducklake_rewrite_data_files({_NAME}, 'events', delete_threshold => 0.0)")
    expire(lake, grace_s=0.0, orphan_s=0.0)
    _forget_extremes(lake)
    _vacuum(lake)
    with lake.boundary(what):
        cursor.execute(f"DELETE FROM {LAKE}.erasures")
    record_digests(lake)
    return len(waiting)


def record_digests(lake: DuckLake) -> int:
    """Write down the digests of files that have none; how many there were."""
    return lake.digests.update((f.path, f.size_bytes) for f in lake.files())


def _call(lake: DuckLake, what: str, function: str) -> int:
    cursor = lake.cursor()
    with lake.boundary(what), lake.durably(cursor):
        # As Arrow: rows with time zones would need pytz. `SELECT count(*)` would not run it at all.
        return int(cursor.execute(f"CALL {function}").to_arrow_table().num_rows)


def _event_sizes(lake: DuckLake) -> dict[str, list[int]]:
    sizes: dict[str, list[int]] = {}
    for file in lake.files():
        if file.table == "events":
            sizes.setdefault(file.path.parent.name, []).append(file.size_bytes)
    return sizes


def _crowded(sizes: dict[str, list[int]], limit: int, min_files: int) -> bool:
    return any(sum(s < limit for s in shard) >= min_files for shard in sizes.values())


def _count(sizes: dict[str, list[int]]) -> int:
    return sum(len(shard) for shard in sizes.values())


def _forget_extremes(lake: DuckLake) -> None:
    """The catalogue keeps each column's least and greatest text, of erased rows too."""
    cursor = lake.cursor()
    # A file's own statistics go with the file; the table's never shrink by themselves. A table
    # without files, or one that was dropped, keeps no text at all.
    sql = (
        f"SELECT s.table_id, s.column_id, min(f.min_value), max(f.max_value)"
        f" FROM {META}.ducklake_table_column_stats s LEFT JOIN ("
        f"   SELECT f.* FROM {META}.ducklake_file_column_stats f"
        f"   JOIN {META}.ducklake_data_file d USING (data_file_id) WHERE d.end_snapshot IS NULL"
        f" ) f ON f.table_id = s.table_id AND f.column_id = s.column_id"
        f" WHERE EXISTS (SELECT 1 FROM {META}.ducklake_column c WHERE c.table_id = s.table_id"
        f"   AND c.column_id = s.column_id AND c.column_type IN ('varchar', 'json'))"
        f" GROUP BY ALL"
    )
    with lake.boundary("erasing statistics from the catalogue"):
        rows = cursor.execute(sql).fetchall()
        with transaction(cursor):
            for table_id, column_id, least, greatest in rows:
                cursor.execute(
                    f"UPDATE {META}.ducklake_table_column_stats SET min_value = ?, max_value = ?"
                    f" WHERE table_id = ? AND column_id = ?",
                    [least, greatest, table_id, column_id],
                )


def _vacuum(lake: DuckLake) -> None:
    # In a process of its own: a second SQLite library in this one would drop DuckDB's file locks.
    command = [sys.executable, "-I", "-S", "-c", _VACUUM, str(lake.catalog_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it is in use"])[-1]
        msg = f"The lake's catalogue could not be cleaned of erased text: {reason}."
        raise BusyError(
            msg, hint="It is tried again by the next seal.", path=str(lake.catalog_path)
        )
