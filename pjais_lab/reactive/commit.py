"""What goes into a commit and what comes out of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from pjais_lab.core.bulk import encode_all
from pjais_lab.core.event import Draft, Event, Record
from pjais_lab.core.registry import Registry
from pjais_lab.errors import RejectedError
from pjais_lab.reactive._admission import Prepared

__all__ = ["Command", "Commit", "new_entity_id", "prepare"]

Command = Callable[[Any], Iterable[Draft | Event]]
"""A decision made under the write lock: reads the state, gives drafts."""

_VARIANT: Final = {d: "89ab"[int(d, 16) % 4] for d in "0123456789abcdef"}


class Commit(msgspec.Struct, frozen=True):
    """What a commit appended.

    Attributes:
        seq_first: place of the first event; 0 inside a batch, which numbers its events at the end.
        seq_last: place of the last event.
        records: the events as stored; empty inside a batch.
        entity_ids: the entity of each event, also inside a batch.
        is_replay: the idempotency key was known: these events were stored by an earlier commit.
    """

    seq_first: int
    seq_last: int
    records: tuple[Record, ...] = ()
    entity_ids: tuple[str | None, ...] = ()
    is_replay: bool = False

    @property
    def id(self) -> str:
        """The entity of the first event.

        Raises:
            RejectedError: the first event is about no entity.
        """
        found = self.entity_ids[0] if self.entity_ids else None
        if found is None:
            msg = "The commit's first event is about no entity, so it has no id."
            raise RejectedError(msg)
        return found


def new_entity_id(now_ms: int) -> str:
    """A fresh UUIDv7 (RFC 9562 §5.7) with 74 random bits, for a new entity."""
    return next(_fresh_ids(now_ms, 1))


def _fresh_ids(now_ms: int, at_once: int) -> Iterator[str]:
    stamp = f"{now_ms:012x}"
    head = f"{stamp[:8]}-{stamp[8:]}-7"
    while True:
        pool = secrets.token_hex(10 * at_once)  # one system call for many ids
        for i in range(0, len(pool), 20):
            t = pool[i : i + 20]
            yield f"{head}{t[:3]}-{_VARIANT[t[3]]}{t[4:7]}-{t[7:19]}"


def prepare(
    items: Sequence[Draft | Event],
    registry: Registry,
    limit_bytes: int,
    now_ms: int,
    by: tuple[str | None, str | None] = (None, None),
) -> list[Prepared]:
    """Check and encode drafts; entities to be created get their ids.

    Args:
        items: events or drafts.
        registry: what is declared.
        limit_bytes: the longest content allowed.
        now_ms: the wall clock, for new ids.
        by: actor and cause.

    Raises:
        RejectedError: a field is wrong, or an event of this definition was never declared here.
    """
    drafts = [item if isinstance(item, Draft) else Draft(item) for item in items]
    _check_declared(drafts, registry)
    unwritten = encode_all([d.event for d in drafts if d.args is None], limit_bytes)
    texts = iter(unwritten)
    fresh = _fresh_ids(now_ms, min(len(items), 1024))
    prepared: list[Prepared] = []
    for draft in drafts:
        spec = draft.event.__event__
        args = draft.args if draft.args is not None else next(texts)
        entity_id, is_minted = draft.entity_id, False
        if spec.entity is not None and entity_id is None:
            if spec.persona == "self" and draft.persona_id is not None:
                entity_id = draft.persona_id
            elif spec.effect == "create":
                entity_id, is_minted = next(fresh), True
        prepared.append(Prepared(spec, draft, entity_id, is_minted, args, *by))
    return prepared


def _check_declared(drafts: Sequence[Draft], registry: Registry) -> None:
    for kind in {type(d.event) for d in drafts}:
        name = kind.__event__.name
        if registry.events.get(name) is not kind:
            registry.event(name)
            msg = f"{name} is declared by another class than the one committed."
            raise RejectedError(msg, hint="Declare it again with lab.declare().", name=name)
