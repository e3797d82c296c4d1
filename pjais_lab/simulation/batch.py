"""Events in bulk: one list per column, ready for a store that trusts its writer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pjais_lab.core.codec import decode
from pjais_lab.core.event import Draft, Event

__all__ = ["Columns", "Row"]

Row = tuple[int, str, str, str, int, str]
"""occurred_at, name, entity_id, persona_id, epoch, args."""


class Columns(msgspec.Struct, frozen=True):
    """A batch of events by column; all lists have the same length and the events' order.

    The writer vouches for what admission would check: ids, epochs, references and content.

    Attributes:
        name: versioned wire names.
        entity_id: what each event is about.
        persona_id: whose each event is.
        epoch: the entity's epoch, odd alive and even deleted.
        occurred_at: microseconds since the Unix epoch, UTC.
        args: content, exactly as ``core.codec.encode`` writes it.
    """

    name: list[str]
    entity_id: list[str]
    persona_id: list[str]
    epoch: list[int]
    occurred_at: list[int]
    args: list[str]

    def __len__(self) -> int:
        """How many events."""
        return len(self.name)

    @classmethod
    def of(cls, rows: list[Row]) -> Columns:
        """Turn rows into columns."""
        at, name, entity, persona, epoch, args = zip(*rows, strict=True)
        return cls(list(name), list(entity), list(persona), list(epoch), list(at), list(args))

    def drafts(self, events: Mapping[str, type[Event]]) -> Iterator[Draft]:
        """The same as drafts, for a commit that checks everything.

        Args:
            events: definitions by wire name, as ``Registry.events`` has them.

        Raises:
            EventDecodeError: some content is not what its definition says.
        """
        for name, entity, persona, at, args in zip(
            self.name, self.entity_id, self.persona_id, self.occurred_at, self.args, strict=True
        ):
            content: Any = decode(events[name], args)
            yield Draft(content, persona, entity, at, None, args)
