"""The tables ``memories`` and ``links``."""

from __future__ import annotations

from typing import Final

from pjais_lab.core.event import Event
from pjais_lab.core.merge import Last, LastSet, Max, Sum, src
from pjais_lab.core.table import Table
from pjais_lab.memories.events import (
    MemoryForgotten,
    MemoryLinked,
    MemoryRecalled,
    MemoryRecorded,
    MemoryRestored,
    MemoryRetiered,
    MemoryRevised,
    MemoryUnlinked,
)

__all__ = ["DECLARATIONS", "LINKS", "MEMORIES"]


def _recorded(kind: str, field: str) -> Last:
    return Last(kind, (src(MemoryRecorded, field), src(MemoryRestored, field)))


def _revisable(kind: str, field: str) -> Last:
    sources = (MemoryRecorded, MemoryRevised, MemoryRestored)
    return Last(kind, tuple(src(event, field) for event in sources))


def _latest(event: type[Event], field: str) -> Max:
    return Max("TIMESTAMP", (src(event, "$occurred_at"), src(MemoryRestored, field)))


def _linked(kind: str, field: str) -> Last:
    return Last(kind, (src(MemoryLinked, field),))


MEMORIES: Final = Table(
    "memories",
    entity="memory",
    columns={
        "content": _revisable("VARCHAR", "content"),
        "kind": _revisable("VARCHAR", "kind"),
        "content_type": _recorded("VARCHAR", "content_type"),
        "importance": _revisable("DOUBLE", "importance"),
        "importance_raw": _revisable("DOUBLE", "importance_raw"),
        "importance_scale": _revisable("VARCHAR", "importance_scale"),
        "tags": LastSet(
            "VARCHAR[]",
            (
                src(MemoryRecorded, "tags"),
                src(MemoryRevised, "add_tags"),
                src(MemoryRestored, "tags"),
            ),
            removals=(src(MemoryRevised, "remove_tags"),),
        ),
        "tier": Last(
            "VARCHAR",
            (
                src(MemoryRecorded, "tier"),
                src(MemoryRetiered, "tier"),
                src(MemoryRestored, "tier"),
            ),
        ),
        "created_at": Last(
            "TIMESTAMP", (src(MemoryRecorded, "$occurred_at"), src(MemoryRestored, "created_at"))
        ),
        "expires_at": _revisable("TIMESTAMP", "expires_at"),
        "recalls": Sum("BIGINT", (src(MemoryRecalled, const=1), src(MemoryRestored, "recalls"))),
        "last_recalled_at": _latest(MemoryRecalled, "last_recalled_at"),
        "revised_at": _latest(MemoryRevised, "revised_at"),
        "source": _recorded("VARCHAR", "source"),
        "extra": _revisable("JSON", "extra"),
    },
    doc="What personas remember now, how much it matters and how often it was used.",
)

LINKS: Final = Table(
    "links",
    entity="link",
    columns={
        "source_id": _linked("UUID", "source_id"),
        "target_id": _linked("UUID", "target_id"),
        "relation": _linked("VARCHAR", "relation"),
        "strength": _linked("DOUBLE", "strength"),
        "confidence": _linked("DOUBLE", "confidence"),
        "linked_at": _linked("TIMESTAMP", "$occurred_at"),
        "extra": _linked("JSON", "extra"),
    },
    doc="Which memory refers to which, and how. Either end may have been forgotten: join to see.",
)

DECLARATIONS: Final[tuple[type[Event] | Table, ...]] = (
    MemoryRecorded,
    MemoryRevised,
    MemoryRecalled,
    MemoryRetiered,
    MemoryForgotten,
    MemoryRestored,
    MemoryLinked,
    MemoryUnlinked,
    MEMORIES,
    LINKS,
)
