"""Generative Agents memory streams (Park et al., 2023; joonspk-research/generative_agents).

A run is a folder with one folder for each persona, itself or in ``personas/``; a persona's folder
holds, itself or in ``bootstrap_memory/``:

- ``scratch.json``: who the persona is, and the plans and parameters of the simulation;
- ``nodes.json`` (or ``associative_memory/nodes.json``): the memory stream, node id -> node;
- ``spatial_memory.json`` and ``kw_strength.json``, which are kept in the persona's ``extra``.

A node's ``filling`` holds ids of the nodes it was concluded from, or a chat's utterances as
``[speaker, text]``. Every persona keeps its own copy of a chat, so a chat of two is two
conversations. Times have no zone and are taken as UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from pjais_lab.conversations.events import ConversationStarted, MessageAdded
from pjais_lab.core.codec import from_fields
from pjais_lab.core.event import Draft
from pjais_lab.core.ids import natural_id
from pjais_lab.errors import LabError, RejectedError
from pjais_lab.formats import _generative_agents_files as files
from pjais_lab.formats.report import Notes
from pjais_lab.formats.sniff import Format, Row
from pjais_lab.memories.events import MemoryLinked, MemoryRecorded, link_id
from pjais_lab.memories.state import scale_importance
from pjais_lab.personas.events import PersonaCreated

__all__ = ["FORMAT"]

NAME: Final = "generative_agents"
_SCALE: Final = "1-10"
_LONGEST_TAG: Final = 100
_MOST_TAGS: Final = 1000
_BEHAVIOUR: Final = (
    *("age", "innate", "currently", "lifestyle", "living_area"),
    *("daily_plan_req", "daily_req", "daily_schedule"),
)
"""Fields of ``scratch.json`` that say how the persona behaves."""


class _Node(msgspec.Struct, frozen=True):
    """The fields of a node that have a place here."""

    type: str
    created: str
    description: str
    poignancy: float
    expiration: str | None = None
    keywords: list[str] = []
    filling: Any = None


class _Memory(msgspec.Struct, frozen=True):
    """A node that could be read."""

    id: str
    path: str
    node: _Node
    at: datetime
    draft: Draft


class _Person(msgspec.Struct, frozen=True):
    """A persona and its stream."""

    id: str
    name: str
    path: str
    memories: Mapping[str, _Memory]


def _read(path: Path, notes: Notes) -> Iterator[Row]:
    """All personas, then for each its memories, links and conversations."""
    people: dict[str, _Person] = {}
    for source in files.people_in(path, notes):
        if source.name in people:
            notes.skip(source.path, f"Another folder holds {source.name!r} too.", source.rows)
            continue
        memories = _memories(source, notes)
        try:
            draft = _persona(source, min((m.at for m in memories.values()), default=None), notes)
        except _BAD as error:
            notes.skip(f"{source.path}/scratch.json", _reason(error), source.rows)
            continue
        person = _Person(_persona_id(source.name), source.name, source.path, memories)
        people[source.name] = person
        yield Row("persona", f"{source.path}/scratch.json", draft)
    ids = {name: person.id for name, person in people.items()}
    for person in people.values():
        yield from _stream(person, ids, notes)


def _persona_id(name: str) -> str:
    return natural_id(NAME, "persona", name)


def _persona(source: files.Source, since: datetime | None, notes: Notes) -> Draft:
    scratch = source.scratch
    behaviour = {k: scratch[k] for k in _BEHAVIOUR if k in scratch}
    extra = {k: v for k, v in scratch.items() if k not in {*_BEHAVIOUR, "name", "learned"}}
    notes.unmapped.update(f"scratch.json: {field}" for field in extra)
    notes.unmapped.update(f"{name}.json" for name in source.beside)
    learned = scratch.get("learned", "")
    fields = {
        "name": source.name,
        "description": learned,
        "behaviour": behaviour,
        "extra": extra | source.beside,
    }
    made = from_fields(PersonaCreated, fields)
    return made.on(entity=_persona_id(source.name), at=since)


def _memories(source: files.Source, notes: Notes) -> dict[str, _Memory]:
    """The readable nodes by id, in the order they came to be; the file lists the newest first."""
    found: dict[str, _Memory] = {}
    for key, value in reversed(source.nodes.items()):
        path = f"{source.path}/nodes.json:{key}"
        try:
            found[key] = _memory(source.name, key, value, path, notes)
        except _BAD as error:
            notes.skip(path, _reason(error))
    return dict(sorted(found.items(), key=lambda item: item[1].at))


def _memory(name: str, key: str, value: Any, path: str, notes: Notes) -> _Memory:
    node = msgspec.convert(value, _Node)
    extra = {k: v for k, v in value.items() if k not in _Node.__struct_fields__}
    tags = [k for k in node.keywords if 0 < len(k) <= _LONGEST_TAG][:_MOST_TAGS]
    if len(tags) < len(node.keywords):
        extra["keywords"] = node.keywords
    at = files.moment(node.created)
    fields = {
        "content": node.description,
        "kind": node.type,
        "importance": scale_importance(node.poignancy, _SCALE),
        "importance_raw": node.poignancy,
        "importance_scale": _SCALE,
        "tags": tags,
        "expires_at": None if node.expiration is None else files.moment(node.expiration),
        "source": f"{NAME}:{key}",
        "extra": extra,
    }
    entity = natural_id(NAME, "memory", name, key, node.created, node.description)
    draft = from_fields(MemoryRecorded, fields).on(_persona_id(name), entity, at=at)
    notes.unmapped.update(f"nodes.json: {field}" for field in extra)
    return _Memory(entity, path, node, at, draft)


def _stream(person: _Person, ids: Mapping[str, str], notes: Notes) -> Iterator[Row]:
    for memory in person.memories.values():
        yield Row("memory", memory.path, memory.draft)
    for memory in person.memories.values():
        filling = _filling(memory, notes)
        yield from _links(person, memory, filling, notes)
        yield from _chat(person, memory, filling, ids, notes)


def _filling(memory: _Memory, notes: Notes) -> list[Any]:
    found = memory.node.filling
    if found is None:
        return []
    if isinstance(found, str):
        notes.warn(memory.path, "'filling' is a bare string; taken as one node id.")
        return [found]
    if isinstance(found, list):
        return list(found)
    got = type(found).__name__
    notes.skip(f"{memory.path}.filling", f"Expected a list or null, got {got}.")
    return []


def _links(person: _Person, memory: _Memory, filling: list[Any], notes: Notes) -> Iterator[Row]:
    """Evidence: the elements that are node ids."""
    seen: set[str] = set()
    for n, key in enumerate(filling):
        path = f"{memory.path}.filling[{n}]"
        if not isinstance(key, str):
            continue
        if key in seen:
            notes.warn(path, "The same evidence is named twice; linked once.")
            continue
        seen.add(key)
        target = person.memories.get(key)
        if target is None:
            notes.skip(path, f"There is no readable node {key!r} to link to.")
            continue
        made = MemoryLinked(source_id=memory.id, target_id=target.id, relation="evidence")
        entity = link_id(memory.id, target.id, "evidence")
        yield Row("link", path, made.on(person.id, entity, at=memory.at))


def _chat(
    person: _Person, memory: _Memory, filling: list[Any], ids: Mapping[str, str], notes: Notes
) -> Iterator[Row]:
    """A conversation: the elements that are not node ids."""
    said = [(n, u) for n, u in enumerate(filling) if not isinstance(u, str)]
    if not said:
        return
    conversation = natural_id(NAME, "conversation", memory.id)
    others = {ids[s] for _, u in said for s in _speakers(u) if s in ids} - {person.id}
    alone = ConversationStarted(
        title=memory.node.description,
        participants=(person.id,),
        extra={"memory_id": memory.id},
    )
    together = msgspec.structs.replace(alone, participants=(person.id, *sorted(others)))
    drafts = [c.on(person.id, conversation, at=memory.at) for c in (together, alone)]
    yield Row("conversation", memory.path, *drafts)
    for n, utterance in said:
        path = f"{memory.path}.filling[{n}]"
        try:
            speaker, text = msgspec.convert(utterance, tuple[str, str])
            fields = {
                "conversation_id": conversation,
                "content": text,
                "speaker": speaker,
                "position": n,
            }
            plain = from_fields(MessageAdded, fields)
        except _BAD as error:
            notes.skip(path, _reason(error))
            continue
        known = msgspec.structs.replace(plain, speaker_id=ids.get(speaker))
        entity = natural_id(NAME, "message", conversation, str(n))
        drafts = [m.on(person.id, entity, at=memory.at) for m in (known, plain)]
        yield Row("message", path, *drafts)


def _speakers(utterance: Any) -> list[str]:
    first = list(utterance)[:1] if isinstance(utterance, list) else []
    return [s for s in first if isinstance(s, str)]


_BAD: Final = (msgspec.ValidationError, RejectedError, ValueError, OverflowError)


def _reason(error: Exception) -> str:
    if isinstance(error, LabError):
        return error.message
    if isinstance(error, UnicodeError):
        return "It holds half a surrogate pair, which is not text."
    return f"{str(error).rstrip('.')}."


FORMAT: Final = Format(
    name=NAME,
    title="a Generative Agents run, or one persona's folder of it (scratch.json, nodes.json)",
    sniff=files.is_run,
    read=_read,
)
