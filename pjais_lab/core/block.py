"""Many events by column, as generators make them, on their way into the journal."""

from __future__ import annotations

import msgspec

__all__ = ["Block"]


class Block(msgspec.Struct, frozen=True):
    """What one commit of a bulk writer appends; like a ``Chunk``, but by column.

    All lists have the same length and the events' order.

    Attributes:
        seq_first: the first event's place in the journal.
        seq_last: the last event's.
        origin: the replica that wrote all of them.
        origin_seq_last: the last event's number there.
        actor: who did it.
        id: the events' ids.
        name: versioned wire names.
        entity_id: what each event is about.
        persona_id: whose each event is.
        epoch: the entity's epoch.
        occurred_at: microseconds since the Unix epoch, UTC.
        args: content, exactly as ``core.codec.encode`` writes it.
    """

    seq_first: int
    seq_last: int
    origin: str
    origin_seq_last: int
    actor: str
    id: list[str]
    name: list[str]
    entity_id: list[str]
    persona_id: list[str]
    epoch: list[int]
    occurred_at: list[int]
    args: list[str]

    def __len__(self) -> int:
        """How many events."""
        return len(self.id)
