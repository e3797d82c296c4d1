"""DuckLake as we use it: attach by path, tables and options, which files a snapshot needs."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb

from pjais_lab.errors import (
    BusyError,
    CatalogError,
    CorruptSegmentError,
    InternalError,
    LabError,
    LeaseLostError,
    ReadOnlyError,
    StorageError,
)
from pjais_lab.storage._hold import Hold
from pjais_lab.storage._lakefiles import LAKE, META, DataFile, DataFolder, needed_files
from pjais_lab.storage.digests import Digests
from pjais_lab.storage.duck import load_extension, quote, transaction, translated

__all__ = ["EVENT_COLUMNS", "LAKE", "META", "DataFile", "DuckLake", "fence"]


EVENT_COLUMNS: Final[dict[str, str]] = {
    "seq": "BIGINT",
    "id": "UUID",
    "name": "VARCHAR",
    "entity_id": "UUID",
    "persona_id": "UUID",
    "shard": "USMALLINT",
    "epoch": "INTEGER",
    "occurred_at": "TIMESTAMP",
    "origin": "VARCHAR",
    "origin_seq": "BIGINT",
    "actor": "VARCHAR",
    "cause": "UUID",
    "args": "VARCHAR",
}
"""An event of the log, in the lake as in memory; times are UTC, ``args`` is JSON text."""

_BUSY_MS: Final = 30_000
_LOOK: Final = f"SELECT 1 FROM {META}.ducklake_metadata LIMIT 1"
_UNFINISHED: Final = "explicitly disabled"
"""What DuckLake says of a catalogue that has no tables when it may not make them."""
_OPTIONS: Final[tuple[tuple[str, str, str | None], ...]] = (
    ("data_inlining_row_limit", "0", None),
    # Checkpoints are read whole: cheap to unpack, large groups.
    ("parquet_compression", "lz4", None),
    ("parquet_row_group_size", "122880", None),
    # One persona of a large town is a few groups of this size, and a file's footer stays small.
    ("parquet_compression", "zstd", "events"),
    ("parquet_row_group_size", "40960", "events"),
    # seal() sorts by shard as well, which keeps each file's groups in order.
    ("sort_on_insert", "false", None),
)
_CHECKPOINT: Final = (
    "name VARCHAR, position BIGINT, digest VARCHAR, duckdb VARCHAR, row_count BIGINT,"
    " checksum VARCHAR"
)
_TABLES: Final = (
    f"CREATE TABLE {LAKE}.events ({', '.join(f'{n} {t}' for n, t in EVENT_COLUMNS.items())})",
    f"ALTER TABLE {LAKE}.events SET PARTITIONED BY (shard)",
    f"ALTER TABLE {LAKE}.events SET SORTED BY (persona_id, id)",
    f"CREATE TABLE {LAKE}.marks (seq BIGINT, token BIGINT)",
    f"CREATE TABLE {LAKE}.holes (seq_first BIGINT, seq_last BIGINT)",
    f"CREATE TABLE {LAKE}.erasures (persona_id UUID)",
    f"CREATE TABLE {LAKE}.checkpoints ({_CHECKPOINT})",
    f"INSERT INTO {LAKE}.marks VALUES (0, 0)",
)


class DuckLake:
    """One DuckLake in one DuckDB.

    Args:
        con: the lab's DuckDB.
        directory: the workspace's ``lake`` folder; made by the first write.
        read_only: refuse to write even where the file system would allow it.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, directory: Path, *, read_only: bool = False
    ) -> None:
        self.directory = directory.absolute()
        self.catalog_path = self.directory / "catalog.sqlite"
        self.data_path = self.directory / "data"
        self.digests = Digests(self.directory)
        self._folder = DataFolder(self.data_path)
        self._hold = Hold(self.catalog_path)
        self._con = con
        self._lock = threading.RLock()
        self._is_attached = False
        self._is_writable = False
        self._read_only = read_only

    @property
    def exists(self) -> bool:
        """Whether anything was ever sealed here.

        Raises:
            CatalogError: there are data files but no catalogue.
        """
        if self.catalog_path.is_file():
            return True
        if self._folder.has_files():
            msg = f"The lake's catalogue {self.catalog_path} is missing, but its data files are there."
            raise CatalogError(
                msg, hint="Restore catalog.sqlite from a backup.", path=str(self.catalog_path)
            )
        return False

    def attach(self, *, write: bool = False) -> bool:
        """Open the lake in this DuckDB as ``lake``.

        Args:
            write: be ready to write; makes the lake if there is none.

        Returns:
            Whether there is a lake.

        Raises:
            CatalogError: the catalogue is missing or cannot be read.
            ReadOnlyError: writing is wanted and not possible here.
            ExtensionError: DuckDB's extensions are missing.
        """
        with self._lock:
            if write and (self._read_only or not self._may_write()):
                msg = f"The lake in {self.directory} does not take writes."
                raise ReadOnlyError(msg, hint="Check its permissions.", path=str(self.directory))
            is_there = self._is_attached or self.exists or write
            if not is_there or not (self._is_attached or self._attach(write=write)):
                return False
            if write and not self._is_writable:
                self._prepare()
                self._is_writable = True
            return True

    def detach(self) -> None:
        """Close the lake's files in this DuckDB; the next use opens them again."""
        with self._lock:
            self._hold.release()
            if self._is_attached:
                cursor = self._con.cursor()
                with contextlib.suppress(duckdb.Error):  # the last to look folds SQLite's log in
                    cursor.execute(_LOOK).fetchone()
                with translated("closing the lake"):
                    cursor.execute(f"DETACH {LAKE}")
            self._is_attached = self._is_writable = False

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor of the lab's DuckDB, for the calling thread."""
        return self._con.cursor()

    @contextlib.contextmanager
    def durably(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """A transaction whose new files are on the disk before it commits.

        DuckDB leaves them in the system's cache, where a power cut would find them; the sealer
        purges the journal after this.
        """
        before = self._folder.files()
        with transaction(cursor):
            yield
            self._folder.sync(self._folder.files() - before)

    @contextlib.contextmanager
    def boundary(self, what: str) -> Iterator[None]:
        """Translate DuckDB's errors, naming a damaged file where one is to blame.

        Raises:
            LabError: whatever the DuckDB error means.
        """
        with translated(what, diagnose=self.diagnose):
            yield

    def _attach(self, *, write: bool) -> bool:
        # Data files come after a whole catalogue: with them there, an empty one is damaged.
        has_files = self._folder.has_files()
        if write:
            with translated("making the lake's folder"):
                self.data_path.mkdir(parents=True, exist_ok=True)
        cursor = self.cursor()
        load_extension(cursor, "sqlite_scanner")
        load_extension(cursor, "ducklake")
        source = quote(f"ducklake:sqlite:{self.catalog_path}")
        options = ", ".join(self._options(create=write and not has_files))
        try:
            with translated("opening the lake's catalogue", otherwise=CatalogError):
                cursor.execute(f"ATTACH {source} AS {LAKE} ({options})")
        except LabError as error:
            self._leave(cursor)
            if _UNFINISHED in error.message and not has_files:
                return False
            raise
        self._is_attached = True
        with (
            translated("reading the lake's catalogue", otherwise=CatalogError),
            transaction(cursor),
        ):
            cursor.execute(_LOOK).fetchone()
            self._hold.take()
        return True

    @staticmethod
    def _leave(cursor: duckdb.DuckDBPyConnection) -> None:
        """Take back an ATTACH that failed half-way, so that the next one does not find its rest."""
        for name in (LAKE, META):
            with contextlib.suppress(duckdb.Error):
                cursor.execute(f"DETACH DATABASE IF EXISTS {name}")

    def _options(self, *, create: bool) -> list[str]:
        options = [
            f"DATA_PATH {quote(f'{self.data_path}/')}",
            "OVERRIDE_DATA_PATH true",
            "DATA_INLINING_ROW_LIMIT 0",
            f"META_BUSY_TIMEOUT {_BUSY_MS}",
        ]
        if self._read_only or not self._may_write():
            return [*options, "READ_ONLY"]
        # A reader must not finish, or hinder, what the first sealer is about to make.
        return [*options, "META_JOURNAL_MODE 'WAL'" if create else "CREATE_IF_NOT_EXISTS false"]

    def _prepare(self) -> None:
        cursor = self.cursor()
        with translated("preparing the lake"):
            if not self.has_table(cursor, "marks"):
                with self.durably(cursor):
                    for statement in _TABLES:
                        cursor.execute(statement)
            rows = cursor.execute(
                f"SELECT option_name, scope_entry, value FROM ducklake_options({quote(LAKE)})"
            ).fetchall()
            present = {(name, entry): str(value) for name, entry, value in rows}
            for name, value, table in _OPTIONS:
                if present.get((name, table and f"main.{table}")) != value:
                    scope = f", table_name => {quote(table)}" if table else ""
                    cursor.execute(f"CALL {LAKE}.set_option(?, ?{scope})", [name, value])
            # After a move of the folder others find the data through the catalogue alone again.
            here = f"{self.data_path}/"
            if present.get(("data_path", None)) != here:
                cursor.execute(
                    f"UPDATE {META}.ducklake_metadata SET value = ? WHERE key = 'data_path'", [here]
                )

    def _may_write(self) -> bool:
        place = self.directory
        while not place.exists():
            place = place.parent
        return os.access(place, os.W_OK)

    @staticmethod
    def has_table(cursor: duckdb.DuckDBPyConnection, name: str) -> bool:
        """Whether the attached lake has a table."""
        sql = "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND table_name = ?"
        return cursor.execute(sql, [LAKE, name]).fetchone() is not None

    def files(self) -> list[DataFile]:
        """The data files, and files of deletions, that the newest snapshot needs.

        Raises:
            CatalogError: the catalogue is missing or cannot be read.
        """
        if not self.attach():
            return []
        with translated("reading the lake's catalogue", otherwise=CatalogError):
            return needed_files(self.cursor(), self.data_path)

    def diagnose(self, error: LabError) -> LabError:
        """Find the damaged file behind a failed read.

        Args:
            error: what DuckDB's error was translated to.

        Returns:
            The error to raise: names the file if one is damaged, or says to ask again when the
            file was removed on purpose in the meantime.
        """
        named = error.data.get("path")
        is_suspect = type(error) in {StorageError, InternalError, CorruptSegmentError}
        if not is_suspect or (named and Path(named).exists()):
            return error
        try:
            files = self.files()
        except LabError as worse:
            return worse
        if named and Path(named) not in {f.path for f in files}:
            msg = "The lake was rewritten while it was being read."
            return BusyError(msg, hint="Ask again.", path=named)
        return self.digests.first_damage((f.path, f.size_bytes) for f in files) or error


def fence(cursor: duckdb.DuckDBPyConnection, token: int) -> int:
    """Refuse a writer that was taken for dead; gives the mark.

    Raises:
        LeaseLostError: a holder with a greater token has written.
    """
    row = cursor.execute(f"SELECT max(seq), max(token) FROM {LAKE}.marks").fetchone()
    mark, newest = (0, 0) if row is None or row[0] is None else (int(row[0]), int(row[1]))
    if token < newest:
        msg = f"The sealer's lease {token} was taken over by {newest}; nothing was written."
        raise LeaseLostError(msg, token=token, newest=newest)
    return mark
