"""Events: typed definitions, drafts on their way into the log, records that came out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import (
    Any,
    ClassVar,
    Final,
    Literal,
    Protocol,
    TypeVar,
    dataclass_transform,
    runtime_checkable,
)

import msgspec

from pjais_lab.core.ids import is_id
from pjais_lab.core.spelling import SpelledMeta
from pjais_lab.errors import DeclarationError, RejectedError

__all__ = [
    "ENVELOPE_FIELDS",
    "Chunk",
    "Draft",
    "Effect",
    "Event",
    "EventSpec",
    "HasId",
    "Record",
    "Scope",
    "event",
    "id_of",
    "micros",
    "moment",
]

Effect = Literal["create", "put", "update", "delete", "erase"]
Scope = Literal["synced", "local"]
PersonaRule = Literal["required", "self", "none"]

ENVELOPE_FIELDS: Final = ("$id", "$occurred_at", "$persona_id", "$entity_id", "$actor", "$cause")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_US: Final = -62_135_596_800_000_000
_LAST_US: Final = 253_402_300_799_999_999
_SHOWN: Final = 60


class EventSpec(msgspec.Struct, frozen=True):
    """What the log has to know about an event definition.

    Attributes:
        name: versioned wire name, ``v1.MemoryRecorded``.
        entity: the kind of entity it is about, or None.
        effect: what it does to that entity's life.
        persona: whether it must name a persona; ``self`` when the entity is the persona.
        refs: fields that must name a living entity, and of which kind.
        scope: ``local`` events never leave the replica.
    """

    name: str
    entity: str | None = None
    effect: Effect | None = None
    persona: PersonaRule = "none"
    refs: Mapping[str, str] = {}
    scope: Scope = "synced"


@runtime_checkable
class HasId(Protocol):
    """Anything with an id: a model, a record, a handle."""

    @property
    def id(self) -> str:
        """The entity's id."""
        ...


# Subclasses inherit ``frozen``; type checkers learn that only from here.
@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Event(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=False,
    metaclass=SpelledMeta,
):
    """Base of all event definitions: an immutable fact, in the past tense.

    A field typed ``T | msgspec.UnsetType = msgspec.UNSET`` is left out of the stored event when
    unset and then changes nothing; an explicit ``None`` is a value like any other.
    """

    __event__: ClassVar[EventSpec]

    def on(
        self,
        persona: HasId | str | None = None,
        entity: HasId | str | None = None,
        *,
        at: datetime | None = None,
        cause: str | None = None,
    ) -> Draft:
        """Say what the event is about.

        Args:
            persona: the persona it belongs to, or its id.
            entity: the entity it creates or changes, or its id; minted when a create leaves it out.
            at: when it happened in the persona's world, UTC if naive; the commit's time if None.
            cause: the id of the event it answers.

        Raises:
            RejectedError: an id is not UUID text, or ``at`` is no datetime.
        """
        return Draft(
            self,
            _named(persona),
            _named(entity),
            None if at is None else _micros(at),
            _named(cause),
        )


class Draft(msgspec.Struct, frozen=True, metaclass=SpelledMeta):
    """An event on its way into the log; the commit gives it its id and place.

    Checked when made: once a commit is in the journal, nothing may stand in the way of applying it.

    Attributes:
        event: the typed content.
        persona_id: the persona it belongs to.
        entity_id: the entity it creates or changes.
        occurred_at: microseconds since the Unix epoch, UTC; None means the commit's time.
        cause: the id of the event it answers.
        args: the content already encoded by ``core.codec.encode``, for bulk writers.
    """

    event: Event
    persona_id: str | None = None
    entity_id: str | None = None
    occurred_at: int | None = None
    cause: str | None = None
    args: str | None = None

    def __post_init__(self) -> None:
        """Refuse what the log could not hold.

        Raises:
            RejectedError: no event, an id that is not UUID text, or a time out of range.
        """
        if not isinstance(self.event, Event):
            msg = f"Expected an event, a draft or a function that gives them, got {_short(self.event)}."
            raise RejectedError(msg, hint="Make a draft with event.on(persona, entity).")
        for value, role in (
            (self.persona_id, "persona"),
            (self.entity_id, "entity"),
            (self.cause, "cause"),
        ):
            if value is not None and not is_id(value):
                raise _no_id(value, role)
        at: Any = self.occurred_at
        if at is not None and (type(at) is not int or not _FIRST_US <= at <= _LAST_US):
            msg = f"The time {_short(at)} is not microseconds since 1970 between the years 1 and 9999."
            raise RejectedError(msg, hint="Give a datetime with .on(at=...).", at=at)
        if self.args is not None and type(self.args) is not str:
            msg = (
                f"The content of {self.event.__event__.name} is {_short(self.args)}, not JSON text."
            )
            raise RejectedError(msg, name=self.event.__event__.name)


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One event of the log: its envelope and its content.

    Attributes:
        seq: place in this journal, from 1, without gaps.
        id: UUIDv7 of a hybrid logical clock; unique everywhere, sorts by causality.
        name: versioned wire name.
        entity_id: the entity it is about.
        persona_id: shard key; None for the workspace.
        epoch: the entity's epoch, odd alive and even deleted; 0 without entity.
        occurred_at: microseconds since the Unix epoch, UTC: when it happened in the persona's world.
        origin: the replica that wrote it, 11 hexadecimal digits.
        origin_seq: its number there, gapless.
        actor: who did it: ``user:…``, ``plugin:…``, ``import:…``.
        cause: the id of the event it answers.
        args: the content as canonical JSON text; None once erased.
    """

    seq: int
    id: str
    name: str
    entity_id: str | None
    persona_id: str | None
    epoch: int
    occurred_at: int
    origin: str
    origin_seq: int
    actor: str
    cause: str | None
    args: str | None

    def __repr__(self) -> str:
        """Name, place and the beginning of the content."""
        args = "erased" if self.args is None else self.args[:80]
        return f"<{self.name} seq={self.seq} {args}>"


class Chunk(msgspec.Struct, frozen=True):
    """What one commit appended: records with consecutive numbers, one row of the journal.

    Attributes:
        seq_first: the first record's place in the journal.
        seq_last: the last record's.
        origin: the replica that wrote all of them.
        origin_seq_last: the last record's number there.
        records: the events, in order.
    """

    seq_first: int
    seq_last: int
    origin: str
    origin_seq_last: int
    records: tuple[Record, ...]


_E = TypeVar("_E", bound=Event)


def event(
    name: str,
    *,
    entity: str | None = None,
    effect: Effect | None = None,
    persona: PersonaRule | None = None,
    refs: Mapping[str, str] | None = None,
    scope: Scope = "synced",
) -> Callable[[type[_E]], type[_E]]:
    """Declare an event: a class decorator over a subclass of ``Event``.

    Args:
        name: versioned wire name, ``v1.BookRead``; never changes once stored.
        entity: the kind of entity it is about; a table declares the kind.
        effect: ``create``, ``put`` (create unless alive), ``update``, ``delete`` or ``erase``;
            ``update`` when an entity is given.
        persona: ``required`` when it must belong to a persona, ``self`` when it is about one.
        refs: fields holding the id of another entity that must be alive, and that entity's kind.
        scope: ``local`` events never leave this replica.

    Raises:
        DeclarationError: the name has no version, or a reference names no field.

    >>> @event("v1.BookRead", entity="book", effect="create")
    ... class BookRead(Event):
    ...     title: str
    >>> BookRead.__event__.name, BookRead(title="Emma").on().event.title
    ('v1.BookRead', 'Emma')
    """
    version, _, word = name.partition(".")
    if not (version[:1] == "v" and version[1:].isdigit() and word):
        msg = f"The event name {name!r} has no version; write it as 'v1.{name}'."
        raise DeclarationError(msg, name=name)
    if effect is not None and entity is None:
        msg = f"{name} has the effect {effect!r} but no entity; name the kind it is about."
        raise DeclarationError(msg, name=name)
    rule: PersonaRule = persona or ("self" if entity == "persona" else "none")
    spec = EventSpec(
        name=name,
        entity=entity,
        effect=effect or ("update" if entity else None),
        persona=rule,
        refs=dict(refs or {}),
        scope=scope,
    )

    def declare(cls: type[_E]) -> type[_E]:
        missing = sorted(set(spec.refs) - set(cls.__struct_fields__))
        if missing:
            msg = f"{name} declares references by {missing}, which are not among its fields."
            raise DeclarationError(msg, name=name, missing=missing)
        cls.__event__ = spec
        return cls

    return declare


def micros(at: datetime) -> int:
    """Microseconds since the Unix epoch; a naive datetime is UTC.

    >>> micros(datetime(1970, 1, 1, 0, 0, 1))
    1000000
    """
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    delta = aware - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def moment(us: int) -> datetime:
    """The naive UTC datetime of microseconds since the Unix epoch.

    >>> moment(1_000_000)
    datetime.datetime(1970, 1, 1, 0, 0, 1)
    """
    return datetime.fromtimestamp(us // 1_000_000, UTC).replace(
        microsecond=us % 1_000_000, tzinfo=None
    )


def id_of(thing: HasId | str, role: str) -> str:
    """The id of a thing, or the id itself.

    Args:
        thing: a model, a record, or an id.
        role: what it is to the caller, for the message.

    Raises:
        RejectedError: it is neither.

    >>> id_of("018bcfe5-6800-7000-8000-00000000000a", "persona")
    '018bcfe5-6800-7000-8000-00000000000a'
    """
    found = _named(thing)
    if found is None or not is_id(found):
        raise _no_id(found, role)
    return found


def _named(thing: Any) -> str | None:
    if thing is None or isinstance(thing, str):
        return thing
    found: str | None = getattr(thing, "id", thing)
    return found


def _no_id(value: Any, role: str) -> RejectedError:
    msg = f"The {role} {_short(value)} is not an id; expected UUID text or an object with an id."
    return RejectedError(msg, role=role, value=value)


def _micros(at: Any) -> int:
    if not isinstance(at, datetime):
        msg = f"The time {_short(at)} is not a datetime."
        raise RejectedError(msg, hint="Make one with datetime.fromisoformat(text).", at=at)
    return micros(at)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
