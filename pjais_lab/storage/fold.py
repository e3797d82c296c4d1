"""The compiler from a table's declaration to DuckDB SQL: one declaration, four uses.

``fold`` turns any relation of events into one partial row per entity; ``merge`` folds new events
and merges the partials into the state table; a rebuild is the fold of everything; a past moment is
the fold of a part. Columns that the same events always write together share one order key.
"""

from __future__ import annotations

import json
import typing
from typing import Final

import msgspec

from pjais_lab.core.event import Event
from pjais_lab.core.merge import Last, LastMap, LastSet, Merge, Source, Union
from pjais_lab.core.registry import Registry
from pjais_lab.core.table import Table
from pjais_lab.storage._columns import (
    ColumnSql,
    column_sql,
    element_type,
    is_ordered,
    literal,
    quoted,
)

__all__ = ["FoldPlan", "compile_table"]

_HEAD = {"id": "UUID", "persona_id": "UUID", "shard": "USMALLINT", "_epoch": "INTEGER"}


class FoldPlan(msgspec.Struct, frozen=True):
    """A table, compiled.

    Attributes:
        table: its SQL name.
        digest: of the declaration.
        columns: physical column -> DuckDB type.
        names: wire names of the events that move it.
        ddl: creates the state table; ``{target}`` is its name.
        fold: one partial row per entity; ``{source}`` is a relation of events.
        merge: merges the partials of ``{source}`` into ``{target}``.
        view: the public rows of ``{target}``.
        keys: column -> the order-key column that serves it.
        combine: column -> the partial of state row ``t`` and new partial ``s``.
    """

    table: str
    digest: str
    columns: dict[str, str]
    names: tuple[str, ...]
    ddl: str
    fold: str
    merge: str
    view: str
    keys: dict[str, str]
    combine: dict[str, str]

    def fold_sql(self, source: str) -> str:
        """The SELECT of partials over a relation of events."""
        return self.fold.replace("{source}", source)

    def merge_sql(self, source: str, target: str) -> str:
        """The MERGE of a relation of events into a state table."""
        return self.merge.replace("{target}", target).replace("{source}", source)

    def ddl_sql(self, target: str) -> str:
        """The CREATE TABLE."""
        return self.ddl.replace("{target}", target)

    def view_sql(self, target: str) -> str:
        """The SELECT of public rows."""
        return self.view.replace("{target}", target)


def compile_table(table: Table, registry: Registry) -> FoldPlan:
    """Compile a table.

    Args:
        table: the declaration.
        registry: the events it reads.

    Raises:
        DeclarationError: a merge does not fit its type.
    """
    names = registry.names_for(table)
    groups = _order_keys(table, registry)
    keys = {column: key for key, columns in groups.items() for column in columns}
    columns = {c: column_sql(c, m, keys.get(c)) for c, m in table.columns.items()}
    physical = dict(_HEAD)
    for key in groups:
        physical[key] = "UUID"
    for part in columns.values():
        physical.update(part.physical)
    return FoldPlan(
        table.name,
        registry.digest(table),
        physical,
        names,
        "CREATE TABLE {target} ("
        + ", ".join(f"{quoted(c)} {t}" for c, t in physical.items())
        + ")",
        _fold(table, registry, names, groups, columns),
        _merge(table, names, groups, columns, registry),
        _view(columns),
        keys,
        _combine(table, groups, columns),
    )


def _order_keys(table: Table, registry: Registry) -> dict[str, list[str]]:
    """Order-key column -> the columns it serves."""
    by_signature: dict[object, list[str]] = {}
    for name, merge in table.columns.items():
        if not is_ordered(merge):
            continue
        always = all(not _may_lack(registry, s) for s in merge.sources)
        events = frozenset(s.event for s in merge.sources)
        signature = (type(merge), events) if always else name
        by_signature.setdefault(signature, []).append(name)
    return {f"_k{n}": columns for n, columns in enumerate(by_signature.values())}


def _may_lack(registry: Registry, source: Source) -> bool:
    """Whether an event of this kind can be without the field."""
    if source.field is None or source.field.startswith("$"):
        return False
    kind = _hints(registry.event(source.event)).get(source.field)
    return msgspec.UnsetType in typing.get_args(kind)


def _hints(event: type[Event]) -> dict[str, object]:
    return typing.get_type_hints(event)


def _present(table: Table, registry: Registry, columns: list[str]) -> str:
    """When an event writes these columns."""
    sources = table.columns[columns[0]].sources
    sure = [s.event for s in sources if not _may_lack(registry, s)]
    parts = [f"e.name IN ({', '.join(map(literal, sure))})"] if sure else []
    for source in sources:
        if _may_lack(registry, source):
            path = literal(f"$.{source.field}")
            parts.append(f"(e.name = {literal(source.event)} AND json_exists(e.args, {path}))")
    return " OR ".join(parts)


_FOLD: Final = """
WITH s AS (
  SELECT e.* FROM {{source}} e
  WHERE e.name IN ({wanted}) AND e.args IS NOT NULL AND e.entity_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM state._erased x WHERE x.persona_id = e.persona_id)
), several AS MATERIALIZED (
  SELECT entity_id FROM s GROUP BY entity_id HAVING count(*) > 1
), alone AS (
  SELECT {row} FROM (
    SELECT e.*, {parsed} AS j FROM s e
    WHERE NOT EXISTS (SELECT 1 FROM several x WHERE x.entity_id = e.entity_id)
  ) e
), shared AS (
  SELECT {row} FROM (
    SELECT e.*, {parsed} AS j FROM s e
    WHERE EXISTS (SELECT 1 FROM several x WHERE x.entity_id = e.entity_id)
  ) e
), g AS (
  SELECT r._id AS id, max(r._persona) AS persona_id, max(r._shard)::USMALLINT AS shard, r._e AS _epoch,
    {aggregated}
  FROM shared r GROUP BY r._id, r._e
), top AS (
  SELECT id, max(_epoch) AS newest FROM g GROUP BY id HAVING count(*) > 1
)
SELECT r._id AS id, r._persona AS persona_id, r._shard::USMALLINT AS shard, r._e AS _epoch,
  {single}
FROM alone r
UNION ALL BY NAME
SELECT g.id, g.persona_id, g.shard, g._epoch, {picked}
FROM g WHERE NOT EXISTS (SELECT 1 FROM top WHERE top.id = g.id AND top.newest > g._epoch)
"""
"""Entities with one event are projected, which is cheap; only the others are aggregated."""


def _fold(
    table: Table,
    registry: Registry,
    names: tuple[str, ...],
    groups: dict[str, list[str]],
    columns: dict[str, ColumnSql],
) -> str:
    row = ["e.entity_id AS _id", "e.persona_id AS _persona", "e.shard AS _shard", "e.epoch AS _e"]
    aggregated: list[str] = []
    single: list[str] = []
    picked: list[str] = []
    for key, served in groups.items():
        k, packed = quoted(key), quoted(f"_s{key}")
        pick = "max" if isinstance(table.columns[served[0]], Last) else "min"
        fields = ", ".join(f"{quoted(c)} := r.{quoted(c)}" for c in served)
        row.append(f"CASE WHEN {_present(table, registry, served)} THEN e.id END AS {k}")
        aggregated += [
            f"{pick}(r.{k}) AS {k}",
            f"arg_{pick}(struct_pack({fields}), r.{k}) AS {packed}",
        ]
        single.append(f"r.{k} AS {k}")
        picked += [f"g.{k}", *(f"g.{packed}.{quoted(c)} AS {quoted(c)}" for c in served)]
    for part in columns.values():
        row += _named(part.project)
        aggregated += _named(part.aggregate)
        single += _named(part.single)
        picked += [f"g.{quoted(c)}" for c in part.aggregate]
    layout = _layout(table)
    return _FOLD.format(
        wanted=", ".join(map(literal, names)),
        row=", ".join(row),
        parsed=f"json_transform(e.args, {literal(json.dumps(layout))})" if layout else "NULL",
        aggregated=", ".join(aggregated),
        single=", ".join(single),
        picked=", ".join(picked),
    ).replace("{{source}}", "{source}")


def _named(expressions: dict[str, str]) -> list[str]:
    return [f"{sql} AS {quoted(c)}" for c, sql in expressions.items()]


def _layout(table: Table) -> dict[str, object]:
    """Content field -> the type it is read as; text where a cast does the rest."""
    layout: dict[str, object] = {}
    for merge in table.columns.values():
        for source in merge.all_sources():
            if source.field is None or source.field.startswith("$") or isinstance(merge, LastMap):
                continue
            if source.is_list:
                layout[source.field] = [element_type(merge)] if _is_list(merge) else "JSON"
                continue
            kind = (
                merge.type
                if merge.type in {"DOUBLE", "BIGINT", "INTEGER", "BOOLEAN", "JSON"}
                else "VARCHAR"
            )
            if layout.get(source.field, kind) != kind:
                kind = "VARCHAR"
            layout[source.field] = kind
    return layout


def _is_list(merge: Merge) -> bool:
    return isinstance(merge, (Union, LastSet))


def _merge(
    table: Table,
    names: tuple[str, ...],
    groups: dict[str, list[str]],
    columns: dict[str, ColumnSql],
    registry: Registry,
) -> str:
    combine = _combine(table, groups, columns)
    plain = [
        "persona_id",
        "shard",
        "_epoch",
        *groups,
        *(c for p in columns.values() for c in p.physical),
    ]
    replace = ", ".join(f"{quoted(c)} = s.{quoted(c)}" for c in plain)
    update = ", ".join(f"{quoted(c)} = {sql}" for c, sql in combine.items())
    fold = _fold(table, registry, names, groups, columns)
    return (
        f"MERGE INTO {{target}} AS t USING ({fold}) AS s ON t.id = s.id"
        f" WHEN MATCHED AND s._epoch > t._epoch THEN UPDATE SET {replace}"
        f" WHEN MATCHED AND s._epoch = t._epoch THEN UPDATE SET {update}"
        " WHEN NOT MATCHED THEN INSERT BY NAME"
    )


def _combine(
    table: Table, groups: dict[str, list[str]], columns: dict[str, ColumnSql]
) -> dict[str, str]:
    combine = {"persona_id": "coalesce(t.persona_id, s.persona_id)"}
    for key, served in groups.items():
        combine[key] = f"{_wins(table, served)}(t.{quoted(key)}, s.{quoted(key)})"
    for part in columns.values():
        combine.update(part.combine)
    return combine


def _wins(table: Table, served: list[str]) -> str:
    return "greatest" if isinstance(table.columns[served[0]], Last) else "least"


def _view(columns: dict[str, ColumnSql]) -> str:
    shown = ", ".join(f"{part.public} AS {quoted(name)}" for name, part in columns.items())
    return f"SELECT id, persona_id, shard, {shown} FROM {{target}} WHERE _epoch % 2 = 1"
