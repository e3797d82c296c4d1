"""How a commit lies in the journal: its events as one JSON array of rows, digest and chain."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b, sha256
from typing import Final

import msgspec

from pjais_lab.core.block import Block
from pjais_lab.core.event import Chunk, Record
from pjais_lab.errors import CorruptJournalError, InternalError

__all__ = [
    "GENESIS",
    "corrupt_row",
    "decode_chunk",
    "digest_of",
    "encode_block",
    "encode_rows",
    "link",
    "scrubbed",
]

_CHAIN_BYTES: Final = 16
GENESIS: Final = bytes(_CHAIN_BYTES)
"""What the first commit of an origin is chained to."""


class _Row(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What is stored per event; seq, origin and origin_seq follow from the commit's columns."""

    id: str
    name: str
    entity_id: str | None
    persona_id: str | None
    epoch: int
    occurred_at: int
    actor: str
    cause: str | None
    args: msgspec.Raw


_CONTENT: Final = msgspec.json.Decoder(msgspec.Raw).decode
_NULL: Final = msgspec.Raw(b"null")
_ENCODER: Final = msgspec.json.Encoder()
_ROWS: Final = msgspec.json.Decoder(list[_Row])
_TUPLES: Final = msgspec.json.Decoder(
    list[tuple[str, str, str | None, str | None, int, int, str, str | None, msgspec.Raw]]
)


def encode_rows(records: Sequence[Record]) -> bytes:
    """The stored form of a commit's events.

    Raises:
        InternalError: a record's content is not JSON text.
    """
    try:
        return _ENCODER.encode(
            [
                _Row(
                    r.id,
                    r.name,
                    r.entity_id,
                    r.persona_id,
                    r.epoch,
                    r.occurred_at,
                    r.actor,
                    r.cause,
                    _NULL if r.args is None else _CONTENT(r.args),
                )
                for r in records
            ]
        )
    except (TypeError, UnicodeError, msgspec.DecodeError) as error:
        msg = f"A record cannot be stored, its content is not JSON: {error}"
        raise InternalError(msg) from None


def encode_block(block: Block) -> bytes:
    """The stored form of a block's events; its writer vouches that their content is JSON."""
    actor = _ENCODER.encode(block.actor).decode()
    names = {n: _ENCODER.encode(n).decode() for n in set(block.name)}
    columns = zip(
        block.id, block.name, block.entity_id, block.persona_id, block.epoch, block.occurred_at,
        block.args, strict=True,
    )  # fmt: skip
    rows = ",".join(
        [
            f'["{i}",{names[name]},"{entity}","{persona}",{epoch},{at},{actor},null,{args}]'
            for i, name, entity, persona, epoch, at, args in columns
        ]
    )
    return f"[{rows}]".encode()


def decode_chunk(
    seq_last: int, n: int, origin: str, origin_seq_last: int, payload: bytes, *, after: int = 0
) -> Chunk:
    """A chunk from its row, without the records up to ``after``.

    Raises:
        CorruptJournalError: the payload is not what was stored.
    """
    try:
        rows = _TUPLES.decode(payload)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise corrupt_row(seq_last, str(error)) from None
    if len(rows) != n:
        raise corrupt_row(seq_last, f"expected {n} events, found {len(rows)}")
    skip = max(0, after - (seq_last - n))
    if skip:
        rows = rows[skip:]
    first = seq_last - len(rows) + 1
    shift = origin_seq_last - seq_last
    records = tuple(
        [
            Record(
                seq,
                id_,
                name,
                entity,
                persona,
                epoch,
                occurred,
                origin,
                seq + shift,
                actor,
                cause,
                None if (text := str(args, "utf-8")) == "null" else text,
            )
            for seq, (id_, name, entity, persona, epoch, occurred, actor, cause, args) in enumerate(
                rows, first
            )
        ]
    )
    return Chunk(first, seq_last, origin, origin_seq_last, records)


def scrubbed(payload: bytes, persona_id: str) -> tuple[bytes, int]:
    """The payload without the content of one persona's events, and how many lost theirs."""
    rows = _ROWS.decode(payload)
    count = 0
    for i, row in enumerate(rows):
        if row.persona_id == persona_id and bytes(row.args) != b"null":
            rows[i] = msgspec.structs.replace(row, args=_NULL)
            count += 1
    return (_ENCODER.encode(rows) if count else payload), count


def digest_of(payload: bytes) -> bytes:
    """The digest of a commit's payload: SHA-256, which processors have in hardware."""
    return sha256(payload).digest()


def link(previous: bytes, digest: bytes) -> bytes:
    """The chain value after a commit with ``digest``, given the value before it."""
    return blake2b(previous + digest, digest_size=_CHAIN_BYTES).digest()


def corrupt_row(seq: int, reason: str) -> CorruptJournalError:
    """The error for a commit that cannot be what was stored."""
    msg = f"The journal's commit ending at event {seq:,} is damaged ({reason})."
    hint = "Keep a copy of journal.sqlite, then put it back from a backup."
    return CorruptJournalError(msg, hint=hint, seq=seq)
