"""Models: one entity's row as traits."""

from __future__ import annotations

from typing import Any, ClassVar

from pjais_lab.reactive._invalidation import Touched
from pjais_lab.reactive.node import Change, Fed, Feeder, Node

__all__ = ["EntityModel"]


class EntityModel(Node):
    """One entity, its columns as read-only traits that follow the log.

    A subclass names its ``table`` and declares a ``Fed`` trait for each column it shows.

    Args:
        hub: who feeds it.
        entity_id: which row.
    """

    table: ClassVar[str]

    exists = Fed[bool](True, help="Whether it is alive; the other traits keep their last values.")  # noqa: FBT003

    def __init__(self, hub: Feeder, entity_id: str) -> None:
        self.id = entity_id
        super().__init__(hub, f"{type(self).__name__} {entity_id}")
        hub.adopt(self)

    def depends(self, touched: Touched) -> bool:
        """Whether its row may have changed."""
        return touched.hits_row(self.table, self.id)

    def take(self, row: Any, position: int) -> list[Change]:
        """Show a row, None when it is gone, an error, or at ``self`` that nothing has changed."""
        is_unmoved = row is self
        if is_unmoved:
            return self.put_status(position, self.failure)
        if isinstance(row, Exception):
            return self.put_status(position, row)
        changes: list[Change] = [
            *self.put_status(position, None),
            *self.put("exists", row is not None),
        ]
        for name, value in self.read(row or {}).items():
            changes += self.put(name, value)
        return changes

    def read(self, row: dict[str, Any]) -> dict[str, Any]:
        """Trait -> value, from a row; empty for an empty row."""
        return {name: row[name] for name in self.defaults if name in row}

    def __eq__(self, other: object) -> bool:
        """Models of one entity are equal."""
        return isinstance(other, EntityModel) and (other.table, other.id) == (self.table, self.id)

    def __hash__(self) -> int:
        """By table and id."""
        return hash((self.table, self.id))
