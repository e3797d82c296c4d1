"""The memories of a lab: record, revise, recall, link, retier, forget, restore."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Unpack

import msgspec

from pjais_lab.core.event import HasId, Record, id_of, micros
from pjais_lab.core.ids import is_id
from pjais_lab.core.markup import said
from pjais_lab.core.spelling import spelled_methods
from pjais_lab.errors import NotFoundError
from pjais_lab.memories.commands import (
    Details,
    Revision,
    forget_memory,
    link_memories,
    recall_memory,
    record_memory,
    restore_memory,
    retier_memory,
    revise_memory,
    unlink_memories,
)
from pjais_lab.memories.state import Relation, RetierReason, Tier

if TYPE_CHECKING:
    import polars as pl

    from pjais_lab.reactive.protocol import Committer

__all__ = ["Memories", "Memory", "histories"]


class Memory(msgspec.Struct, frozen=True):
    """A memory as it was when asked for.

    Attributes:
        id: its id.
        persona_id: whose.
        content: the text, or where the file lies.
        kind: what sort of memory it is.
        importance: 0 to 1.
        tags: labels.
        tier: its storage class.
        recalls: how often it was used.
        created_at: when it was formed, UTC; None for one recorded inside an open batch.
    """

    id: str
    persona_id: str
    content: str
    kind: str = "event"
    importance: float = 0.5
    tags: tuple[str, ...] = ()
    tier: str = "warm"
    recalls: int = 0
    created_at: datetime | None = None


@spelled_methods
class Memories:
    """What personas remember.

    Args:
        store: where commands go.
    """

    def __init__(self, store: Committer) -> None:
        self._store = store

    def record(
        self,
        persona: HasId | str,
        content: str,
        *,
        importance: float = 0.5,
        scale: str | None = None,
        tags: Iterable[str] = (),
        at: datetime | None = None,
        **details: Unpack[Details],
    ) -> Memory:
        """Record a new memory.

        Args:
            persona: whose, or its id.
            content: the text, or where the file lies.
            importance: 0 to 1, or on ``scale``.
            scale: the scale ``importance`` is given on, such as ``1-10``.
            tags: labels.
            at: when it was formed, in the persona's world; now if None.
            details: kind, content type, tier, expiry, source and foreign fields.

        Raises:
            RejectedError: a field is wrong or there is no such persona; nothing was stored.
        """
        draft = record_memory(
            persona, content, importance=importance, scale=scale, tags=tags, at=at, **details
        )
        done = self._store.commit(draft)
        event: Any = draft.event
        return Memory(
            done.id,
            draft.persona_id or "",
            event.content,
            event.kind,
            event.importance,
            event.tags,
            event.tier,
            created_at=at,
        )

    def revise(
        self, memory: HasId | str, *, at: datetime | None = None, **changes: Unpack[Revision]
    ) -> None:
        """Set some of a memory's fields anew.

        Raises:
            RejectedError: a field is wrong or there is no such memory; nothing was stored.
        """
        self._store.commit(revise_memory(memory, at=at, **changes))

    def recall(
        self, *memories: HasId | str, query: str | None = None, at: datetime | None = None
    ) -> None:
        """Note that memories were found and used.

        Args:
            memories: which, or their ids.
            query: what was looked for.
            at: when; now if None.

        Raises:
            RejectedError: one of them does not exist; nothing was stored.
        """
        self._store.commit(*[recall_memory(m, query=query, at=at) for m in memories])

    def link(
        self,
        source: HasId | str,
        target: HasId | str,
        relation: Relation = "references",
        *,
        strength: float = 1.0,
        confidence: float = 1.0,
        at: datetime | None = None,
    ) -> str:
        """Say that a memory refers to another; gives the link's id.

        Linking the same two by the same relation again sets strength and confidence anew.

        Args:
            source: the memory that refers, or its id.
            target: the memory referred to, or its id.
            relation: how; ``evidence`` leads from a conclusion to what it rests on.
            strength: 0 to 1.
            confidence: 0 to 1.
            at: when; now if None.

        Raises:
            NotFoundError: ``source`` does not exist.
            RejectedError: ``target`` does not exist, or a field is wrong; nothing was stored.
        """
        owner = self[id_of(source, "memory")].persona_id
        done = self._store.commit(
            link_memories(
                source,
                target,
                relation,
                strength=strength,
                confidence=confidence,
                persona=owner,
                at=at,
            )
        )
        return done.id

    def unlink(
        self, source: HasId | str, target: HasId | str, relation: Relation = "references"
    ) -> None:
        """Take a link back.

        Raises:
            RejectedError: there is no such link; nothing was stored.
        """
        self._store.commit(unlink_memories(source, target, relation))

    def retier(self, memory: HasId | str, tier: Tier, reason: RetierReason = "manual") -> None:
        """Move a memory to another tier.

        Raises:
            RejectedError: there is no such memory or tier; nothing was stored.
        """
        self._store.commit(retier_memory(memory, tier, reason))

    def forget(self, memory: HasId | str, reason: str = "") -> None:
        """Let a memory go; it stays in the log, not in the state.

        Raises:
            RejectedError: there is no such memory; nothing was stored.
        """
        self._store.commit(forget_memory(memory, reason))

    def restore(self, *memories: HasId | str) -> None:
        """Bring forgotten memories back as they were, recalls and tags and all; links hold again.

        What was said about one in the meantime by a lab that was apart stays with the old life.
        Restored in two places apart, its recalls from before count twice.

        Args:
            memories: which, or their ids; the log knows what was forgotten.

        Raises:
            RejectedError: one of them was not forgotten, or was erased; nothing was stored.
        """
        ids = [id_of(m, "memory") for m in memories]
        past = histories(self._store, ids)
        self._store.commit(*[restore_memory(i, past.get(i, [])) for i in ids])

    def frame(self, persona: HasId | str | None = None) -> pl.DataFrame:
        """The memories as a table, oldest first.

        Args:
            persona: whose, or its id; everybody's if None.

        Raises:
            RejectedError: the id is not UUID text.
        """
        order = "ORDER BY created_at, id"
        if persona is None:
            return self._store.query(f"SELECT * FROM memories {order}")  # noqa: S608
        owner = id_of(persona, "persona")
        return self._store.query(f"SELECT * FROM memories WHERE persona_id = $p {order}", p=owner)  # noqa: S608

    def __getitem__(self, memory_id: str) -> Memory:
        """The memory with an id.

        Raises:
            NotFoundError: there is none.
        """
        names = ", ".join(Memory.__struct_fields__)
        found = (
            self._store.query(f"SELECT {names} FROM memories WHERE id = $id", id=memory_id).rows()  # noqa: S608
            if is_id(memory_id)
            else []
        )
        if not found:
            msg = f"There is no memory {memory_id!r}."
            raise NotFoundError(msg, hint="Ids are in lab.memories.frame().", id=memory_id)
        values: dict[str, Any] = dict(zip(Memory.__struct_fields__, found[0], strict=True))
        values["id"], values["persona_id"] = str(values["id"]), str(values["persona_id"])
        values["tags"] = tuple(values["tags"])
        return Memory(**values)

    def __len__(self) -> int:
        """How many living memories there are."""
        return int(self._store.query("SELECT count(*) FROM memories").item())

    def __repr__(self) -> str:
        """The count."""
        return f"Memories({said(lambda: f'{len(self):,}')})"


def histories(store: Committer, ids: Sequence[str]) -> dict[str, list[Record]]:
    """The events of memories, in order, as ``restore_memory`` takes them.

    Args:
        store: where the log can be read.
        ids: which.
    """
    columns = ", ".join(Record.__struct_fields__)
    wanted = "SELECT unnest(string_split($ids, ','))::UUID"
    sql = f"SELECT {columns} FROM events WHERE entity_id IN ({wanted}) ORDER BY seq"  # noqa: S608
    found: dict[str, list[Record]] = {}
    for row in store.query(sql, ids=",".join(ids)).rows() if ids else ():
        values: dict[str, Any] = dict(zip(Record.__struct_fields__, row, strict=True))
        values["occurred_at"] = micros(values["occurred_at"])
        found.setdefault(values["entity_id"], []).append(Record(**values))
    return found
