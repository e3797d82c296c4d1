"""The conversations of a lab: start, say, end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from pjais_lab.conversations.events import (
    ConversationEnded,
    ConversationStarted,
    MessageAdded,
    Role,
)
from pjais_lab.core.event import HasId, id_of
from pjais_lab.core.ids import is_id
from pjais_lab.core.markup import said
from pjais_lab.core.spelling import spelled_methods
from pjais_lab.errors import RejectedError

if TYPE_CHECKING:
    import polars as pl

    from pjais_lab.reactive.protocol import Committer

__all__ = ["Conversations"]

_REMEMBERED: Final = 1000


@spelled_methods
class Conversations:
    """What was said, and by whom.

    Args:
        store: where commands go.
    """

    def __init__(self, store: Committer) -> None:
        self._store = store
        self._next: dict[str, int] = {}

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
        if isinstance(participants, str) or not isinstance(participants, Iterable):
            msg = f"The participants are of type {type(participants).__name__}; expected a list."
            raise RejectedError(msg, hint="Write participants=[ada, bob].")
        members = tuple(id_of(p, "participant") for p in participants)
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
            RejectedError: the conversation has ended, or there is no such conversation or persona;
                nothing was stored.
        """
        who = id_of(persona, "persona")
        said = MessageAdded(
            conversation,
            content,
            role,
            speaker,
            who if role == "persona" else None,
            self._position(conversation),
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
            RejectedError: the id is not UUID text.
        """
        return self._store.query(
            "SELECT id, speaker, speaker_id, role, content, sent_at FROM messages"
            " WHERE conversation_id = $c ORDER BY sent_at, position, id",
            c=id_of(conversation, "conversation"),
        )

    @property
    def frame(self) -> pl.DataFrame:
        """All conversations, with how many messages each has."""
        return self._store.query(
            "SELECT c.*, (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id) AS messages"
            " FROM conversations c ORDER BY started_at, id"
        )

    def __len__(self) -> int:
        """How many there are."""
        return int(self._store.query("SELECT count(*) FROM conversations").item())

    def __repr__(self) -> str:
        """How many there are."""
        return f"Conversations({said(lambda: f'{len(self):,}')})"

    def _position(self, conversation: str) -> int:
        # Inside a batch the state knows nothing of its messages yet, so their number is kept here.
        position = self._next.pop(conversation, 0)
        if is_id(conversation):
            found = self._store.query(
                "SELECT ended_at, (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id)"
                " FROM conversations c WHERE c.id = $c",
                c=conversation,
            ).rows()
            for ended_at, length in found:
                if ended_at is not None:
                    msg = f"The conversation {conversation} ended at {ended_at:%Y-%m-%d %H:%M:%S}."
                    raise RejectedError(msg, hint="Start another.", id=conversation)
                position = max(position, int(length))
        if len(self._next) >= _REMEMBERED:
            self._next.clear()
        self._next[conversation] = position + 1
        return position
