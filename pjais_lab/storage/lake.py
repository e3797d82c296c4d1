"""The lake: sealed events in DuckLake, sharded Parquet under an SQLite catalogue.

One writer at a time (the sealer, under its lease), any number of readers. The mark, up to which
the log is sealed, commits together with the rows. Any DuckDB with the ``ducklake`` extension can
read the folder without this package.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb

from pjais_lab.core.shard import HashRouter
from pjais_lab.errors import ConcurrencyError
from pjais_lab.storage._ducklake import EVENT_COLUMNS, LAKE, DataFile, DuckLake, fence
from pjais_lab.storage._lakefiles import LakeSummary, summary_of
from pjais_lab.storage.compaction import finish_erasures
from pjais_lab.storage.duck import quote, transaction

__all__ = ["EVENT_COLUMNS", "LAKE", "DataFile", "Lake", "LakeSummary"]

_COLUMNS: Final = ", ".join(EVENT_COLUMNS)


class Lake(DuckLake):
    """The sealed part of the log.

    Attaches itself on first use, so that a workspace that never sealed anything loads no
    extension. Every call runs on its own cursor; calls from several threads are fine.

    Args:
        con: the lab's DuckDB.
        directory: the workspace's ``lake`` folder; made by the first seal.
        router: which shard a persona lies in.
        read_only: refuse to write even where the file system would allow it.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        directory: Path,
        router: HashRouter,
        *,
        read_only: bool = False,
    ) -> None:
        super().__init__(con, directory, read_only=read_only)
        self.router = router
        self._known: tuple[int, int] = (-1, 0)  # snapshot, mark
        self._summary: tuple[int, LakeSummary] = (-1, LakeSummary())

    def detach(self) -> None:
        """Close the lake's files in this DuckDB; the next use opens them again."""
        super().detach()
        self._known = (-1, 0)
        self._summary = (-1, LakeSummary())

    def snapshot(self) -> int:
        """The number of the newest snapshot; -1 without a lake."""
        if not self.attach():
            return -1
        with self.boundary("reading the lake's catalogue"):
            row = self.cursor().execute(f"FROM ducklake_current_snapshot({quote(LAKE)})").fetchone()
        return int(row[0]) if row else -1

    def mark(self) -> int:
        """Up to which place the log is sealed, as the newest snapshot says; 0 without a lake.

        Raises:
            CatalogError: the catalogue is missing or cannot be read.
            CorruptSegmentError: the file that holds the mark is damaged.
        """
        snapshot = self.snapshot()
        with self._lock:
            if snapshot == self._known[0]:
                return self._known[1]
        if snapshot < 0:
            return 0
        cursor = self.cursor()
        with self.boundary("reading the lake's mark"), transaction(cursor):
            if not self.has_table(cursor, "marks"):
                return 0  # its maker was killed before the first commit
            row = cursor.execute(f"SELECT max(seq) FROM {LAKE}.marks").fetchone()
        mark = int(row[0]) if row and row[0] is not None else 0
        with self._lock:
            self._known = (snapshot, mark)
        return mark

    def summary(self) -> LakeSummary:
        """The mark, files of events by shard, the last seal and checkpoint; empty without a lake.

        Raises:
            CatalogError: the catalogue is missing or cannot be read.
        """
        mark = self.mark()
        snapshot, held = self._known[0], self._summary
        if snapshot < 0 or snapshot == held[0]:
            return LakeSummary() if snapshot < 0 else held[1]
        cursor = self.cursor()
        with self.boundary("reading the lake's catalogue"), transaction(cursor):
            found = summary_of(cursor, mark)
        self._summary = (snapshot, found)
        return found

    def events_sql(self, mark: int) -> str:
        """A SELECT of the sealed events up to a place, with the columns of ``EVENT_COLUMNS``."""
        if mark <= 0 or not self.attach():
            typed = ", ".join(f"NULL::{t} AS {n}" for n, t in EVENT_COLUMNS.items())
            return f"SELECT {typed} WHERE false"
        return f"SELECT {_COLUMNS} FROM {LAKE}.events WHERE seq <= {mark}"

    def history_sql(self, persona_id: str, mark: int) -> str:
        """A SELECT of one persona's sealed events; reads only its shard."""
        shard = self.router.shard_of(persona_id)
        bound = f"persona_id = {quote(persona_id)}::UUID AND shard = {shard}"
        return f"SELECT * FROM ({self.events_sql(mark)}) WHERE {bound}"

    def seal(
        self,
        source_sql: str,
        through: int,
        *,
        base: int | None = None,
        token: int = 0,
        con: duckdb.DuckDBPyConnection | None = None,
    ) -> int:
        """Append the events after the mark, and move the mark, in one transaction.

        Args:
            source_sql: a SELECT of ``EVENT_COLUMNS``, the same rows each time it runs; those up to
                the mark or beyond ``through`` are passed over.
            through: the new mark; every place from the old one to it must be there once.
            base: the mark the caller believes in.
            token: the caller's fencing token; a smaller one than the last writer's is refused.
            con: the connection that can see the source; a new cursor when None.

        Returns:
            How many events were appended.

        Raises:
            ConcurrencyError: the mark is not ``base``, or the source has gaps or doubles.
            LeaseLostError: a newer holder of the lease has written.
            BusyError: another writer committed at the same time; nothing was written.
            DiskFullError: nothing was written.
        """
        self.attach(write=True)
        cursor = con or self.cursor()
        with self.boundary("sealing events"), self.durably(cursor):
            mark = fence(cursor, token)
            if base not in {None, mark}:
                msg = f"The lake is sealed up to {mark:,}, not {base:,} as expected."
                raise ConcurrencyError(msg, expected=base, actual=mark)
            if through <= mark:
                return 0
            _append(cursor, source_sql, mark, through)
            _move_mark(cursor, through, token)
        return through - mark

    def erase(self, persona_id: str, *, keep: Sequence[str] = ()) -> int:
        """Remove a persona's events physically: from files, old snapshots and the catalogue.

        Their places are kept as holes, so that a missing event still shows. Checkpoints go as a
        whole; the sealer writes a new one.

        Args:
            persona_id: whose events.
            keep: names of events that stay: the erasure itself.

        Returns:
            How many events were removed.

        Raises:
            BusyError: the catalogue was in use for 30 s: the rows are gone from every query, and
                the next seal takes them out of the files.
        """
        if not self.attach():
            return 0
        self.attach(write=True)
        cursor = self.cursor()
        names = ", ".join(map(quote, keep)) or "''"
        bound = f"persona_id = {quote(persona_id)}::UUID AND name NOT IN ({names})"
        with self.boundary("erasing a persona from the lake"), self.durably(cursor):
            cursor.execute(f"INSERT INTO {LAKE}.erasures VALUES (?::UUID)", [persona_id])
            cursor.execute(
                f"INSERT INTO {LAKE}.holes SELECT min(seq), max(seq) FROM (SELECT seq,"
                f" seq - row_number() OVER (ORDER BY seq) AS run FROM {LAKE}.events WHERE {bound})"
                f" GROUP BY run"
            )
            row = cursor.execute(f"DELETE FROM {LAKE}.events WHERE {bound}").fetchone()
            for (name,) in cursor.execute(f"SELECT name FROM {LAKE}.checkpoints").fetchall():
                cursor.execute(f'DROP TABLE IF EXISTS {LAKE}."ckpt_{name}"')
            cursor.execute(f"DELETE FROM {LAKE}.checkpoints")
        finish_erasures(self)
        return int(row[0]) if row else 0


def _append(cursor: duckdb.DuckDBPyConnection, source: str, mark: int, through: int) -> None:
    new = f"SELECT {_COLUMNS} FROM ({source}) WHERE seq > {mark} AND seq <= {through}"
    sql = f"SELECT count(*), count(DISTINCT seq) FROM ({new})"
    row = cursor.execute(sql).fetchone()
    count, distinct = (int(row[0]), int(row[1])) if row else (0, 0)
    wanted = through - mark
    if count != wanted or distinct != wanted:
        msg = (
            f"The events {mark + 1:,} to {through:,} cannot be sealed: expected {wanted:,},"
            f" got {count:,} of which {distinct:,} are different."
        )
        raise ConcurrencyError(msg, expected=wanted, actual=count)
    cursor.execute(f"INSERT INTO {LAKE}.events {new} ORDER BY shard, persona_id, id")


def _move_mark(cursor: duckdb.DuckDBPyConnection, through: int, token: int) -> None:
    # Two writers that both delete the old row cannot both commit.
    cursor.execute(f"DELETE FROM {LAKE}.marks")
    cursor.execute(f"INSERT INTO {LAKE}.marks VALUES (?, ?)", [through, token])
