"""Keep the lake fast and clean: merge small files, let old snapshots go, take erased rows out.

All of it is for the holder of the sealer's lease.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from pjais_lab.errors import BusyError, CorruptSegmentError
from pjais_lab.storage._ducklake import EVENT_COLUMNS, LAKE, META, DataFile, DuckLake
from pjais_lab.storage.duck import quote, transaction

__all__ = [
    "GRACE_S",
    "CompactionReport",
    "compact",
    "expire",
    "finish_erasures",
    "record_digests",
    "unfinished_erasures",
]

GRACE_S: Final = 900.0
"""How long a reader may go on with an old snapshot before its files go."""

_ORPHAN_S: Final = 86_400.0
_NAME: Final = quote(LAKE)
_TIERS: Final = (2 << 20, 16 << 20, 128 << 20)
_ERASING_S: Final = 1.0
"""An erasure does not wait for the grace; this lets queries that have just begun end."""
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


class _Run(msgspec.Struct, frozen=True):
    """The files of one transaction: every event from one place to another.

    Attributes:
        first: place of its first event.
        last: place of its last one.
        rows: how many events there are.
        size_bytes: of all its files.
        paths: its files, relative to the table's folder.
    """

    first: int
    last: int
    rows: int
    size_bytes: int
    paths: tuple[Path, ...]


def compact(lake: DuckLake, *, min_runs: int = 8, grace_s: float = GRACE_S) -> CompactionReport:
    """Merge neighbouring runs of like size where there are many, then expire.

    Runs are merged in tiers, so that every event is rewritten only a few times in its life.

    Args:
        lake: the lake, written by nobody else meanwhile.
        min_runs: how many small runs may stand side by side before they are merged.
        grace_s: how long old snapshots stay readable.

    Raises:
        CorruptSegmentError: a file to be merged is damaged; nothing was changed.
        DiskFullError: nothing was changed.
    """
    lake.attach(write=True)
    before = sum(len(run.paths) for run in _runs(lake))
    for limit in _TIERS:
        for batch in _crowds(_runs(lake), limit, min_runs):
            _merge(lake, batch)
    removed = expire(lake, grace_s=grace_s)
    return CompactionReport(before, sum(len(run.paths) for run in _runs(lake)), removed)


def _runs(lake: DuckLake) -> list[_Run]:
    sizes = {f.path.name: f for f in lake.files() if f.table == "events"}
    sql = (
        f"SELECT f.begin_snapshot, f.path, s.min_value::BIGINT, s.max_value::BIGINT"
        f" FROM {META}.ducklake_file_column_stats s"
        f" JOIN {META}.ducklake_column c ON c.column_id = s.column_id AND c.table_id = s.table_id"
        f" JOIN {META}.ducklake_data_file f ON f.data_file_id = s.data_file_id"
        f" JOIN {META}.ducklake_table t ON t.table_id = f.table_id AND t.end_snapshot IS NULL"
        f" WHERE t.table_name = 'events' AND c.column_name = 'seq' AND c.end_snapshot IS NULL"
        f" AND f.end_snapshot IS NULL"
    )
    with lake.boundary("reading the lake's catalogue"):
        rows = lake.cursor().execute(sql).fetchall()
    groups: dict[int, list[tuple[DataFile, int, int]]] = {}
    for snapshot, path, least, greatest in rows:
        groups.setdefault(snapshot, []).append((sizes[Path(path).name], least, greatest))
    runs = [
        _Run(
            min(least for _, least, _ in group),
            max(greatest for _, _, greatest in group),
            sum(f.rows for f, _, _ in group),
            sum(f.size_bytes for f, _, _ in group),
            tuple(f.path for f, _, _ in group),
        )
        for group in groups.values()
    ]
    return sorted(runs, key=lambda run: run.first)


def _crowds(runs: list[_Run], limit: int, min_runs: int) -> list[list[_Run]]:
    """Neighbours below the limit, where they are many."""
    groups = itertools.groupby(runs, key=lambda run: run.size_bytes < limit)
    crowds = [list(group) for is_small, group in groups if is_small]
    return [crowd for crowd in crowds if len(crowd) >= min_runs]


def _merge(lake: DuckLake, runs: list[_Run]) -> None:
    """Replace runs by one.

    Not by DuckLake's own merge: a reader whose snapshot is older than that sees no row at all. New
    files beside the old ones leave every snapshot as it was.
    """
    _check_sound(lake, {p for run in runs for p in run.paths})
    cursor = lake.cursor()
    paths = ", ".join(quote(str(p)) for run in runs for p in run.paths)
    columns = ", ".join(EVENT_COLUMNS)
    what = "merging the lake's files"
    with lake.boundary(what), lake.durably(cursor):
        gone = cursor.execute(
            f"DELETE FROM {LAKE}.events WHERE seq BETWEEN {runs[0].first} AND {runs[-1].last}"
        ).fetchone()
        made = cursor.execute(
            f"INSERT INTO {LAKE}.events SELECT {columns} FROM read_parquet([{paths}])"
            " ORDER BY shard, persona_id, id"
        ).fetchone()
        if gone != made:
            msg = f"Merging would have replaced {gone} events by {made}; nothing was changed."
            raise CorruptSegmentError(msg, hint="Run `pjais verify`.")


def _check_sound(lake: DuckLake, paths: set[Path] | None = None) -> None:
    """Refuse to copy what was damaged: the copy would have a sound digest."""
    files = [f for f in lake.files() if f.table == "events" and (paths is None or f.path in paths)]
    damage = lake.digests.first_damage((f.path, f.size_bytes) for f in files)
    if damage is not None:
        raise damage


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
        CorruptSegmentError: a file is damaged; restore it, and the next call goes on.
    """
    waiting = unfinished_erasures(lake)
    if not waiting:
        return 0
    lake.attach(write=True)
    _check_sound(lake)
    cursor = lake.cursor()
    what = "erasing rows from the lake"
    _call(lake, what, f"ducklake_rewrite_data_files({_NAME}, 'events', delete_threshold => 0.0)")
    time.sleep(_ERASING_S)
    expire(lake, grace_s=0.0, orphan_s=0.0)
    _forget_extremes(lake)
    _vacuum(lake)
    with lake.boundary(what), lake.durably(cursor):
        cursor.execute(f"DELETE FROM {LAKE}.erasures")
        # DuckLake remembers extremes by the number of files: without a new one, the next seal from
        # this process would write the erased ones back.
        (mark,) = cursor.execute(f"SELECT seq, token FROM {LAKE}.marks").fetchall()
        cursor.execute(f"DELETE FROM {LAKE}.marks")
        cursor.execute(f"INSERT INTO {LAKE}.marks VALUES (?, ?)", mark)
    record_digests(lake)
    return waiting


def unfinished_erasures(lake: DuckLake) -> int:
    """How many personas are out of every query but not yet out of the files."""
    if not lake.attach():
        return 0
    cursor = lake.cursor()
    with lake.boundary("reading the lake's erasures"):
        if not lake.has_table(cursor, "erasures"):
            return 0
        sql = f"SELECT count(DISTINCT persona_id) FROM {LAKE}.erasures"
        row = cursor.execute(sql).fetchone()
    return int(row[0]) if row else 0


def record_digests(lake: DuckLake) -> int:
    """Write down the digests of files that have none; how many there were."""
    return lake.digests.update((f.path, f.size_bytes) for f in lake.files())


def _call(lake: DuckLake, what: str, function: str) -> int:
    cursor = lake.cursor()
    with lake.boundary(what), lake.durably(cursor):
        # As Arrow: rows with time zones would need pytz. `SELECT count(*)` would not run it at all.
        return int(cursor.execute(f"CALL {function}").to_arrow_table().num_rows)


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
