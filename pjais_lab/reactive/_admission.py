"""Admission: what a commit checks, under the write lock, against the state at exactly that position.

Everything here is decided from declarations (an event's effect and references, a table's unique
columns), so an event committed by hand passes the same checks as one made by a command.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from pjais_lab.core.codec import decode
from pjais_lab.core.event import Draft, EventSpec
from pjais_lab.core.registry import Registry
from pjais_lab.errors import RejectedError

__all__ = ["ERASED_EPOCH", "Lookup", "Prepared", "Stamp", "admit"]

ERASED_EPOCH: Final = 2_000_000_000
"""The terminal epoch: even, and higher than any entity reaches."""

Life = tuple[int, str | None]


class Lookup(Protocol):
    """What admission asks of the state."""

    def epochs(self, kind: str, ids: Sequence[str]) -> Mapping[str, Life]:
        """Entity id -> (epoch, persona id), for those that exist."""
        ...

    def taken(self, table: str, column: str, values: Sequence[Any]) -> Mapping[Any, str]:
        """Value -> id of the living row that has it."""
        ...


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """A draft whose content has been checked and encoded.

    Attributes:
        spec: what its definition declares.
        draft: as the caller gave it.
        entity_id: given, or minted for a create.
        is_minted: the id was made for this commit, so nobody can have it.
        args: canonical JSON.
        actor: who did it; None for the store's own.
        cause: the id of the event it answers, unless the draft names one.
    """

    spec: EventSpec
    draft: Draft
    entity_id: str | None
    is_minted: bool
    args: str
    actor: str | None = None
    cause: str | None = None


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """What admission adds to a prepared draft.

    Attributes:
        persona_id: given, or taken from the entity.
        epoch: the entity's epoch that the event carries.
    """

    persona_id: str | None
    epoch: int


def admit(prepared: Sequence[Prepared], registry: Registry, lookup: Lookup) -> list[Stamp]:
    """Check a batch in order, each event seeing those before it, and stamp the epochs.

    Args:
        prepared: the batch.
        registry: the declarations.
        lookup: the state at the position the batch will be appended to.

    Raises:
        RejectedError: an entity or persona is missing, gone or taken. Nothing is to be stored.
    """
    lives = _Lives(prepared, lookup)
    stamps: list[Stamp] = []
    new: dict[tuple[str, str | None], Stamp] = {}
    for item in prepared:
        # Most of a large batch are new entities without references; all of a kind are alike.
        kind = (item.spec.name, item.draft.persona_id)
        if item.is_minted and kind in new and not item.spec.refs:
            stamp = new[kind]
            lives.set(item.spec.entity or "", item.entity_id or "", (1, stamp.persona_id))
        else:
            stamp = _stamp(item, lives)
            if item.spec.entity == "persona":
                new.clear()
            elif item.is_minted:
                new[kind] = stamp
        stamps.append(stamp)
    _check_unique(prepared, registry, lookup, lives)
    return stamps


class _Lives:
    """Epochs of every entity a batch touches: from the state, then as the batch changes them."""

    def __init__(self, prepared: Sequence[Prepared], lookup: Lookup) -> None:
        wanted: dict[str, set[str]] = defaultdict(set)
        for item in prepared:
            spec = item.spec
            if spec.entity is not None and item.entity_id is not None and not item.is_minted:
                wanted[spec.entity].add(item.entity_id)
            if item.draft.persona_id is not None:
                wanted["persona"].add(item.draft.persona_id)
            for field, kind in spec.refs.items():
                wanted[kind].update(_ids_in(getattr(item.draft.event, field)))
        self._known: dict[tuple[str, str], Life] = {}
        for kind, ids in wanted.items():
            found = lookup.epochs(kind, list(ids))
            self._known.update({(kind, i): life for i, life in found.items()})
        owners = {p for _, p in self._known.values() if p} - wanted.get("persona", set())
        if owners:
            found = lookup.epochs("persona", list(owners))
            self._known.update({("persona", i): life for i, life in found.items()})

    def get(self, kind: str, entity_id: str) -> Life:
        return self._known.get((kind, entity_id), (0, None))

    def ended(self, kind: str, entity_id: str) -> bool:
        epoch = self.get(kind, entity_id)[0]
        return epoch > 0 and epoch % 2 == 0

    def set(self, kind: str, entity_id: str, life: Life) -> None:
        self._known[kind, entity_id] = life


def _stamp(item: Prepared, lives: _Lives) -> Stamp:
    spec = item.spec
    epoch, persona = 0, item.draft.persona_id
    if spec.entity is not None:
        epoch, persona = _next_life(item, lives)
        assert item.entity_id is not None
        lives.set(spec.entity, item.entity_id, (epoch, persona))
    _check_persona(item, persona, lives)
    for field, kind in spec.refs.items():
        for ref in _ids_in(getattr(item.draft.event, field)):
            if lives.get(kind, ref)[0] % 2 == 0:
                msg = f"{spec.name} names in {field!r} the {kind} {ref}, {_gone(lives.get(kind, ref))}."
                raise RejectedError(msg, name=spec.name, field=field, id=ref)
    return Stamp(persona, epoch)


def _next_life(item: Prepared, lives: _Lives) -> Life:
    spec, entity_id = item.spec, item.entity_id
    kind = spec.entity or ""
    if entity_id is None:
        msg = f"{spec.name} does not say which {kind} it is about; give it with .on(entity=...)."
        raise RejectedError(msg, name=spec.name)
    epoch, owner = lives.get(kind, entity_id)
    given = entity_id if spec.persona == "self" else item.draft.persona_id
    problem = _misfit(spec, epoch, owner, given)
    if problem:
        msg = f"{spec.name} is about the {kind} {entity_id}{problem}."
        raise RejectedError(msg, name=spec.name, id=entity_id)
    if spec.effect == "erase":
        return ERASED_EPOCH, given or owner
    is_alive = epoch % 2 == 1
    begins = spec.effect in {"create", "put"} and not is_alive
    if begins:
        return epoch + 1, given or owner
    return epoch + (spec.effect == "delete"), owner or given


def _misfit(spec: EventSpec, epoch: int, owner: str | None, given: str | None) -> str | None:
    is_alive = epoch % 2 == 1
    if epoch >= ERASED_EPOCH:
        return ", which was erased for good"
    if spec.effect == "create":
        return ", which exists already" if is_alive else None
    if not is_alive and (
        spec.effect in {"update", "delete"} or (spec.effect == "erase" and not epoch)
    ):
        return f", {_gone((epoch, owner))}"
    if given is not None and owner is not None and given != owner:
        return f" of persona {owner}, not of {given}"
    return None


def _check_persona(item: Prepared, persona: str | None, lives: _Lives) -> None:
    spec = item.spec
    if spec.persona == "required" and persona is None:
        msg = f"{spec.name} belongs to a persona; say whose with .on(persona=...)."
        raise RejectedError(msg, name=spec.name)
    if persona is not None and spec.persona != "self" and lives.get("persona", persona)[0] % 2 == 0:
        msg = f"{spec.name} names the persona {persona}, {_gone(lives.get('persona', persona))}."
        raise RejectedError(msg, name=spec.name, id=persona)


def _gone(life: Life) -> str:
    if life[0] == 0:
        return "which does not exist"
    return "which was erased for good" if life[0] >= ERASED_EPOCH else "which was deleted"


def _ids_in(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        return (value,)
    return value if isinstance(value, (list, tuple, frozenset, set)) else ()


def _check_unique(
    prepared: Sequence[Prepared], registry: Registry, lookup: Lookup, lives: _Lives
) -> None:
    names = {p.spec.name for p in prepared}
    for table in registry.tables.values():
        for column in table.unique:
            fields = {s.event: s.field for s in table.columns[column].all_sources()}
            if names.isdisjoint(fields):
                continue
            claims = _claims(prepared, fields)
            if not claims:
                continue
            owners = lookup.taken(table.name, column, list(claims))
            changed = set(claims.values())
            for value, entity_id in claims.items():
                owner = owners.get(value, entity_id)
                if owner == entity_id or lives.ended(table.entity, owner):
                    continue
                if owner in changed:
                    continue
                msg = f"Another {table.entity} already has the {column} {value!r}."
                raise RejectedError(msg, column=column, value=value, id=owner)


def _claims(prepared: Sequence[Prepared], fields: Mapping[str, str | None]) -> dict[Any, str]:
    claims: dict[Any, str] = {}
    for entity_id, value in _values(prepared, fields).items():
        if value in claims:
            msg = f"Two entities of one batch would share {value!r}, which must be unique."
            raise RejectedError(msg, value=value)
        claims[value] = entity_id
    return claims


def _values(prepared: Sequence[Prepared], fields: Mapping[str, str | None]) -> dict[str, Any]:
    last: dict[str, Any] = {}
    for item in prepared:
        field = fields.get(item.spec.name)
        if field is None or item.entity_id is None:
            continue
        event = item.draft.event
        if item.draft.args is not None:
            event = decode(type(event), item.draft.args)
        value = getattr(event, field, msgspec.UNSET)
        if value is not msgspec.UNSET and value is not None:
            last[item.entity_id] = value
    return last
