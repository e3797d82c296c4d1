"""Records on their way into DuckDB: columns for Arrow, and one row as an SQL literal."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from pjais_lab.core.event import Record
from pjais_lab.core.shard import HashRouter
from pjais_lab.storage._columns import literal

__all__ = ["INSERT_FROM_ARROW", "literal_row", "to_arrow"]

_FIELDS = (
    ("seq", pa.int64()),
    ("id", pa.string()),
    ("name", pa.string()),
    ("entity_id", pa.string()),
    ("persona_id", pa.string()),
    ("shard", pa.uint16()),
    ("epoch", pa.int32()),
    ("occurred_at", pa.int64()),
    ("origin", pa.string()),
    ("origin_seq", pa.int64()),
    ("actor", pa.string()),
    ("cause", pa.string()),
    ("args", pa.string()),
)
INSERT_FROM_ARROW = (
    "INSERT INTO log.tail SELECT seq, id::UUID, name, entity_id::UUID, persona_id::UUID, shard,"
    " epoch, make_timestamp(occurred_at), origin, origin_seq, actor, cause::UUID, args FROM "
)


def to_arrow(records: Iterable[Record], router: HashRouter) -> pa.Table:
    """Records as an Arrow table; ids as text, times as microseconds."""
    shards: dict[str | None, int] = {}
    columns: list[list[object]] = [[] for _ in _FIELDS]
    (
        seq,
        ids,
        names,
        entities,
        personas,
        shard,
        epochs,
        at,
        origin,
        origin_seq,
        actor,
        cause,
        args,
    ) = columns
    for r in records:
        persona = r.persona_id
        if persona not in shards:
            shards[persona] = router.shard_of(persona)
        seq.append(r.seq)
        ids.append(r.id)
        names.append(r.name)
        entities.append(r.entity_id)
        personas.append(persona)
        shard.append(shards[persona])
        epochs.append(r.epoch)
        at.append(r.occurred_at)
        origin.append(r.origin)
        origin_seq.append(r.origin_seq)
        actor.append(r.actor)
        cause.append(r.cause)
        args.append(r.args)
    arrays = [pa.array(c, t) for c, (_, t) in zip(columns, _FIELDS, strict=True)]
    return pa.Table.from_arrays(arrays, names=[n for n, _ in _FIELDS])


def literal_row(r: Record, router: HashRouter) -> str:
    """One record as a parenthesised SQL row."""
    texts = (r.name, r.entity_id, r.persona_id)
    name, entity, persona = (literal(t) for t in texts)
    return (
        f"({r.seq}, '{r.id}', {name}, {entity}, {persona}, {router.shard_of(r.persona_id)},"
        f" {r.epoch}, make_timestamp({r.occurred_at}::BIGINT), {literal(r.origin)}, {r.origin_seq},"
        f" {literal(r.actor)}, {literal(r.cause)}, {literal(r.args)})"
    )
