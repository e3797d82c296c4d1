"""Checked intents about memories; pure functions that give drafts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypedDict, Unpack

from msgspec import UNSET

from pjais_lab.core.codec import from_fields
from pjais_lab.core.event import Draft, HasId, Record, id_of, moment
from pjais_lab.core.merge import fold
from pjais_lab.core.spelling import check_keywords, near, spelled
from pjais_lab.errors import RejectedError
from pjais_lab.memories.events import (
    MemoryForgotten,
    MemoryLinked,
    MemoryRecalled,
    MemoryRecorded,
    MemoryRestored,
    MemoryRetiered,
    MemoryRevised,
    MemoryUnlinked,
    link_id,
)
from pjais_lab.memories.state import (
    RELATIONS,
    ContentType,
    Relation,
    RetierReason,
    Tier,
    scale_importance,
)
from pjais_lab.memories.tables import MEMORIES

__all__ = [
    "Details",
    "forget_memory",
    "link_memories",
    "recall_memory",
    "record_memory",
    "restore_memory",
    "retier_memory",
    "revise_memory",
    "unlink_memories",
]


_RECORD: Final = ("importance", "scale", "tags", "at")


class Details(TypedDict, total=False):
    """What may be said about a memory besides its content."""

    kind: str
    content_type: ContentType
    tier: Tier
    expires_at: datetime | None
    source: str | None
    extra: dict[str, Any]


class Revision(TypedDict, total=False):
    """What can be revised of a memory."""

    content: str
    kind: str
    importance: float
    scale: str | None
    add_tags: tuple[str, ...]
    remove_tags: tuple[str, ...]
    expires_at: datetime | None
    extra: dict[str, Any]


def record_memory(
    persona: HasId | str,
    content: str,
    *,
    importance: float = 0.5,
    scale: str | None = None,
    tags: Iterable[str] = (),
    id: str | None = None,
    at: datetime | None = None,
    **details: Unpack[Details],
) -> Draft:
    """A new memory.

    Args:
        persona: whose, or its id.
        content: the text, or where the file lies.
        importance: 0 to 1, or on ``scale``.
        scale: the scale ``importance`` is given on, such as ``1-10``; kept beside it.
        tags: labels.
        id: the id it gets; a new one if None.
        at: when it was formed, in the persona's world; now if None.
        details: kind, content type, tier, expiry, source and foreign fields.

    Raises:
        RejectedError: an id is not UUID text, or the importance lies outside its scale.

    >>> record_memory(
    ...     "018bcfe5-6800-7000-8000-00000000000a", "hi", importance=10, scale="1-10"
    ... ).event.importance
    1.0
    """
    check_keywords("record", details, (*_RECORD, *Details.__annotations__))
    made = MemoryRecorded(
        content=content,
        importance=scale_importance(importance, "0-1" if scale is None else scale),
        importance_raw=None if scale is None else importance,
        importance_scale=scale,
        tags=_listed(tags),
        **details,
    )
    return made.on(persona, id, at=at)


def revise_memory(
    memory: HasId | str, *, at: datetime | None = None, **changes: Unpack[Revision]
) -> Draft:
    """Set some of a memory's fields anew.

    Args:
        memory: which, or its id.
        at: when; now if None.
        changes: the fields of ``Revision``; an importance is on ``scale``, 0 to 1 if none.

    Raises:
        RejectedError: the id is not UUID text, the importance lies outside its scale, or nothing
            is changed.
    """
    check_keywords("revise", changes, ("at", *Revision.__annotations__))
    fields: dict[str, Any] = dict(changes)
    scale = fields.pop("scale", None)
    for name in ("add_tags", "remove_tags"):
        if name in fields:
            fields[name] = _listed(fields[name])
    if "importance" in fields:
        raw = fields["importance"]
        fields |= {"importance_raw": None if scale is None else raw, "importance_scale": scale}
        fields["importance"] = scale_importance(raw, "0-1" if scale is None else scale)
    elif scale is not None:
        msg = f"A revision gives the importance scale {scale!r} but no importance."
        raise RejectedError(msg, hint="Give importance=... as well.", scale=scale)
    if not fields:
        msg = "The revision changes nothing; expected at least one field."
        raise RejectedError(msg, hint=f"There are: {', '.join(Revision.__annotations__)}.")
    return MemoryRevised(**fields).on(entity=memory, at=at)


@spelled
def recall_memory(
    memory: HasId | str,
    *,
    query: str | None = None,
    score: float | None = None,
    at: datetime | None = None,
) -> Draft:
    """Note that a memory was found and used.

    Args:
        memory: which, or its id.
        query: what was looked for.
        score: how well it fitted.
        at: when; now if None.

    Raises:
        RejectedError: the id is not UUID text.
    """
    used = MemoryRecalled(
        query=UNSET if query is None else query, score=UNSET if score is None else score
    )
    return used.on(entity=memory, at=at)


@spelled
def link_memories(
    source: HasId | str,
    target: HasId | str,
    relation: Relation = "references",
    *,
    strength: float = 1.0,
    confidence: float = 1.0,
    extra: Mapping[str, Any] | None = None,
    persona: HasId | str | None = None,
    at: datetime | None = None,
) -> Draft:
    """Say that a memory refers to another.

    Args:
        source: the memory that refers, or its id.
        target: the memory referred to, or its id.
        relation: how; ``evidence`` leads from a conclusion to what it rests on.
        strength: 0 to 1.
        confidence: 0 to 1.
        extra: foreign fields.
        persona: whose memory ``source`` is.
        at: when; now if None.

    Raises:
        RejectedError: an id is not UUID text, or there is no such relation.
    """
    _check_relation(relation)
    ends = id_of(source, "memory"), id_of(target, "memory")
    made = MemoryLinked(*ends, relation, strength, confidence, dict(extra or {}))
    return made.on(persona, at=at)


def unlink_memories(
    source: HasId | str, target: HasId | str, relation: Relation = "references", reason: str = ""
) -> Draft:
    """Take a link back.

    Raises:
        RejectedError: an id is not UUID text, or there is no such relation.
    """
    _check_relation(relation)
    link = link_id(id_of(source, "memory"), id_of(target, "memory"), relation)
    return MemoryUnlinked(reason=reason).on(entity=link)


@spelled
def retier_memory(
    memory: HasId | str,
    tier: Tier,
    reason: RetierReason = "manual",
    *,
    at: datetime | None = None,
) -> Draft:
    """Move a memory to another tier.

    Raises:
        RejectedError: the id is not UUID text.
    """
    return MemoryRetiered(tier=tier, reason=reason).on(entity=memory, at=at)


@spelled
def forget_memory(memory: HasId | str, reason: str = "", *, at: datetime | None = None) -> Draft:
    """Let a memory go; it stays in the log, not in the state.

    Raises:
        RejectedError: the id is not UUID text.
    """
    return MemoryForgotten(reason=reason).on(entity=memory, at=at)


def restore_memory(memory: HasId | str, history: Sequence[Record]) -> Draft:
    """Bring a forgotten memory back as it was.

    Args:
        memory: which, or its id.
        history: its events.

    Raises:
        RejectedError: it never existed, is alive, was erased, or cannot be read any more.
    """
    key = id_of(memory, "memory")
    epoch = max((r.epoch for r in history), default=0)
    last = [r for r in history if r.epoch == epoch - 1 and r.args is not None]
    if epoch % 2 or not last:
        state = "was not forgotten" if epoch % 2 else "has no history that could be read"
        msg = f"The memory {key} cannot be restored: it {state}."
        raise RejectedError(msg, hint="Ids of forgotten ones are in events.", id=key)
    found = {name: merge.value(fold(merge, last)) for name, merge in MEMORIES.columns.items()}
    for name in ("created_at", "last_recalled_at", "revised_at"):
        value = found[name]
        found[name] = moment(value) if isinstance(value, int) else value
    return from_fields(MemoryRestored, found).on(last[0].persona_id, key)


def _check_relation(relation: str) -> None:
    if relation not in RELATIONS:
        msg = f"There is no relation {relation!r}; expected one of {', '.join(RELATIONS)}."
        hint = near(str(relation), RELATIONS)
        raise RejectedError(msg, hint=hint if hint.startswith("Did") else None, relation=relation)


def _listed(tags: Iterable[str]) -> tuple[str, ...]:
    """Any iterable but text, which is one of letters; the codec judges what is in it."""
    if isinstance(tags, str) or not isinstance(tags, Iterable):
        msg = f"The tags are of type {type(tags).__name__}; expected a list of texts."
        raise RejectedError(msg, hint="Write tags=['reading'].", tags=tags)
    return tuple(tags)
