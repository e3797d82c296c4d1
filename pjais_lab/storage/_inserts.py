"""Records on their way into DuckDB: columns for Arrow, and one row as an SQL literal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from pjais_lab.core.block import Block
from pjais_lab.core.event import Record
from pjais_lab.core.shard import HashRouter
from pjais_lab.storage._columns import literal

__all__ = ["INSERT_FROM_ARROW", "block_to_arrow", "literal_row", "to_arrow"]

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


def to_arrow(records: Sequence[Record], router: HashRouter) -> pa.Table:
    """Records as an Arrow table; ids as text, times as microseconds."""
    shards = {p: router.shard_of(p) for p in {r.persona_id for r in records}}
    columns: list[list[object]] = [
        [r.seq for r in records],
        [r.id for r in records],
        [r.name for r in records],
        [r.entity_id for r in records],
        [r.persona_id for r in records],
        [shards[r.persona_id] for r in records],
        [r.epoch for r in records],
        [r.occurred_at for r in records],
        [r.origin for r in records],
        [r.origin_seq for r in records],
        [r.actor for r in records],
        [r.cause for r in records],
        [r.args for r in records],
    ]
    return _table(columns)


def block_to_arrow(block: Block, router: HashRouter) -> pa.Table:
    """The same for events that come by column."""
    n = len(block)
    shards = {p: router.shard_of(p) for p in set(block.persona_id)}
    return _table(
        [
            range(block.seq_first, block.seq_last + 1),
            block.id,
            block.name,
            block.entity_id,
            block.persona_id,
            [shards[p] for p in block.persona_id],
            block.epoch,
            block.occurred_at,
            pa.repeat(block.origin, n),
            range(block.origin_seq_last - n + 1, block.origin_seq_last + 1),
            pa.repeat(block.actor, n),
            pa.nulls(n, pa.string()),
            block.args,
        ]
    )


def _table(columns: Sequence[Any]) -> pa.Table:
    """Arrow columns as they are, lists with the type of their place."""
    arrays = [
        c if isinstance(c, pa.Array) else pa.array(c, t)
        for c, (_, t) in zip(columns, _FIELDS, strict=True)
    ]
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
