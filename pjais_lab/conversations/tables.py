"""The tables ``conversations`` and ``messages``."""

from __future__ import annotations

from typing import Final

from pjais_lab.conversations.events import ConversationEnded, ConversationStarted, MessageAdded
from pjais_lab.core.event import Event
from pjais_lab.core.merge import Last, LastSet, src
from pjais_lab.core.table import Table

__all__ = ["CONVERSATIONS", "DECLARATIONS", "MESSAGES"]


def _said(kind: str, field: str) -> Last:
    return Last(kind, (src(MessageAdded, field),))


CONVERSATIONS: Final = Table(
    "conversations",
    entity="conversation",
    columns={
        "title": Last("VARCHAR", (src(ConversationStarted, "title"),)),
        "participants": LastSet("VARCHAR[]", (src(ConversationStarted, "participants"),)),
        "started_at": Last("TIMESTAMP", (src(ConversationStarted, "$occurred_at"),)),
        "ended_at": Last("TIMESTAMP", (src(ConversationEnded, "$occurred_at"),)),
        "summary": Last("VARCHAR", (src(ConversationEnded, "summary"),)),
        "extra": Last("JSON", (src(ConversationStarted, "extra"),)),
    },
    doc="Conversations, open while ended_at is null; participants are ids of personas.",
)

MESSAGES: Final = Table(
    "messages",
    entity="message",
    columns={
        "conversation_id": _said("UUID", "conversation_id"),
        "position": _said("BIGINT", "position"),
        "role": _said("VARCHAR", "role"),
        "speaker": _said("VARCHAR", "speaker"),
        "speaker_id": _said("UUID", "speaker_id"),
        "content": _said("VARCHAR", "content"),
        "sent_at": _said("TIMESTAMP", "$occurred_at"),
        "extra": _said("JSON", "extra"),
    },
    doc="What was said; in order by (conversation_id, sent_at, position).",
)

DECLARATIONS: Final[tuple[type[Event] | Table, ...]] = (
    ConversationStarted,
    MessageAdded,
    ConversationEnded,
    CONVERSATIONS,
    MESSAGES,
)
