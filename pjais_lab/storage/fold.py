"""The compiler from a table's declaration to DuckDB SQL: one declaration, four uses.

``fold`` turns any relation of events into one partial row per entity; ``merge`` folds new events
and merges the partials into the state table; a rebuild is the fold of everything; a past moment is
the fold of a part. The SQL is made for the events that occur in the relation, so that a fold pays
for no others.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from pjais_lab.core.merge import LastMap, LastSet, Merge, Union
from pjais_lab.core.registry import Registry
from pjais_lab.core.table import Table
from pjais_lab.storage._columns import (
    ColumnSql,
    column_sql,
    element_type,
    literal,
    quoted,
)
from pjais_lab.storage._orderkeys import BASE, LATER, OrderKeys, order_keys

__all__ = ["FoldPlan", "compile_table"]

_HEAD: Final = {"id": "UUID", "persona_id": "UUID", "shard": "USMALLINT", "_epoch": "INTEGER"}
_LIVING: Final = "_epoch % 2 = 1"
_PLAIN: Final = frozenset({"DOUBLE", "BIGINT", "INTEGER", "BOOLEAN", "JSON"})
_ALIVE: Final = (
    " AND (e.persona_id IS NULL OR e.persona_id NOT IN (SELECT persona_id FROM state._erased))"
)


class FoldPlan(msgspec.Struct, frozen=True):
    """A table, compiled.

    Attributes:
        table: its SQL name.
        digest: of the declaration.
        columns: physical column -> DuckDB type.
        names: wire names of the events that move it.
        wide: those that feed most columns.
        keys: the order keys of its columns.
        combine: column -> the partial of state row ``t`` and new partial ``s``.
        view: SELECT of the public rows of ``{target}``.
        declared: the declaration.
    """

    table: str
    digest: str
    columns: dict[str, str]
    names: frozenset[str]
    wide: frozenset[str]
    keys: OrderKeys
    combine: dict[str, str]
    view: str
    declared: Table
    made: dict[tuple[frozenset[str], bool, bool], str]

    def fold_sql(
        self, source: str, names: Collection[str], *, is_single: bool, has_erased: bool
    ) -> str:
        """The SELECT of partials over a relation of events.

        Args:
            source: a parenthesised SELECT of events.
            names: newest wire names, at least those that occur in it.
            is_single: no entity has two wide events in it.
            has_erased: whether personas were erased, whose events are to be left out.
        """
        wanted = self.names & set(names)
        key = wanted, is_single, has_erased
        if key not in self.made:
            fold = _Fold(self, self.declared, wanted)
            self.made[key] = fold.sql(is_single=is_single, has_erased=has_erased)
        return self.made[key].replace("{source}", source)

    def merge_sql(self, fold: str, target: str) -> str:
        """The MERGE of partials into a state table."""
        replace = ", ".join(f"{quoted(c)} = s.{quoted(c)}" for c in self.columns if c != "id")
        update = ", ".join(f"{quoted(c)} = {sql}" for c, sql in self.combine.items())
        return (
            f"MERGE INTO {target} AS t USING ({fold}) AS s ON t.id = s.id"
            f" WHEN MATCHED AND s._epoch > t._epoch THEN UPDATE SET {replace}"
            f" WHEN MATCHED AND s._epoch = t._epoch THEN UPDATE SET {update}"
            " WHEN NOT MATCHED THEN INSERT BY NAME"
        )

    def ddl_sql(self, target: str) -> str:
        """The CREATE TABLE."""
        columns = ", ".join(f"{quoted(c)} {t}" for c, t in self.columns.items())
        return f"CREATE TABLE {target} ({columns})"

    def view_sql(self, target: str) -> str:
        """The SELECT of public rows."""
        return self.view.replace("{target}", target)

    def size_sql(self, target: str) -> str:
        """The SELECT of the table's name and how many public rows it has."""
        return f"SELECT '{self.table}' AS \"table\", count(*) AS rows FROM {target} WHERE {_LIVING}"


def compile_table(table: Table, registry: Registry) -> FoldPlan:
    """Compile a table.

    Args:
        table: the declaration.
        registry: the events it reads.

    Raises:
        DeclarationError: a merge does not fit its type.
    """
    keys = order_keys(table, registry)
    parts = _columns(table, keys, table.event_names())
    physical = _HEAD | keys.physical()
    combine = {"persona_id": "coalesce(t.persona_id, s.persona_id)", **keys.combined()}
    for part in parts.values():
        physical.update(part.physical)
        combine.update(part.combine)
    shown = ", ".join(f"{part.public} AS {quoted(name)}" for name, part in parts.items())
    return FoldPlan(
        table.name,
        registry.digest(table),
        physical,
        frozenset(registry.names_for(table)),
        _wide(table, registry.names_for(table)),
        keys,
        combine,
        f"SELECT id, persona_id, shard, {shown} FROM {{target}} WHERE {_LIVING}",
        table,
        {},
    )


def _columns(table: Table, keys: OrderKeys, names: Collection[str]) -> dict[str, ColumnSql]:
    wins = {c: keys.wins(g) for g in keys.groups for c in g.columns}
    return {c: column_sql(c, m, wins.get(c), names) for c, m in table.columns.items()}


class _Fold:
    """The fold of a relation in which certain events occur.

    Wide events feed most columns; as a rule one of them makes an entity, and then it is projected
    without aggregation. Narrow events are many and aggregated in the few columns they feed. The two
    are partials of one entity, so they merge.

    Args:
        plan: the table, compiled.
        table: its declaration.
        names: the events that occur.
    """

    def __init__(self, plan: FoldPlan, table: Table, names: frozenset[str]) -> None:
        self._plan = plan
        self._table = table
        self._keys = plan.keys
        self.wide = plan.wide & names
        self.narrow = names - self.wide

    def sql(self, *, is_single: bool, has_erased: bool) -> str:
        events = (
            "s AS NOT MATERIALIZED (SELECT e.* FROM {source} e WHERE e.name IN"
            f" ({_literals(self.wide | self.narrow)}) AND e.args IS NOT NULL"
            f" AND e.entity_id IS NOT NULL{_ALIVE if has_erased else ''})"
        )
        ctes = [events]
        if self.narrow or not self.wide:
            ctes += self._grouped("n", self.narrow, "")
        if self.wide and not is_single:
            ctes.append(
                "several AS MATERIALIZED (SELECT entity_id FROM s WHERE name IN"
                f" ({_literals(self.wide)}) GROUP BY entity_id HAVING count(*) > 1)"
            )
            ctes += self._grouped("w", self.wide, "SEMI JOIN several USING (entity_id)")
        return f"WITH {', '.join(ctes)} {self._result(is_single=is_single)}"

    def _result(self, *, is_single: bool) -> str:
        if not self.wide:
            return f"SELECT {self._picked(self.narrow)} FROM n g"
        wide = self._alone("" if is_single else "ANTI JOIN several USING (entity_id)")
        if not is_single:
            wide = f"{wide} UNION ALL BY NAME SELECT {self._picked(self.wide)} FROM w g"
        if not self.narrow:
            return wide
        if is_single and self._has_plain_keys():
            return self._joined_once(wide)
        n = f"SELECT {self._picked(self.narrow)} FROM n g"
        return f"SELECT {self._joined()} FROM ({wide}) AS t FULL JOIN ({n}) AS s ON t.id = s.id"

    def _has_plain_keys(self) -> bool:
        """Whether a wide event gives a row its base and no other key that narrow ones change."""
        keys, wide = self._keys, self.wide
        outside = [g for g in keys.lasts if g.number not in keys.base]
        is_plain = wide <= keys.full and not any(g.writers(wide) for g in outside)
        return is_plain and not any(g.writers(self.narrow) for g in keys.firsts)

    def _joined_once(self, wide: str) -> str:
        """One wide event an entity, which wrote every base group: narrow rows are laid over it."""
        keys, narrow = self._keys, self.narrow
        groups = {c: g for g in keys.lasts if g.writers(narrow) for c in g.columns}
        fed, fed_wide = self._fed(narrow), self._fed(self.wide)
        cells = ["t.id AS id", "t.persona_id", "t.shard", "t._epoch"]
        for column in self._plan.columns:
            c = quoted(column)
            if column in _HEAD:
                continue
            if column == LATER:
                cells.append(f"{keys.later_over(narrow)} AS {LATER}")
            elif column in groups:
                cells.append(f"{keys.over(groups[column], column)} AS {c}")
            elif column in fed and (column not in fed_wide or column == BASE):
                is_base = column == BASE
                cells.append(f"{f'greatest(t.{BASE}, s.{BASE})' if is_base else f's.{c}'} AS {c}")
            else:
                both = column in fed
                cells.append(f"{self._plan.combine[column] if both else f't.{c}'} AS {c}")
        lone = f"(SELECT entity_id AS id, epoch FROM s WHERE name IN ({_literals(self.wide)})) w"
        return (
            f"SELECT {', '.join(cells)} FROM ({wide}) AS t LEFT JOIN n AS s"
            " ON t.id = s.id AND t._epoch <= s._epoch"
            " WHERE s._epoch IS NULL OR s._epoch = t._epoch"
            f" UNION ALL SELECT {self._picked(narrow)} FROM n g ANTI JOIN {lone}"
            " ON w.id = g.id AND w.epoch >= g._epoch"
        )

    def _joined(self) -> str:
        """Each column of the wide partial ``t`` and the narrow partial ``s`` together."""
        fed = self._fed(self.narrow)
        cells = [
            "coalesce(t.id, s.id) AS id",
            "coalesce(t.persona_id, s.persona_id) AS persona_id",
            "coalesce(t.shard, s.shard) AS shard",
            "greatest(t._epoch, s._epoch) AS _epoch",
        ]
        for column in self._plan.columns:
            c = quoted(column)
            if column in _HEAD:
                continue
            if column in fed:
                cells.append(
                    f"CASE WHEN s.id IS NULL OR s._epoch < t._epoch THEN t.{c} WHEN t.id IS NULL"
                    f" OR s._epoch > t._epoch THEN s.{c} ELSE {self._plan.combine[column]} END AS {c}"
                )
            else:
                cells.append(f"CASE WHEN s._epoch > t._epoch THEN NULL ELSE t.{c} END AS {c}")
        return ", ".join(cells)

    def _alone(self, join: str) -> str:
        """The partials of entities with one wide event: no aggregation."""
        names, keys = self.wide, self._keys
        row: dict[str, str] = {}
        single: dict[str, str] = {}
        if keys.lasts:
            row |= {BASE: keys.base_of(names), LATER: keys.later_of(names)}
        for group in keys.firsts:
            row[group.key] = _case(group.when(names), "e.id")
        single |= {column: f"r.{quoted(column)}" for column in row}
        for part in self._parts(names).values():
            row |= part.project
            single |= part.single
        head = "r._id AS id, r._persona AS persona_id, r._shard AS shard, r._e AS _epoch"
        cells = "".join(f", {single[c]} AS {quoted(c)}" for c in self._plan.columns if c in single)
        return f"SELECT {head}{cells} FROM ({self._rows(names, row, join)}) r"

    def _grouped(self, name: str, names: frozenset[str], join: str) -> list[str]:
        """CTEs that end in one aggregated row an entity, of its newest epoch."""
        keys = self._keys
        row: dict[str, str] = {"_full": keys.base_of(names)}
        made = [f"max(r._full) AS {BASE}"]
        for group in keys.groups:
            if not group.writers(names):
                continue
            k = quoted(group.key)
            fields = ", ".join(f"{quoted(c)} := r.{quoted(c)}" for c in group.columns)
            row[group.key] = _case(group.when(names), "e.id")
            made += [
                f"{group.pick}(r.{k}) AS {k}",
                f"arg_{group.pick}(struct_pack({fields}), r.{k}) AS {group.packed}",
            ]
        fed = self._fed(names)
        for column, part in self._parts(names).items():
            if column in fed:
                row |= part.project
                made += [f"{sql} AS {quoted(c)}" for c, sql in part.aggregate.items()]
        head = "r._id AS id, max(r._persona) AS persona_id, max(r._shard) AS shard, r._e AS _epoch"
        everyone = (
            f"{name}_all AS MATERIALIZED (SELECT {head}, {', '.join(made)}"
            f" FROM ({self._rows(names, row, join)}) r GROUP BY r._id, r._e)"
        )
        newest = (
            f"{name}_top AS (SELECT id, max(_epoch) AS newest FROM {name}_all GROUP BY id"
            " HAVING count(*) > 1)"
        )
        kept = (
            f"{name} AS (SELECT g.* FROM {name}_all g LEFT JOIN {name}_top AS top"
            " ON g.id = top.id WHERE top.newest IS NULL OR top.newest = g._epoch)"
        )
        return [everyone, newest, kept]

    def _picked(self, names: frozenset[str]) -> str:
        """The physical columns of an aggregated row ``g``; null where nothing fed them."""
        keys, fed = self._keys, self._fed(names)
        packed = {c: g.packed for g in keys.groups for c in g.columns}
        cells: list[str] = []
        for column, kind in self._plan.columns.items():
            c = quoted(column)
            if column in _HEAD:
                cells.append(f"g.{c}")
            elif column not in fed:
                cells.append(f"NULL::{kind} AS {c}")
            elif column == LATER:
                cells.append(f"{keys.later_of_group(names)} AS {LATER}")
            else:
                cells.append(f"g.{packed[column]}.{c} AS {c}" if column in packed else f"g.{c}")
        return ", ".join(cells)

    def _fed(self, names: frozenset[str]) -> frozenset[str]:
        """Physical columns that some events write."""
        keys = self._keys
        fed = {c for c, m in self._table.columns.items() if any(_feeds(m, n) for n in names)}
        fed |= {g.key for g in keys.firsts if g.writers(names)}
        if any(g.writers(names) for g in keys.lasts):
            fed |= {BASE, LATER}
        return frozenset(fed)

    def _parts(self, names: Collection[str]) -> dict[str, ColumnSql]:
        return _columns(self._table, self._keys, names)

    def _rows(self, names: frozenset[str], row: Mapping[str, str], join: str) -> str:
        """Projected events."""
        layout = json.dumps(_layout(self._table, names))
        parsed = "NULL" if layout == "{}" else f"json_transform(s.args, {literal(layout)})"
        head = "e.entity_id AS _id, e.persona_id AS _persona, e.shard AS _shard, e.epoch AS _e"
        cells = "".join(f", {sql} AS {quoted(c)}" for c, sql in row.items())
        return (
            f"SELECT {head}{cells} FROM (SELECT s.*, {parsed} AS j FROM s {join}"
            f" WHERE s.name IN ({_literals(names)})) e"
        )


def _wide(table: Table, names: Collection[str]) -> frozenset[str]:
    """The events that feed more than half of the columns."""
    merges = table.columns.values()
    fed = {n: sum(_feeds(m, n) for m in merges) for n in names}
    return frozenset(n for n in names if fed[n] * 2 > len(table.columns))


def _feeds(merge: Merge, name: str) -> bool:
    return any(s.event == name for s in merge.all_sources())


def _literals(names: Collection[str]) -> str:
    return ", ".join(map(literal, sorted(names))) or "NULL"


def _case(when: str, then: str) -> str:
    return f"CASE WHEN {when} THEN {then} END" if when else f"NULLIF({then}, {then})"


def _layout(table: Table, names: Collection[str]) -> dict[str, object]:
    """Content field -> the type it is read as; text where a cast does the rest."""
    layout: dict[str, object] = {}
    for merge in table.columns.values():
        for source in merge.all_sources():
            field = source.field
            if field is None or field.startswith("$") or isinstance(merge, LastMap):
                continue
            if source.event not in names:
                continue
            kind: object = merge.type if merge.type in _PLAIN else "VARCHAR"
            if source.is_list:
                kind = [element_type(merge)] if isinstance(merge, (Union, LastSet)) else "JSON"
            if layout.get(field, kind) != kind:
                kind = "VARCHAR"
            layout[field] = kind
    return layout
