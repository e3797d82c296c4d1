"""The log as one process sees it: recent events in memory, sealed ones in the lake, one view of both."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final

import duckdb

from pjais_lab.core.event import Record
from pjais_lab.core.registry import Registry
from pjais_lab.core.shard import HashRouter
from pjais_lab.storage._inserts import INSERT_FROM_ARROW, literal_row, to_arrow
from pjais_lab.storage._lives import Life, Lives
from pjais_lab.storage.duck import quote, transaction, translated
from pjais_lab.storage.reader import Reader, fetch, open_reader
from pjais_lab.storage.sqlparse import Analysis, analyse, guard

if TYPE_CHECKING:
    import polars as pl

    from pjais_lab.storage.lake import Lake

__all__ = ["ERASED_EPOCH", "EVENT_NAMES", "FEW", "LogView"]

_EVENT_COLUMNS: Final = (
    "seq BIGINT, id UUID, name VARCHAR, entity_id UUID, persona_id UUID, shard USMALLINT,"
    " epoch INTEGER, occurred_at TIMESTAMP, origin VARCHAR, origin_seq BIGINT, actor VARCHAR,"
    " cause UUID, args VARCHAR"
)
EVENT_NAMES: Final = ", ".join(c.split()[0] for c in _EVENT_COLUMNS.split(", "))
ERASED_EPOCH: Final = 2_000_000_000
FEW: Final = 4
"""So many events or ids go into SQL as literals; more go in bulk."""


class LogView:
    """Schemas ``log`` and ``state`` of an in-memory DuckDB, and questions to them.

    Args:
        con: an in-memory DuckDB, owned by this object.
        registry: the declarations.
        router: gives a persona's shard.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, registry: Registry, router: HashRouter
    ) -> None:
        self.registry = registry
        self.router = router
        self.lock = threading.RLock()
        """Held by whoever changes tables and position."""
        self.position = 0
        """The last event applied."""
        self.mark = 0
        """Events up to here are read from the lake."""
        self._con = con
        self._sealed: str | None = None
        self._erasing: set[str] = set()
        self._has_erased = False
        self._local = threading.local()
        self._unknown = Unknown()
        self._lives = Lives()
        con.execute("CREATE SCHEMA state")
        con.execute("CREATE SCHEMA log")
        con.execute(f"CREATE TABLE log.tail ({_EVENT_COLUMNS})")
        con.execute(f"CREATE TABLE log.upcasted ({_EVENT_COLUMNS})")
        con.execute(
            "CREATE TABLE log.quarantine (seq BIGINT, id UUID, name VARCHAR, reason VARCHAR)"
        )
        con.execute("CREATE TABLE state._erased (persona_id UUID)")
        self._define_events()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for the calling thread; the same one each time."""
        found: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if found is None:
            found = self._local.cursor = self._con.cursor()
        return found

    def analyse(self, sql: str) -> Analysis:
        """Check that SQL only reads, and find what.

        Raises:
            QueryError: it cannot be parsed, or would write.
        """
        return analyse(self.cursor(), sql)

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """Answer a user's question.

        Raises:
            QueryError: the SQL is wrong, or would write.
        """
        cursor = self.cursor()
        return fetch(cursor, guard(cursor, sql), params)

    def snapshot(self, spares: int = 0) -> AbstractContextManager[Reader]:
        """Read several things at one position, while commits go on."""
        return open_reader(self._con, self.lock, lambda: self.position, spares)

    def _append(self, cursor: duckdb.DuckDBPyConnection, records: Sequence[Record]) -> None:
        if len(records) <= FEW:
            rows = ", ".join(literal_row(r, self.router) for r in records)
            cursor.execute(f"INSERT INTO log.tail VALUES {rows}")
            return
        self._insert(cursor, to_arrow(records, self.router))

    @staticmethod
    def _insert(cursor: duckdb.DuckDBPyConnection, rows: Any) -> None:
        cursor.register("_batch", rows)
        try:
            cursor.execute(f"{INSERT_FROM_ARROW} _batch")
        finally:
            cursor.unregister("_batch")

    def epochs(self, kind: str, ids: Sequence[str]) -> dict[str, Life]:
        """Entity id -> (epoch, persona id), for those that exist or were erased."""
        turn = self._lives.turn
        known, missing = self._lives.of(kind, ids)
        if missing:
            found = self._read_epochs(kind, missing)
            self._lives.keep(turn, kind, found)
            known |= found
        return known

    def _read_epochs(self, kind: str, ids: Sequence[str]) -> dict[str, Life]:
        table = self.registry.table_of(kind).name
        with translated("looking entities up"):
            cursor = self.cursor()
            found = self._matching(
                cursor, f"SELECT id, _epoch, persona_id FROM state.{table}", "id", ids
            )
            lives = {str(i): (e, str(p) if p else None) for i, e, p in found}
            if kind == "persona" and self._has_erased:
                gone = self._matching(
                    cursor, "SELECT persona_id FROM state._erased", "persona_id", ids
                )
                lives.update({str(p): (ERASED_EPOCH, str(p)) for (p,) in gone})
        return lives

    @staticmethod
    def _matching(
        cursor: duckdb.DuckDBPyConnection, select: str, column: str, ids: Sequence[str]
    ) -> list[tuple[Any, ...]]:
        if len(ids) <= FEW:
            wanted = ", ".join(quote(i) for i in ids)
            return cursor.execute(f"{select} WHERE {column} IN ({wanted})").fetchall()
        # One text: for a list, DuckDB looks for pandas once an element, a hundred times slower.
        sql = f"{select} WHERE {column} IN (SELECT unnest(string_split($ids, ','))::UUID)"
        return cursor.execute(sql, {"ids": ",".join(ids)}).fetchall()

    def taken(self, table: str, column: str, values: Sequence[Any]) -> dict[Any, str]:
        """Value -> id of the living row that has it."""
        with translated("checking uniqueness"):
            rows = self.cursor().execute(
                f'SELECT "{column}", id FROM main."{table}" WHERE list_contains($v, "{column}")',
                {"v": list(values)},
            )
            return {value: str(entity_id) for value, entity_id in rows.fetchall()}

    def mark_sealed(self, sealed: str, mark: int) -> None:
        """Read events up to ``mark`` from the lake and forget them here.

        Args:
            sealed: SELECT of the lake's events up to the mark.
            mark: the last sealed event.
        """
        with self.lock, translated("switching to the sealed log"):
            if mark <= self.mark and self._sealed is not None and sealed == self._sealed:
                return
            self._sealed, self.mark = sealed, mark
            with transaction(self.cursor()):
                self.cursor().execute(f"DELETE FROM log.tail WHERE seq <= {mark}")
                self._define_events()

    @property
    def erasing_names(self) -> tuple[str, ...]:
        """Wire names of the events that erase."""
        return tuple(sorted(self._erasing))

    def unsealed(self) -> tuple[int, int, int]:
        """Events that only the journal has: how many, bytes of content, microseconds of the oldest."""
        with translated("measuring the journal's part"):
            row = (
                self.cursor()
                .execute(
                    "SELECT count(*), coalesce(sum(strlen(args)), 0), coalesce(min(epoch_us("
                    f"uuid_extract_timestamp(id))), 0) FROM log.tail WHERE seq > {self.mark}"
                )
                .fetchone()
            )
        return (int(row[0]), int(row[1]), int(row[2])) if row else (0, 0, 0)

    def erased_in_lake_missing(self, lake: Lake) -> list[str]:
        """Erased personas of whom the lake still has events."""
        if not self._has_erased or not lake.attach():
            return []
        names = ", ".join(map(quote, self.erasing_names))
        with translated("looking for erased personas"):
            rows = self.cursor().execute(
                f"SELECT DISTINCT persona_id FROM ({lake.events_sql(lake.mark())})"
                " WHERE persona_id IN (SELECT persona_id FROM state._erased)"
                f" AND name NOT IN ({names})"
            )
            return [str(p) for (p,) in rows.fetchall()]

    def _define_events(self) -> None:
        cursor = self.cursor()
        tail = f"SELECT {EVENT_NAMES} FROM memory.log.tail WHERE seq > {self.mark}"
        if self._sealed is not None:
            tail = f"SELECT {EVENT_NAMES} FROM ({self._sealed}) UNION ALL {tail}"
        cursor.execute(f"CREATE OR REPLACE VIEW log.history AS {tail}")
        cursor.execute(
            "CREATE OR REPLACE VIEW main.events AS SELECT seq, id, name, entity_id, persona_id, shard,"
            " epoch, occurred_at, uuid_extract_timestamp(id) AT TIME ZONE 'UTC' AS committed_at,"
            " origin, origin_seq, actor, cause, args::JSON AS args FROM memory.log.history"
        )

    def quarantined(self) -> int:
        """Events that an upcaster could not read; they are kept, and tried again by a rebuild."""
        row = self.cursor().execute("SELECT count(*) FROM log.quarantine").fetchone()
        return int(row[0]) if row else 0

    def memory_bytes(self) -> int:
        """What DuckDB holds in memory."""
        row = (
            self.cursor().execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchone()
        )
        return int(row[0]) if row else 0

    def unknown(self) -> dict[str, int]:
        """Wire names that nobody declares -> how many such events the log has.

        Events are only added, so those counted before are not counted again; where a persona was
        erased, events went too, and all are counted each time.
        """
        known = frozenset((*self.registry.events, *self.registry.upcasters, ""))
        with self.lock, translated("counting unknown events"):
            if self._has_erased or self._unknown.known != known:
                self._unknown = Unknown(known)
            held = self._unknown
            if held.position < self.position:
                source = "log.tail" if held.position >= self.mark else "log.history"
                rows = self.cursor().execute(
                    f"SELECT name, count(*) FROM {source} WHERE seq > {held.position} AND"
                    f" seq <= {self.position} AND name NOT IN ({', '.join(map(quote, known))})"
                    " GROUP BY name"
                )
                held.counts.update(dict(rows.fetchall()))
                held.position = self.position
            return dict(held.counts)


class Unknown:
    """What was counted of events that nobody declares.

    Args:
        known: the wire names that are declared.

    Attributes:
        position: up to where.
        counts: by wire name.
    """

    def __init__(self, known: frozenset[str] = frozenset()) -> None:
        self.known = known
        self.position = 0
        self.counts: Counter[str] = Counter()
