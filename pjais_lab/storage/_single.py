"""The short path of a commit of a few events: their partials computed here, merged row by row.

DuckDB plans the set-based fold for longer than it runs on one event, so a few events are lifted in
Python by ``core.merge`` and reach the table as literals.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any, Final

import duckdb
import msgspec

from pjais_lab.core.event import Record
from pjais_lab.core.merge import ABSENT, Last, LastMap, LastSet, Merge, Union
from pjais_lab.core.registry import Registry
from pjais_lab.core.shard import HashRouter
from pjais_lab.core.table import Table
from pjais_lab.storage._columns import element_type, is_ordered, literal, quoted, typed
from pjais_lab.storage._orderstate import OrderState
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
    router: HashRouter,
) -> None:
    """Merge one event into every table it moves.

    Args:
        cursor: in a transaction.
        tables: the tables, each with its compiled form.
        record: an event about an entity, with content.
        router: gives a persona's shard.
    """
    for table, plan in tables:
        _merge_one(cursor, table, plan, record, router)


def _merge_one(
    cursor: duckdb.DuckDBPyConnection,
    table: Table,
    plan: FoldPlan,
    record: Record,
    router: HashRouter,
) -> None:
    target, where = f"state.{plan.table}", f"id = '{record.entity_id}'"
    keys = "".join(f", {c}" for c in plan.keys.physical())
    row = cursor.execute(f"SELECT _epoch{keys} FROM {target} WHERE {where}").fetchone()
    if row is not None and row[0] > record.epoch:
        return
    values = _values(table, record)
    if row is not None and row[0] == record.epoch:
        sets = _updates(plan, record, values, row[1:])
        cursor.execute(f"UPDATE {target} AS t SET {sets} WHERE {where}")
        return
    if row is not None:
        cursor.execute(f"DELETE FROM {target} WHERE {where}")
    shard = router.shard_of(record.persona_id)
    head = {"id": literal(record.entity_id), "shard": str(shard), "_epoch": str(record.epoch)}
    cells = head | values | OrderState().written(plan.keys, record, values)[1]
    columns = ", ".join(map(quoted, cells))
    cursor.execute(f"INSERT INTO {target} ({columns}) VALUES ({', '.join(cells.values())})")


def _updates(plan: FoldPlan, record: Record, values: dict[str, str], keys: Sequence[Any]) -> str:
    """SET clauses: ordered columns where the event wins, the others combined with the row."""
    state = OrderState.of(plan.keys, keys)
    won, key_cells = state.written(plan.keys, record, values)
    ordered = {c for g in plan.keys.groups for c in g.columns}

    def new(match: re.Match[str]) -> str:
        return values[match[1]]

    cells = {
        c: sql if c in ordered else _NEW.sub(new, plan.combine[c])
        for c, sql in values.items()
        if c not in ordered or c in won
    }
    return ", ".join(f"{quoted(c)} = {sql}" for c, sql in (cells | key_cells).items())


def _values(table: Table, record: Record) -> dict[str, str]:
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
