"""The conversations of a lab: start, say, end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pjais_lab.conversations.events import (
    ConversationEnded,
    ConversationStarted,
    MessageAdded,
    Role,
)
from pjais_lab.core.event import HasId
from pjais_lab.errors import NotFoundError

if TYPE_CHECKING:
    import polars as pl

    from pjais_lab.reactive.protocol import Committer

__all__ = ["Conversations"]


class Conversations:
    """What was said, and by whom.

    Args:
        store: where commands go.
    """

    def __init__(self, store: Committer) -> None:
        self._store = store

    def start(
        self,
        persona: HasId | str,
        title: str = "",
        *,
        participants: Sequence[HasId | str] = (),
        at: datetime | None = None,
    ) -> str:
        """Begin a conversation; gives its id.

        Args:
            persona: who begins or keeps it, or its id.
            title: what it is about.
            participants: the personas who take part, or their ids.
            at: when; now if None.

        Raises:
            RejectedError: a persona does not exist; nothing was stored.
        """
        members = tuple(p if isinstance(p, str) else p.id for p in participants)
        begun = ConversationStarted(title=title, participants=members)
        return self._store.commit(begun.on(persona, at=at)).id

    def say(
        self,
        conversation: str,
        persona: HasId | str,
        content: str,
        *,
        role: Role = "persona",
        speaker: str = "",
        at: datetime | None = None,
    ) -> str:
        """Add a message; gives its id.

        Args:
            conversation: where.
            persona: who says it, or who keeps the conversation.
            content: what.
            role: the speaker's part; ``persona`` makes ``persona`` the speaker.
            speaker: the speaker's name, when it is not a persona.
            at: when; now if None.

        Raises:
            NotFoundError: there is no such conversation.
            RejectedError: there is no such persona; nothing was stored.
        """
        who = persona if isinstance(persona, str) else persona.id
        said = MessageAdded(
            conversation,
            content,
            role,
            speaker,
            who if role == "persona" else None,
            self._length(conversation),
        )
        return self._store.commit(said.on(who, at=at)).id

    def end(
        self, conversation: str, summary: str | None = None, *, at: datetime | None = None
    ) -> None:
        """Close a conversation.

        Raises:
            RejectedError: there is no such conversation; nothing was stored.
        """
        self._store.commit(ConversationEnded(summary).on(entity=conversation, at=at))

    def messages(self, conversation: str) -> pl.DataFrame:
        """What was said, in order.

        Raises:
            QueryError: the id is not UUID text.
        """
        return self._store.query(
            "SELECT id, speaker, speaker_id, role, content, sent_at FROM messages"
            " WHERE conversation_id = $c ORDER BY sent_at, position, id",
            c=conversation,
        )

    @property
    def frame(self) -> pl.DataFrame:
        """All conversations, with how many messages each has."""
        return self._store.query(
            "SELECT c.*, (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id) AS messages"
            " FROM conversations c ORDER BY started_at, id"
        )

    def _length(self, conversation: str) -> int:
        found = self._store.query(
            "SELECT (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id)"
            " FROM conversations c WHERE c.id = $c",
            c=conversation,
        )
        if found.is_empty():
            msg = f"There is no conversation {conversation!r}."
            raise NotFoundError(msg, hint="Ids are in lab.conversations.frame.", id=conversation)
        return int(found.item())
