"""The lake's files: those on the disk, and those that the newest snapshot needs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import duckdb
import msgspec

__all__ = ["LAKE", "META", "DataFile", "DataFolder", "needed_files"]

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
