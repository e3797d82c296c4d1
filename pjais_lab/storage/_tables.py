"""The declared tables of a state: made, rebuilt, compared, and folded for a past moment."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

import duckdb

from pjais_lab.core.registry import Registry
from pjais_lab.core.shard import HashRouter
from pjais_lab.storage._log import EVENT_NAMES, LogView
from pjais_lab.storage._upcasting import Upcasting
from pjais_lab.storage._whole import WholeLog
from pjais_lab.storage.changes import RebuildReport, RebuildReports
from pjais_lab.storage.duck import transaction, translated
from pjais_lab.storage.fold import FoldPlan, compile_table
from pjais_lab.storage.past import Past, Stop, fold_past, past_in

__all__ = ["StateTables"]


class StateTables(LogView):
    """Tables in schema ``state``, and views of them for users in ``main``.

    Args:
        con: an in-memory DuckDB, owned by this state.
        registry: the declarations.
        router: gives a persona's shard.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, registry: Registry, router: HashRouter
    ) -> None:
        super().__init__(con, registry, router)
        self._plans: dict[str, FoldPlan] = {}
        self._moves: dict[str, list[str]] = {}
        self._upcasting = Upcasting(registry)
        self._plan()

    @property
    def tables(self) -> Collection[str]:
        """The names that ``Changes`` speaks of."""
        return (*self._plans, "events")

    def plan(self, table: str) -> FoldPlan:
        """A table, compiled."""
        return self._plans[table]

    def rebuild(self, *tables: str, verify: bool = False) -> RebuildReports:
        """Recompute tables from the log, each into a shadow that is then swapped in.

        Args:
            tables: their names; all of them if none is given.
            verify: compare each with what was there before.

        Raises:
            StorageError: the log could not be read; the table is as before.
        """
        plans = [self._plans[t] for t in tables or self._plans]
        with self.lock, translated(f"rebuilding {', '.join(p.table for p in plans)}"):
            cursor = self.cursor()
            with self._whole(cursor, plans) as log:
                return RebuildReports(self._rebuild(cursor, log, p, verify=verify) for p in plans)

    def _rebuild(
        self, cursor: duckdb.DuckDBPyConnection, log: WholeLog, plan: FoldPlan, *, verify: bool
    ) -> RebuildReport:
        start = time.perf_counter()
        before = self.checksum(plan.table) if verify else None
        with transaction(cursor):
            log.fold_into(plan, f"state.{plan.table}")
        self._lives.forget()
        rows = cursor.execute(f"SELECT count(*) FROM state.{plan.table}").fetchone()
        same = None if before is None else self.checksum(plan.table) == before
        elapsed_s = time.perf_counter() - start
        return RebuildReport(plan.table, rows[0] if rows else 0, elapsed_s, same)

    def _whole(
        self, cursor: duckdb.DuckDBPyConnection, plans: Iterable[FoldPlan], where: str = "true"
    ) -> WholeLog:
        source = f"(SELECT {EVENT_NAMES} FROM log.history WHERE seq <= {self.position} AND {where})"
        return WholeLog(cursor, source, self.registry, plans, has_erased=self._has_erased)

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
    def past(
        self, condition: str, tables: Collection[str] | None = None, stop: Stop | None = None
    ) -> Iterator[Past]:
        """A second state folded from the events that meet an SQL condition over ``events``.

        Args:
            condition: which events.
            tables: which tables; all of them if None.
            stop: ends the folding from another thread.

        Raises:
            StorageError: the log could not be read.
            QueryError: the folding was ended.
        """
        cursor, stop = self._con.cursor(), stop or Stop()
        plans = [self._plans[t] for t in (self._plans if tables is None else tables)]
        try:
            with self.lock, translated("folding the past"):
                stop.watch(cursor)
                with self._whole(cursor, plans, condition) as log:
                    where = f"seq <= {self.position} AND {condition}"
                    name = fold_past(cursor, log, plans, where, stop)
        except BaseException:
            cursor.close()
            raise
        with past_in(cursor, name) as past:
            yield past

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
            self._lives.forget()
            if changed:
                self.rebuild(*changed)
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
        # To bind the public views only to count their rows takes longer than counting them.
        none = """SELECT NULL::VARCHAR AS "table", NULL::BIGINT AS rows WHERE false"""
        sizes = [none, *(p.size_sql(f"memory.state.{t}") for t, p in self._plans.items())]
        cursor.execute(f"CREATE OR REPLACE VIEW log.sizes AS {' UNION ALL '.join(sizes)}")
