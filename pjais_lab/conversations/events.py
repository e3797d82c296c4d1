"""What can happen in a conversation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from pjais_lab.core.event import Event, event
from pjais_lab.core.fields import EntityId

__all__ = ["ConversationEnded", "ConversationStarted", "MessageAdded", "Role"]

Role = Literal["persona", "user", "assistant", "system", "tool"]
Text = Annotated[str, Meta(min_length=1)]


@event(
    "v1.ConversationStarted",
    entity="conversation",
    effect="create",
    persona="required",
    refs={"participants": "persona"},
)
class ConversationStarted(Event):
    """A conversation began; the envelope names the persona who began it or keeps it.

    Attributes:
        title: what it is about.
        participants: ids of the personas who take part.
        extra: fields of a foreign format that have no place here.
    """

    title: str = ""
    participants: tuple[EntityId, ...] = ()
    extra: dict[str, Any] = {}


@event(
    "v1.MessageAdded",
    entity="message",
    effect="create",
    persona="required",
    refs={"conversation_id": "conversation", "speaker_id": "persona"},
)
class MessageAdded(Event):
    """Something was said; the envelope's persona is who said it, or who keeps the conversation.

    Attributes:
        conversation_id: where.
        content: what.
        role: the speaker's part.
        speaker: the speaker's name.
        speaker_id: the speaker, when it is a persona of this workspace.
        position: its number in the conversation, for messages without times of their own.
        extra: fields of a foreign format that have no place here.
    """

    conversation_id: EntityId
    content: Text
    role: Role = "persona"
    speaker: str = ""
    speaker_id: EntityId | None = None
    position: Annotated[int, Meta(ge=0)] = 0
    extra: dict[str, Any] = {}


@event("v1.ConversationEnded", entity="conversation", persona="required")
class ConversationEnded(Event):
    """A conversation is over.

    Attributes:
        summary: what was said, in short.
    """

    summary: str | None = None
