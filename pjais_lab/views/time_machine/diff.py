"""What differs between two moments: rows added, removed and changed, column by column."""

# ruff: noqa: S608 - names of tables are quoted, all else is numbers and literals of our own

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import polars as pl

from pjais_lab.core.predicate import Interval
from pjais_lab.storage._typemap import identifier
from pjais_lab.storage.duck import quote
from pjais_lab.storage.past import Past
from pjais_lab.views._moments import Moment
from pjais_lab.views.time_machine.folds import Folds, Part
from pjais_lab.views.time_machine.labels import label_sql, words_sql

__all__ = ["CHANGES", "Diff"]

CHANGES: Final = ("added", "removed", "changed")
_CUT: Final = 500


class Diff:
    """The difference between two moments of one log; only what has events between them is folded.

    Args:
        folds: where to fold.
        earlier: the first moment.
        later: the other.
        tables: the lab's tables.
        position: the log's last event.

    Attributes:
        earlier: the first moment.
        later: the other.
        between: the events between, as SQL over ``events``.
    """

    def __init__(
        self,
        folds: Folds,
        earlier: Moment,
        later: Moment,
        tables: Sequence[str],
        position: int,
    ) -> None:
        self.earlier, self.later = earlier, later
        self.between = f"({later.condition} AND NOT {earlier.condition} AND seq <= {position})"
        touched = f"entity_id IN (SELECT entity_id FROM memory.log.history WHERE {self.between})"
        self._folds, self._tables = folds, tuple(tables)
        self._parts = [
            Part(f"({m.condition} AND seq <= {position} AND {touched})", self._tables, position)
            for m in (earlier, later)
        ]

    @property
    def events(self) -> Interval:
        """The events between, as a predicate."""
        return self.earlier.until(self.later)

    def counts(self, slot: str = "") -> pl.DataFrame:
        """Rows added, removed and changed of each table that differs.

        Args:
            slot: as for ``Folds.of``.
        """
        counted = ", ".join(f"count(*) FILTER (change = '{c}') AS {c}" for c in CHANGES)

        def sql(old: str, new: Past) -> str:
            return "\nUNION ALL ".join(
                f'SELECT {quote(t)} AS "table", {counted} FROM ({_pairs(t, old, _columns(new, t))})'
                for t in self._tables
            )

        return self._ask(sql, slot).filter(pl.sum_horizontal(CHANGES) > 0)

    def rows(
        self, table: str, start: int = 0, count: int | None = None, slot: str = ""
    ) -> pl.DataFrame:
        """One row for each changed column; then the rows removed and added, each as JSON.

        Beside the id stands what a person recognises the entity by; see ``labels``.

        Args:
            table: of which table.
            start: how many to leave out.
            count: how many at most; all of them if None, and with their whole values.
            slot: as for ``Folds.of``.
        """
        limit, cut = ("", "") if count is None else (f" LIMIT {count} OFFSET {start}", f"[:{_CUT}]")
        order = "ORDER BY change = 'added', change = 'removed', entity_id, place"

        def sql(old: str, new: Past) -> str:
            changes = f"SELECT * FROM ({_changes(table, old, _columns(new, table))})"
            some = f"{changes} {order}{limit}" if limit else changes  # only these are worded
            return (
                f"SELECT entity_id, {label_sql('words')} AS label, change,"
                f' "column", old{cut} AS old, new{cut} AS new FROM ({some}) {order}'
            )

        return self._ask(sql, slot)

    def size(self, table: str, slot: str = "") -> int:
        """How many rows ``rows`` has.

        Args:
            table: of which table.
            slot: as for ``Folds.of``.
        """

        def sql(old: str, new: Past) -> str:
            return f"SELECT count(*) FROM ({_changes(table, old, _columns(new, table))})"

        return int(self._ask(sql, slot).item())

    def _ask(self, sql: Callable[[str, Past], str], slot: str) -> pl.DataFrame:
        """Ask the later moment; ``sql`` gets the name of the earlier one's database."""
        before, after = self._parts
        with self._folds.of(before, slot) as old, self._folds.of(after, slot) as new:
            name = str(old.query("SELECT current_database()").item())
            return new.query(sql(name, new))


def _columns(past: Past, table: str) -> dict[str, str]:
    """The columns that may differ, each with its type."""
    found = past.query(f"DESCRIBE SELECT * EXCLUDE (id, shard) FROM {identifier(table)}")
    return dict(zip(found["column_name"], found["column_type"], strict=True))


def _pairs(table: str, other: str, columns: Mapping[str, str]) -> str:
    """Rows of both moments side by side, with what became of them."""
    differs = " OR ".join(f"a.{identifier(c)} IS DISTINCT FROM b.{identifier(c)}" for c in columns)
    return (
        "SELECT CASE WHEN a.id IS NULL THEN 'added' WHEN b.id IS NULL THEN 'removed'"
        f" WHEN {differs} THEN 'changed' END AS change"
        f" FROM {other}.main.{identifier(table)} a FULL JOIN {identifier(table)} b ON a.id = b.id"
    )


def _changes(table: str, other: str, columns: Mapping[str, str]) -> str:
    both = f"{other}.main.{identifier(table)} a JOIN {identifier(table)} b ON a.id = b.id"
    cells = ", ".join(
        f"CASE WHEN a.{c} IS DISTINCT FROM b.{c} THEN"
        f" {{'place': {n}, 'column': {quote(name)}, 'old': a.{c}::VARCHAR, 'new': b.{c}::VARCHAR}}"
        " END"
        for n, (name, c) in enumerate((name, identifier(name)) for name in columns)
    )
    none = 'NULL::VARCHAR AS "column"'
    row, words = "to_json(r)::VARCHAR", words_sql(columns, "r")
    one, two = f"{other}.main.{identifier(table)}", identifier(table)
    return (
        f"SELECT id AS entity_id, words, 'changed' AS change, c.place, c.\"column\", c.old, c.new"
        f" FROM (SELECT a.id AS id, {words_sql(columns, 'b', 'a')} AS words, unnest([{cells}]) AS c"
        f" FROM {both}) WHERE c IS NOT NULL"
        f" UNION ALL SELECT id, {words}, 'removed', -1, {none}, {row}, NULL FROM {one} r"
        f" ANTI JOIN {two} USING (id) UNION ALL SELECT id, {words}, 'added', -1, {none}, NULL, {row}"
        f" FROM {two} r ANTI JOIN {one} USING (id)"
    )
