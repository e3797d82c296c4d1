"""The state of one process: DuckDB tables that follow the log.

Everything here can be thrown away and rebuilt. One application of events is one DuckDB
transaction: the events enter ``log.tail``, each table they move is folded and merged, the position
advances; a reader sees all of it or nothing.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Final

import duckdb
import msgspec

from pjais_lab.core.event import Chunk, Record
from pjais_lab.core.registry import Registry
from pjais_lab.core.shard import HashRouter
from pjais_lab.storage._inserts import INSERT_FROM_ARROW, literal_row, to_arrow
from pjais_lab.storage._single import merge_one
from pjais_lab.storage._upcasting import Upcasting
from pjais_lab.storage.compiler import FoldPlan, compile_table
from pjais_lab.storage.duck import quote, transaction, translated
from pjais_lab.storage.reader import Reader, fetch, open_reader
from pjais_lab.storage.sqlparse import Analysis, analyse, guard

if TYPE_CHECKING:
    import polars as pl

    from pjais_lab.storage.lake import Lake

__all__ = ["EVENT_COLUMNS", "Changes", "Past", "RebuildReport", "State"]

EVENT_COLUMNS: Final = (
    "seq BIGINT, id UUID, name VARCHAR, entity_id UUID, persona_id UUID, shard USMALLINT,"
    " epoch INTEGER, occurred_at TIMESTAMP, origin VARCHAR, origin_seq BIGINT, actor VARCHAR,"
    " cause UUID, args VARCHAR"
)
_NAMES: Final = ", ".join(c.split()[0] for c in EVENT_COLUMNS.split(", "))
_FEW: Final = 4
_MANY_KEYS: Final = 1_000
ERASED_EPOCH: Final = 2_000_000_000
_PASTS: Final = itertools.count(1)

Keys = frozenset[tuple[str, str | None]] | None


class Changes(msgspec.Struct, frozen=True):
    """What one application of events touched.

    Attributes:
        position: of the state after it.
        tables: table -> (entity id, persona id) of the rows touched, or None when there are too
            many to tell; ``events`` stands for the log itself.
    """

    position: int
    tables: Mapping[str, Keys]


class RebuildReport(msgspec.Struct, frozen=True):
    """What rebuilding a table gave.

    Attributes:
        table: its name.
        rows: rows rebuilt, deleted entities among them.
        elapsed_s: seconds it took.
        is_same: whether the rows equal those from before; None when that was not asked.
    """

    table: str
    rows: int
    elapsed_s: float
    is_same: bool | None = None


class Past:
    """A state of the past, for questions.

    Args:
        cursor: whose unqualified names mean that state.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        self._lock = threading.Lock()

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """Answer a user's question.

        Raises:
            QueryError: the SQL is wrong, or would write.
        """
        with self._lock:
            return fetch(self._cursor, guard(self._cursor, sql), params)


class State:
    """Tables in schema ``state``, recent events in ``log.tail``, views for users in ``main``.

    Args:
        con: an in-memory DuckDB, owned by this state.
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
        self._plans: dict[str, FoldPlan] = {}
        self._moves: dict[str, list[str]] = {}
        self._erasing: set[str] = set()
        self._local = threading.local()
        con.execute("CREATE SCHEMA state")
        con.execute("CREATE SCHEMA log")
        con.execute(f"CREATE TABLE log.tail ({EVENT_COLUMNS})")
        con.execute(f"CREATE TABLE log.upcasted ({EVENT_COLUMNS})")
        con.execute(
            "CREATE TABLE log.quarantine (seq BIGINT, id UUID, name VARCHAR, reason VARCHAR)"
        )
        con.execute("CREATE TABLE state._erased (persona_id UUID)")
        self._upcasting = Upcasting(registry)
        self._has_erased = False
        self._plan()
        self._define_events()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for the calling thread; the same one each time."""
        found: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if found is None:
            found = self._local.cursor = self._con.cursor()
        return found

    @property
    def tables(self) -> Collection[str]:
        """The names that ``Changes`` speaks of."""
        return (*self._plans, "events")

    def plan(self, table: str) -> FoldPlan:
        """A table, compiled."""
        return self._plans[table]

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

    # ------------------------------------------------------------------ applying events

    def ingest(self, chunks: Sequence[Chunk]) -> Changes:
        """Apply commits that follow the position, in one transaction.

        Raises:
            StorageError: DuckDB refused; the state is as before.
        """
        records = [r for c in chunks for r in c.records if r.seq > self.position]
        if not records:
            return Changes(self.position, {})
        with self.lock, translated("applying events"):
            cursor = self.cursor()
            with transaction(cursor):
                self._append(cursor, records)
                source = f"(SELECT {_NAMES} FROM log.tail WHERE seq > {self.position})"
                if self._is_simple(records):
                    self._apply_singly(cursor, records)
                else:
                    self._apply(cursor, source, {r.name for r in records}, self.position)
            self.position = records[-1].seq
        return self._changes(records)

    def _apply_singly(self, cursor: duckdb.DuckDBPyConnection, records: Sequence[Record]) -> None:
        for r in records:
            is_new = self.registry.event(r.name).__event__.effect in {"create", "delete"}
            for table in self._moves.get(r.name, ()):
                plan, declared = self._plans[table], self.registry.tables[table]
                merge_one(cursor, declared, plan, r, self.router, is_new=is_new)

    def _is_simple(self, records: Sequence[Record]) -> bool:
        """Few events of today's versions, about living personas."""
        if len(records) > _FEW:
            return False
        special = self._erasing | set(self.registry.upcasters)
        return not self._has_erased and all(
            r.args is not None and r.entity_id is not None and r.name not in special
            for r in records
        )

    def start(self, position: int, loaded: Collection[str], unsealed: Sequence[Chunk]) -> list[str]:
        """Take up the log at a position, after ``mark_sealed`` and a checkpoint.

        Args:
            position: the last event in the loaded tables; the mark when none was loaded.
            loaded: tables that a checkpoint has filled; the others are rebuilt.
            unsealed: the journal's commits after the mark.

        Returns:
            The tables that were rebuilt.
        """
        with self.lock:
            behind = [r for c in unsealed for r in c.records if self.mark < r.seq <= position]
            with translated("taking up the log"):
                cursor = self.cursor()
                if behind:
                    self._append(cursor, behind)
                self.position = position
                if "_erased" not in loaded and self._erasing:
                    self._erase(cursor, f"(SELECT {_NAMES} FROM log.history)", self._erasing)
                row = cursor.execute("SELECT count(*) FROM state._erased").fetchone()
                self._has_erased = bool(row and row[0])
            missing = [t for t in self._plans if t not in loaded] if position else []
            for table in missing:
                self.rebuild(table)
            return missing

    def ingest_sealed(self, through: int) -> Changes:
        """Apply events that only the lake still has, up to ``through``; see ``mark_sealed``."""
        with self.lock, translated("applying sealed events"):
            cursor = self.cursor()
            where = f"seq > {self.position} AND seq <= {through}"
            source = f"(SELECT {_NAMES} FROM log.history WHERE {where})"
            with transaction(cursor):
                names = {
                    r[0] for r in cursor.execute(f"SELECT DISTINCT name FROM {source}").fetchall()
                }
                self._apply(cursor, source, names, self.position)
            self.position = through
        return self.all_changed()

    def _append(self, cursor: duckdb.DuckDBPyConnection, records: Sequence[Record]) -> None:
        if len(records) <= _FEW:
            rows = ", ".join(literal_row(r, self.router) for r in records)
            cursor.execute(f"INSERT INTO log.tail VALUES {rows}")
            return
        cursor.register("_batch", to_arrow(records, self.router))
        try:
            cursor.execute(f"{INSERT_FROM_ARROW} _batch")
        finally:
            cursor.unregister("_batch")

    def _apply(
        self, cursor: duckdb.DuckDBPyConnection, source: str, names: set[str], after: int
    ) -> None:
        source = self._upcasting.widen(cursor, source, names, after)
        newest = {self.registry.newest(n) for n in names}
        erasing = newest & self._erasing
        if erasing:
            self._erase(cursor, source, erasing)
        moved = {t for n in newest for t in self._moves.get(n, ())}
        for table in self._plans:
            if table in moved:
                cursor.execute(self._plans[table].merge_sql(source, f"state.{table}"))

    def _erase(self, cursor: duckdb.DuckDBPyConnection, source: str, names: set[str]) -> None:
        self._has_erased = True
        wanted = ", ".join(map(quote, sorted(names)))
        cursor.execute(
            f"INSERT INTO state._erased SELECT DISTINCT persona_id FROM {source} s"
            f" WHERE name IN ({wanted}) AND persona_id NOT IN (SELECT persona_id FROM state._erased)"
        )
        gone = "persona_id IN (SELECT persona_id FROM state._erased)"
        for table in self._plans:
            cursor.execute(f"DELETE FROM state.{table} WHERE {gone}")
        for part in ("tail", "upcasted"):
            cursor.execute(
                f"UPDATE log.{part} SET args = NULL WHERE {gone} AND name NOT IN ({wanted})"
            )

    def _changes(self, records: Sequence[Record]) -> Changes:
        by_name: dict[str, set[tuple[str, str | None]]] = {}
        for r in records:
            by_name.setdefault(r.name, set()).add((r.entity_id or "", r.persona_id))
        tables: dict[str, set[tuple[str, str | None]]] = {"events": set()}
        for stored, keys in by_name.items():
            name = self.registry.newest(stored)
            if name in self._erasing:
                return self.all_changed()
            for table in ("events", *self._moves.get(name, ())):
                tables.setdefault(table, set()).update(keys)
        few = {t: frozenset(k) if len(k) <= _MANY_KEYS else None for t, k in tables.items()}
        return Changes(self.position, few)

    def all_changed(self) -> Changes:
        """Changes that make everything that reads the state look again."""
        return Changes(self.position, dict.fromkeys(self.tables))

    # ------------------------------------------------------------------ what admission asks

    def epochs(self, kind: str, ids: Sequence[str]) -> dict[str, tuple[int, str | None]]:
        """Entity id -> (epoch, persona id), for those that exist or were erased."""
        if not ids:
            return {}
        table = self.registry.table_of(kind).name
        with translated("looking entities up"):
            cursor = self.cursor()
            found = self._matching(
                cursor, f"SELECT id, _epoch, persona_id FROM state.{table}", "id", ids
            )
            lives = {str(i): (e, str(p) if p else None) for i, e, p in found}
            if kind == "persona":
                gone = self._matching(
                    cursor, "SELECT persona_id FROM state._erased", "persona_id", ids
                )
                lives.update({str(p): (ERASED_EPOCH, str(p)) for (p,) in gone})
        return lives

    @staticmethod
    def _matching(
        cursor: duckdb.DuckDBPyConnection, select: str, column: str, ids: Sequence[str]
    ) -> list[tuple[Any, ...]]:
        if len(ids) <= _FEW:
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

    # ------------------------------------------------------------------ rebuilding

    def rebuild(self, table: str, *, verify: bool = False) -> RebuildReport:
        """Recompute a table from the log into a shadow, then swap it in.

        Raises:
            StorageError: the log could not be read; the table is as before.
        """
        start = time.perf_counter()
        plan = self._plans[table]
        with self.lock, translated(f"rebuilding {table}"):
            cursor = self.cursor()
            before = self.checksum(table) if verify else None
            with transaction(cursor):
                self._fold_into(cursor, plan, f"state.{table}", self.position)
            rows = cursor.execute(f"SELECT count(*) FROM state.{table}").fetchone()
            same = None if before is None else self.checksum(table) == before
        return RebuildReport(table, rows[0] if rows else 0, time.perf_counter() - start, same)

    def _fold_into(
        self,
        cursor: duckdb.DuckDBPyConnection,
        plan: FoldPlan,
        target: str,
        through: int,
        where: str = "true",
    ) -> None:
        source = f"(SELECT {_NAMES} FROM log.history WHERE seq <= {through} AND {where})"
        names = set(plan.names) | set(self.registry.old_names_for(self.registry.tables[plan.table]))
        source = self._upcasting.widen(cursor, source, names, None)
        cursor.execute(plan.ddl_sql(f"{target}__new"))
        cursor.execute(f"INSERT INTO {target}__new BY NAME {plan.fold_sql(source)}")
        cursor.execute(f"DROP TABLE IF EXISTS {target}")
        cursor.execute(f'ALTER TABLE {target}__new RENAME TO "{plan.table}"')

    def checksum(self, table: str) -> str:
        """A digest of all rows, in whatever order they lie."""
        columns = ", ".join(f'"{c}"' for c in self._plans[table].columns)
        with translated("computing a checksum"):
            row = (
                self.cursor()
                .execute(
                    f"SELECT count(*), bit_xor(hash({columns})), sum(hash({columns})) FROM state.{table}"
                )
                .fetchone()
            )
        return " ".join(map(str, row or ()))

    @contextmanager
    def past(self, condition: str) -> Iterator[Past]:
        """A second state folded from the events that meet an SQL condition over ``events``.

        Raises:
            StorageError: the log could not be read.
        """
        cursor = self._con.cursor()
        name = f"past_{next(_PASTS)}"
        with self.lock, translated("folding the past"):
            cursor.execute(f"ATTACH ':memory:' AS {name}")
            cursor.execute(f"CREATE SCHEMA {name}.state")
            for table, plan in self._plans.items():
                target = f"{name}.state.{table}"
                with transaction(cursor):
                    self._fold_into(cursor, plan, target, self.position, condition)
                cursor.execute(f"CREATE VIEW {name}.main.{table} AS {plan.view_sql(target)}")
            cursor.execute(
                f"CREATE VIEW {name}.main.events AS SELECT * FROM memory.main.events"
                f" WHERE seq <= {self.position} AND {condition}"
            )
            cursor.execute(f"USE {name}")
        try:
            yield Past(cursor)
        finally:
            cursor.execute("USE memory")
            cursor.execute(f"DETACH {name}")
            cursor.close()

    # ------------------------------------------------------------------ declarations and the lake

    def declare(self, registry: Registry) -> list[str]:
        """Take new declarations; tables whose digest changed are rebuilt, the others stay.

        Returns:
            The names of the rebuilt tables.
        """
        with self.lock:
            old = {t: p.digest for t, p in self._plans.items()}
            self.registry = registry
            self._upcasting = Upcasting(registry)
            changed = [
                t.name for t in registry.tables.values() if old.get(t.name) != registry.digest(t)
            ]
            self._plan()
            for table in changed:
                self.rebuild(table)
            return changed

    def _plan(self) -> None:
        cursor = self.cursor()
        events = self.registry.events
        self._erasing = {n for n, e in events.items() if e.__event__.effect == "erase"}
        self._moves = {}
        for table in self.registry.tables.values():
            plan = compile_table(table, self.registry)
            known = self._plans.get(table.name)
            if known is None or known.columns != plan.columns:
                with translated(f"creating {table.name}"):
                    cursor.execute(f"DROP VIEW IF EXISTS main.{table.name}")
                    cursor.execute(f"DROP TABLE IF EXISTS state.{table.name}")
                    cursor.execute(plan.ddl_sql(f"state.{table.name}"))
            with translated(f"creating the view {table.name}"):
                view = plan.view_sql(f"memory.state.{table.name}")
                cursor.execute(f"CREATE OR REPLACE VIEW main.{table.name} AS {view}")
            self._plans[table.name] = plan
            for name in plan.names:
                self._moves.setdefault(name, []).append(table.name)

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
        tail = f"SELECT {_NAMES} FROM memory.log.tail WHERE seq > {self.mark}"
        if self._sealed is not None:
            tail = f"SELECT {_NAMES} FROM ({self._sealed}) UNION ALL {tail}"
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

    def unknown(self) -> dict[str, int]:
        """Wire names that nobody declares -> how many such events the log has."""
        known = ", ".join(map(quote, (*self.registry.events, *self.registry.upcasters, "")))
        with translated("counting unknown events"):
            rows = self.cursor().execute(
                f"SELECT name, count(*) FROM log.history WHERE name NOT IN ({known}) GROUP BY name"
            )
            return dict(rows.fetchall())
