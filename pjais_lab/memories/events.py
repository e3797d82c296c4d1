"""What can happen to a memory, and to a link between two."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from pjais_lab.core.event import Draft, Event, HasId, event, id_of
from pjais_lab.core.fields import EntityId, Scale, Slug, Unit
from pjais_lab.core.ids import natural_id
from pjais_lab.memories.state import ContentType, Relation, RetierReason, Tier

__all__ = [
    "MemoryForgotten",
    "MemoryLinked",
    "MemoryRecalled",
    "MemoryRecorded",
    "MemoryRestored",
    "MemoryRetiered",
    "MemoryRevised",
    "MemoryUnlinked",
    "link_id",
]

Content = Annotated[str, Meta(min_length=1)]
Tag = Annotated[str, Meta(min_length=1, max_length=100)]
Tags = Annotated[tuple[Tag, ...], Meta(max_length=1000)]
Times = Annotated[int, Meta(ge=0, le=2**53)]


@event("v1.MemoryRecorded", entity="memory", effect="create", persona="required")
class MemoryRecorded(Event):
    """A memory was formed; the envelope's ``occurred_at`` says when.

    Attributes:
        content: the text, or where the image, audio, video or file lies.
        kind: ``event``, ``thought``, ``chat``, ``conversation``, ``learning``, ``preference``,
            ``fact``, or a word of one's own.
        content_type: what ``content`` is.
        importance: 0 to 1.
        importance_raw: importance as first given.
        importance_scale: the scale of that, such as ``1-10``.
        tags: labels.
        tier: its storage class.
        expires_at: when it may be let go.
        source: where it comes from.
        extra: fields of a foreign format that have no place here.
    """

    content: Content
    kind: Slug = "event"
    content_type: ContentType = "text"
    importance: Unit = 0.5
    importance_raw: float | None = None
    importance_scale: Scale | None = None
    tags: Tags = ()
    tier: Tier = "warm"
    expires_at: datetime | None = None
    source: str | None = None
    extra: dict[str, Any] = {}


@event("v1.MemoryRevised", entity="memory", persona="required")
class MemoryRevised(Event):
    """Some of a memory's fields were set anew; the others keep their values.

    Attributes:
        content: the text.
        kind: what sort of memory it is.
        importance: 0 to 1.
        importance_raw: importance as given.
        importance_scale: the scale of that.
        add_tags: labels it gets.
        remove_tags: labels it loses.
        expires_at: when it may be let go; null for never.
        extra: foreign fields, as a whole.
    """

    content: Content | UnsetType = UNSET
    kind: Slug | UnsetType = UNSET
    importance: Unit | UnsetType = UNSET
    importance_raw: float | UnsetType | None = UNSET
    importance_scale: Scale | UnsetType | None = UNSET
    add_tags: Tags | UnsetType = UNSET
    remove_tags: Tags | UnsetType = UNSET
    expires_at: datetime | UnsetType | None = UNSET
    extra: dict[str, Any] | UnsetType = UNSET


@event("v1.MemoryRecalled", entity="memory", persona="required")
class MemoryRecalled(Event):
    """A memory was found and used.

    Attributes:
        query: what was looked for.
        score: how well it fitted.
    """

    query: str | UnsetType = UNSET
    score: float | UnsetType = UNSET


@event("v1.MemoryRetiered", entity="memory", persona="required")
class MemoryRetiered(Event):
    """A memory moved to another tier.

    Attributes:
        tier: where it lies now.
        reason: why it moved.
    """

    tier: Tier
    reason: RetierReason = "manual"


@event("v1.MemoryForgotten", entity="memory", effect="delete", persona="required")
class MemoryForgotten(Event):
    """A memory was let go; it stays in the log, not in the state.

    Attributes:
        reason: why.
    """

    reason: str = ""


@event("v1.MemoryRestored", entity="memory", effect="create", persona="required")
class MemoryRestored(Event):
    """A forgotten memory came back under its own id, as it was, so that its links hold again.

    It says everything anew: the new life of an entity knows nothing of the ones before.

    Attributes:
        content: as for a recorded memory, like all that follow up to ``extra``.
        kind: what sort of memory it is.
        content_type: what ``content`` is.
        importance: 0 to 1.
        importance_raw: importance as given.
        importance_scale: the scale of that.
        tags: labels.
        tier: its storage class.
        expires_at: when it may be let go.
        source: where it comes from.
        extra: foreign fields.
        created_at: when it was formed.
        recalls: how often it had been used.
        last_recalled_at: when it was used last.
        revised_at: when it was revised last.
    """

    content: Content
    created_at: datetime
    kind: Slug = "event"
    content_type: ContentType = "text"
    importance: Unit = 0.5
    importance_raw: float | None = None
    importance_scale: Scale | None = None
    tags: Tags = ()
    tier: Tier = "warm"
    expires_at: datetime | None = None
    source: str | None = None
    extra: dict[str, Any] = {}
    recalls: Times = 0
    last_recalled_at: datetime | None = None
    revised_at: datetime | None = None


def link_id(source_id: str, target_id: str, relation: str) -> str:
    """The id of the one link of a relation between two memories, in that direction."""
    return natural_id("link", source_id, target_id, relation)


@event(
    "v1.MemoryLinked",
    entity="link",
    effect="put",
    persona="required",
    refs={"source_id": "memory", "target_id": "memory"},
)
class MemoryLinked(Event):
    """A memory refers to another; linking the same two again sets the strength anew.

    Attributes:
        source_id: the memory that refers.
        target_id: the memory referred to.
        relation: how; ``evidence`` leads from a conclusion to what it rests on.
        strength: 0 to 1.
        confidence: 0 to 1.
        extra: fields of a foreign format that have no place here.
    """

    source_id: EntityId
    target_id: EntityId
    relation: Relation = "references"
    strength: Unit = 1.0
    confidence: Unit = 1.0
    extra: dict[str, Any] = {}

    def on(
        self,
        persona: HasId | str | None = None,
        entity: HasId | str | None = None,
        *,
        at: datetime | None = None,
        cause: str | None = None,
    ) -> Draft:
        """As for every event; the link's id follows from what it links.

        Raises:
            RejectedError: an id is not UUID text.
        """
        ends = id_of(self.source_id, "memory"), id_of(self.target_id, "memory")
        natural = link_id(*ends, str(self.relation))
        return super().on(persona, entity or natural, at=at, cause=cause)


@event("v1.MemoryUnlinked", entity="link", effect="delete", persona="required")
class MemoryUnlinked(Event):
    """A link between two memories was taken back.

    Attributes:
        reason: why.
    """

    reason: str = ""
