"""Folding the whole log: tables that few events feed share one copy of those events."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Final, Self

import duckdb

from pjais_lab.core.registry import Registry
from pjais_lab.storage._upcasting import Upcasting
from pjais_lab.storage.duck import quote
from pjais_lab.storage.fold import FoldPlan

__all__ = ["WholeLog", "merge_into", "partials"]

_SMALL_LOG: Final = 50_000
_SMALL_PART: Final = 4
"""A table that less than this part of the log feeds is folded from a copy."""
_COPY: Final = "temp.staged_events"


class WholeLog:
    """The log, or its beginning, as the source of folds. Use it under the state's lock.

    Args:
        cursor: where the log can be read.
        source: a parenthesised SELECT of events.
        registry: the declarations.
        plans: the tables that will be folded.
        has_erased: whether personas were erased.
    """

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        source: str,
        registry: Registry,
        plans: Iterable[FoldPlan],
        *,
        has_erased: bool,
    ) -> None:
        self._cursor = cursor
        self._source = source
        self._registry = registry
        self._upcasting = Upcasting(registry)
        self._has_erased = has_erased
        rows = cursor.execute(f"SELECT name, count(*) FROM {source} GROUP BY name").fetchall()
        self._counts: dict[str, int] = dict(rows)
        self._total = sum(self._counts.values())
        self._small = {n for p in plans if self._is_small(p) for n in self._names(p)}
        self._is_copied = False

    def fold_into(self, plan: FoldPlan, target: str) -> None:
        """Replace a table by the fold of the log, in the transaction that is open."""
        cursor, names = self._cursor, self._names(plan)
        cursor.execute(plan.ddl_sql(f"{target}__new"))
        if names:
            source = self._upcasting.widen(cursor, self._source_of(plan), names, None)
            newest = {self._registry.newest(n) for n in names}
            fold = partials(cursor, plan, source, newest, has_erased=self._has_erased)
            cursor.execute(f"INSERT INTO {target}__new BY NAME {fold}")
        cursor.execute(f"DROP TABLE IF EXISTS {target}")
        cursor.execute(f'ALTER TABLE {target}__new RENAME TO "{plan.table}"')

    def _source_of(self, plan: FoldPlan) -> str:
        if not self._is_small(plan):
            return self._source
        if not self._is_copied:
            wanted = ", ".join(map(quote, sorted(self._small))) or "NULL"
            self._cursor.execute(
                f"CREATE TEMP TABLE {_COPY} AS SELECT * FROM {self._source} s"
                f" WHERE name IN ({wanted})"
            )
            self._is_copied = True
        return f"(SELECT * FROM {_COPY})"

    def _names(self, plan: FoldPlan) -> set[str]:
        table = self._registry.tables[plan.table]
        return (set(plan.names) | set(self._registry.old_names_for(table))) & set(self._counts)

    def _is_small(self, plan: FoldPlan) -> bool:
        count = sum(self._counts[n] for n in self._names(plan))
        return self._total > _SMALL_LOG and count * _SMALL_PART < self._total

    def __enter__(self) -> Self:
        """The log itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Forget the copy."""
        if self._is_copied:
            self._cursor.execute(f"DROP TABLE IF EXISTS {_COPY}")


def partials(
    cursor: duckdb.DuckDBPyConnection,
    plan: FoldPlan,
    source: str,
    names: set[str],
    *,
    has_erased: bool,
) -> str:
    """The SELECT of a table's partials over a relation of events.

    Args:
        cursor: where the relation can be read.
        plan: the table, compiled.
        source: a parenthesised SELECT of events.
        names: the newest wire names that occur in it.
        has_erased: whether personas were erased, whose events are to be left out.
    """
    wide = ", ".join(map(quote, sorted(plan.wide & names))) or "NULL"
    row = cursor.execute(
        "SELECT count(entity_id) = count(DISTINCT entity_id)"
        f" FROM {source} s WHERE name IN ({wide})"
    ).fetchone()
    return plan.fold_sql(source, names, is_single=bool(row and row[0]), has_erased=has_erased)


def merge_into(  # noqa: PLR0917 - nothing of this has a default
    cursor: duckdb.DuckDBPyConnection,
    plan: FoldPlan,
    fold: str,
    target: str,
    source: str,
    names: set[str],
) -> None:
    """Merge partials into a state table.

    Rows of entities that are not there yet are only inserted: a MERGE takes three times as long.

    Args:
        cursor: in a transaction.
        plan: the table, compiled.
        fold: the SELECT of partials, as ``partials`` gives it.
        target: the state table.
        source: the relation of events the partials are of.
        names: the newest wire names that occur in it.
    """
    wanted = ", ".join(map(quote, sorted(plan.names & names)))
    known = cursor.execute(
        f"SELECT 1 FROM {target} t SEMI JOIN (SELECT entity_id FROM {source} s"
        f" WHERE name IN ({wanted})) e ON t.id = e.entity_id LIMIT 1"
    ).fetchone()
    if known is None:
        cursor.execute(f"INSERT INTO {target} BY NAME {fold}")
    else:
        cursor.execute(plan.merge_sql(fold, target))
