"""The lake's files: those on the disk, and those that the newest snapshot needs."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb
import msgspec

__all__ = [
    "LAKE",
    "META",
    "DataFile",
    "DataFolder",
    "LakeSummary",
    "ShardFiles",
    "needed_files",
    "summary_of",
]

LAKE: Final = "lake"
META: Final = f"__ducklake_metadata_{LAKE}"


class DataFile(msgspec.Struct, frozen=True):
    """A file the newest snapshot needs.

    Attributes:
        table: whose rows it holds.
        path: where it lies.
        size_bytes: its size according to the catalogue.
        rows: how many rows, or deleted rows, it holds.
    """

    table: str
    path: Path
    size_bytes: int
    rows: int


class ShardFiles(msgspec.Struct, frozen=True):
    """The sealed events of one shard, as the catalogue counts them."""

    shard: int
    files: int
    size_bytes: int
    rows: int


class LakeSummary(msgspec.Struct, frozen=True):
    """What the newest snapshot holds.

    Attributes:
        mark: up to which place the log is sealed.
        sealed_at: when the last seal was, UTC; None without one.
        checkpoint: the position of the newest checkpoint; None without one.
        shards: files of events, by shard.
    """

    mark: int = 0
    sealed_at: datetime | None = None
    checkpoint: int | None = None
    shards: tuple[ShardFiles, ...] = ()


class DataFolder:
    """The folder of the lake's Parquet files.

    Args:
        path: where it is; may not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def has_files(self) -> bool:
        """Whether there is any data file."""
        return next(self.path.rglob("*.parquet"), None) is not None

    def files(self) -> set[Path]:
        """All data files, needed or not."""
        return set(self.path.rglob("*.parquet"))

    def sync(self, files: set[Path]) -> None:
        """Wait until files, and their names in the folders above, are on the disk."""
        folders = {f for p in files for f in p.parents if f.is_relative_to(self.path.parent)}
        for path in (*files, *folders):
            _sync(path)


def needed_files(cursor: duckdb.DuckDBPyConnection, data_path: Path) -> list[DataFile]:
    """The files of data, and of deletions, that the newest snapshot of the attached lake needs."""
    parts = [
        f"SELECT t.table_name, s.path, s.path_is_relative, t.path, t.path_is_relative,"
        f" f.path, f.path_is_relative, f.file_size_bytes, f.{count}"
        f" FROM {META}.{table} f"
        f" JOIN {META}.ducklake_table t ON t.table_id = f.table_id AND t.end_snapshot IS NULL"
        f" JOIN {META}.ducklake_schema s ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL"
        f" WHERE f.end_snapshot IS NULL"
        for table, count in (
            ("ducklake_data_file", "record_count"),
            ("ducklake_delete_file", "delete_count"),
        )
    ]
    rows = cursor.execute(" UNION ALL ".join(parts)).fetchall()
    return [
        DataFile(str(r[0]), _place(data_path, r[1:7]), int(r[7]), int(r[8]))
        for r in sorted(rows, key=lambda r: (str(r[0]), str(r[5])))
    ]


def summary_of(cursor: duckdb.DuckDBPyConnection, mark: int) -> LakeSummary:
    """What the newest snapshot of the attached lake holds; reads the catalogue and no event."""
    live = (
        f" FROM {META}.ducklake_data_file f"
        f" JOIN {META}.ducklake_table t ON t.table_id = f.table_id AND t.end_snapshot IS NULL"
    )
    shards = cursor.execute(
        f"SELECT CAST(p.partition_value AS INTEGER), count(*), sum(f.file_size_bytes)::BIGINT,"
        f" sum(f.record_count)::BIGINT{live}"
        f" JOIN {META}.ducklake_file_partition_value p USING (data_file_id)"
        " WHERE f.end_snapshot IS NULL AND t.table_name = 'events' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    # A seal replaces the mark; whatever else makes snapshots leaves it alone.
    sealed = cursor.execute(
        f"SELECT max(CAST(s.snapshot_time AS TIMESTAMPTZ)) AT TIME ZONE 'UTC'{live}"
        f" JOIN {META}.ducklake_snapshot s ON s.snapshot_id = f.begin_snapshot"
        " WHERE f.end_snapshot IS NULL AND t.table_name = 'marks'"
    ).fetchone()
    found = cursor.execute(f"SELECT max(position) FROM {LAKE}.checkpoints").fetchone()
    return LakeSummary(
        mark,
        sealed[0] if sealed else None,
        found[0] if found else None,
        tuple(ShardFiles(*row) for row in shards),
    )


def _place(place: Path, steps: tuple[str | bool, ...]) -> Path:
    for path, is_relative in zip(steps[::2], steps[1::2], strict=True):
        place = place / str(path) if is_relative else Path(str(path))
    return place


def _sync(path: Path) -> None:
    if path.is_dir() and os.name != "posix":
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
