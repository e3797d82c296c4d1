"""The short path of a commit of a few events: their partials computed here, merged row by row.

DuckDB plans the set-based fold for longer than it runs on one event, so a few events are lifted in
Python by ``core.merge`` and reach the table as literals.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import duckdb
import msgspec

from pjais_lab.core.event import Event, Record
from pjais_lab.core.merge import ABSENT, Last, LastMap, LastSet, Merge, Union
from pjais_lab.core.registry import Registry
from pjais_lab.core.shard import HashRouter
from pjais_lab.core.table import Table
from pjais_lab.storage._columns import element_type, is_ordered, literal, quoted, typed
from pjais_lab.storage._orderkeys import BASE, LATER, LATER_TYPE
from pjais_lab.storage.fold import FoldPlan

__all__ = ["are_few", "merge_each"]

FEW: Final = 4
_NEW: Final = re.compile(r'\bs\."?(\w+)"?')
_RAW: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def are_few(records: Sequence[Record], registry: Registry, erasing: Collection[str]) -> bool:
    """Whether the short path will do: few events of today's versions, none of which erases."""
    return len(records) <= FEW and all(
        r.args is not None
        and r.entity_id is not None
        and r.name in registry.events
        and r.name not in registry.upcasters
        and r.name not in erasing
        for r in records
    )


def merge_each(
    cursor: duckdb.DuckDBPyConnection,
    tables: Sequence[tuple[Table, FoldPlan]],
    record: Record,
    definition: type[Event],
    router: HashRouter,
) -> None:
    """Merge one event into every table it moves.

    Args:
        cursor: in a transaction.
        tables: the tables, each with its compiled form.
        record: an event about an entity, with content.
        definition: the event's declaration.
        router: gives a persona's shard.
    """
    is_new = definition.__event__.effect in {"create", "delete"}
    for table, plan in tables:
        _merge_one(cursor, table, plan, record, router, is_new=is_new)


def _merge_one(
    cursor: duckdb.DuckDBPyConnection,
    table: Table,
    plan: FoldPlan,
    record: Record,
    router: HashRouter,
    *,
    is_new: bool,
) -> None:
    """Merge one event into the table it moves.

    Args:
        cursor: in a transaction.
        table: the declaration.
        plan: the same, compiled.
        record: an event that moves it, about an entity, with content.
        router: gives a persona's shard.
        is_new: the entity is expected not to have a row of this epoch.
    """
    values = _values(table, plan, record)
    if not is_new and _update(cursor, plan, record, values):
        return
    where = f"id = '{record.entity_id}'"
    found = cursor.execute(f"SELECT _epoch FROM state.{plan.table} WHERE {where}").fetchone()
    if found is not None and found[0] > record.epoch:
        return
    if found is not None and found[0] == record.epoch:
        _update(cursor, plan, record, values)
        return
    if found is not None:
        cursor.execute(f"DELETE FROM state.{plan.table} WHERE {where}")
    shard = router.shard_of(record.persona_id)
    head = {"id": literal(record.entity_id), "shard": str(shard), "_epoch": str(record.epoch)}
    row = head | values
    columns, cells = ", ".join(map(quoted, row)), ", ".join(row.values())
    cursor.execute(f"INSERT INTO state.{plan.table} ({columns}) VALUES ({cells})")


def _update(
    cursor: duckdb.DuckDBPyConnection, plan: FoldPlan, record: Record, values: dict[str, str]
) -> bool:
    def new(match: re.Match[str]) -> str:
        return values.get(match[1]) or f"NULL::{plan.columns[match[1]]}"

    sets = ", ".join(f"{quoted(c)} = {_NEW.sub(new, plan.combine[c])}" for c in values)
    done = cursor.execute(
        f"UPDATE state.{plan.table} AS t SET {sets}"
        f" WHERE t.id = '{record.entity_id}' AND t._epoch = {record.epoch}"
    ).fetchone()
    return bool(done and done[0])


def _values(table: Table, plan: FoldPlan, record: Record) -> dict[str, str]:
    """Physical column -> the event's partial as SQL; columns it does not feed are left out."""
    raw = _RAW.decode(record.args or "{}")
    values = {"persona_id": literal(record.persona_id)}
    fields: dict[str, Any] = {}
    for name, merge in table.columns.items():
        for source in merge.all_sources():
            field = source.field
            if source.event == record.name and field in raw:
                fields[field] = msgspec.json.decode(raw[field])
        partial = merge.lift(record, fields)
        if partial is ABSENT:
            continue
        if is_ordered(merge):
            partial = partial[1]
        values[name] = _json(merge, record, raw) if merge.type == "JSON" else _sql(merge, partial)
        fields.clear()
    return values | _keys(plan, record, values)


def _keys(plan: FoldPlan, record: Record, written: Mapping[str, str]) -> dict[str, str]:
    """The order keys of the columns that an event writes."""
    keys, this = plan.keys, f"'{record.id}'::UUID"
    groups = [g for g in keys.groups if written.keys() & set(g.columns)]
    values = {g.key: this for g in groups if g.is_first}
    lasts = [g for g in groups if not g.is_first]
    if not lasts:
        return values
    is_full = record.name in keys.full
    later = [g.number for g in lasts if not (is_full and g.number in keys.base)]
    values[BASE] = this if is_full else "NULL::UUID"
    entries = ", ".join(f"{{'c': {n}, 'k': {this}}}" for n in later)
    values[LATER] = f"[{entries}]::{LATER_TYPE}" if later else f"NULL::{LATER_TYPE}"
    return values


def _json(merge: Merge, record: Record, raw: dict[str, msgspec.Raw]) -> str:
    """A JSON column goes the way the set-based fold takes it, so that both store the same text."""
    for source in merge.all_sources():
        if source.event != record.name:
            continue
        if source.field is None:
            return f"{literal(source.const)}::JSON"
        if source.field in raw:
            content = literal(bytes(raw[source.field]).decode())
            return f"json_transform(json_object('x', {content}::JSON), '{{\"x\":\"JSON\"}}').x"
    return "NULL::JSON"


def _sql(merge: Merge, partial: Any) -> str:
    if isinstance(merge, LastSet):
        kind = element_type(merge)
        entries = [
            f"{{'e': {_scalar(e, kind)}, 'k': '{k}'::UUID, 'p': {literal(p)}}}"
            for e, (k, p) in sorted(partial.items())
        ]
        return f"[{', '.join(entries)}]::STRUCT(e {kind}, k UUID, p BOOLEAN)[]"
    if isinstance(merge, LastMap):
        kind = element_type(merge)
        entries = [
            f"{{'e': {literal(e)}, 'k': '{k}'::UUID, 'v': {_scalar(v, kind)}}}"
            for e, (k, v) in sorted(partial.items())
        ]
        return f"[{', '.join(entries)}]::STRUCT(e VARCHAR, k UUID, v {kind})[]"
    if isinstance(merge, Union):
        kind = element_type(merge)
        return f"[{', '.join(_scalar(e, kind) for e in partial)}]::{merge.type}"
    if isinstance(partial, list) and isinstance(merge, Last):
        return f"[{', '.join(_scalar(e, element_type(merge)) for e in partial)}]::{merge.type}"
    return _scalar(partial, merge.type)


def _scalar(value: Any, kind: str) -> str:
    if value is None:
        return f"NULL::{kind}"
    if kind == "TIMESTAMP" and isinstance(value, int):
        return f"make_timestamp({value}::BIGINT)"
    text = str(value) if isinstance(value, (str, Decimal)) else literal(value)
    return typed(literal(text), kind)
