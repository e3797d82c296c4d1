"""The short path of a commit of a few events: prepared statements, one row each."""

from __future__ import annotations

import threading

import duckdb

from pjais_lab.core.event import Record
from pjais_lab.core.shard import HashRouter
from pjais_lab.storage._merge_sql import literal
from pjais_lab.storage.fold import FoldPlan

__all__ = ["SinglePath"]


class SinglePath:
    """Merges one event at a time into a state table; gives what the set-based merge gives.

    Args:
        router: gives a persona's shard.
    """

    def __init__(self, router: HashRouter) -> None:
        self._router = router
        self._local = threading.local()

    def forget(self) -> None:
        """Prepare everything anew: a table's columns have changed."""
        self._local = threading.local()

    def apply(self, cursor: duckdb.DuckDBPyConnection, plan: FoldPlan, r: Record, *, is_new: bool) -> None:
        """Merge an event into the table it moves.

        Args:
            cursor: the calling thread's, in a transaction.
            plan: the table.
            r: an event that moves it, about an entity.
            is_new: the entity is expected not to have a row of this epoch.
        """
        values = self._values(r)
        if is_new or not self._update(cursor, plan, r, values):
            self._enter(cursor, plan, r, values)

    def _enter(
        self, cursor: duckdb.DuckDBPyConnection, plan: FoldPlan, r: Record, values: str
    ) -> None:
        """The entity is new here, or begins another epoch, or this event is of a past one."""
        find = self._prepared(cursor, f"find {plan.table}", f"SELECT _epoch FROM state.{plan.table} WHERE id = $1")
        found = cursor.execute(f"EXECUTE {find}('{r.entity_id}')").fetchone()
        if found is not None and found[0] > r.epoch:
            return
        if found is not None and found[0] == r.epoch:
            self._update(cursor, plan, r, values)
            return
        if found is not None:
            cursor.execute(f"DELETE FROM state.{plan.table} WHERE id = '{r.entity_id}'")
        sql = plan.one_insert[r.name].replace("{target}", f"state.{plan.table}")
        insert = self._prepared(cursor, f"insert {plan.table} {r.name}", sql)
        cursor.execute(f"EXECUTE {insert}({values})")

    def _update(
        self, cursor: duckdb.DuckDBPyConnection, plan: FoldPlan, r: Record, values: str
    ) -> bool:
        sql = plan.one_update[r.name].replace("{target}", f"state.{plan.table}")
        update = self._prepared(cursor, f"update {plan.table} {r.name}", sql)
        done = cursor.execute(f"EXECUTE {update}({values})").fetchone()
        return bool(done and done[0])

    def _prepared(self, cursor: duckdb.DuckDBPyConnection, key: str, sql: str) -> str:
        names: dict[tuple[int, str], str] | None = getattr(self._local, "names", None)
        if names is None:
            names = self._local.names = {}
        name = names.get((id(cursor), key))
        if name is None:
            name = f"p{len(names)}_{id(names):x}"
            cursor.execute(f"PREPARE {name} AS {sql}")
            names[id(cursor), key] = name
        return name

    def _values(self, r: Record) -> str:
        shard = self._router.shard_of(r.persona_id)
        parts = (
            r.id, r.entity_id, r.persona_id, shard, r.epoch, r.occurred_at, r.actor, r.cause, r.args,
        )  # fmt: skip
        return ", ".join(map(literal, parts))
