"""The peer of a rebuild: pyeventsourcing reads its log and feeds a projection, in its own words."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import DomainEvent
from eventsourcing.persistence import Tracking
from eventsourcing.popo import POPOTrackingRecorder
from eventsourcing.projection import Projection
from eventsourcing.system import NotificationLogReader

__all__ = ["Peer", "View"]

_PAGE = 5_000


class PersonaCreated(DomainEvent):
    """A persona began."""

    name: str
    description: str


class PersonaMoodChanged(DomainEvent):
    """A persona feels otherwise."""

    emotion: str
    intensity: float


class MemoryRecorded(DomainEvent):
    """A persona will remember this."""

    content: str
    kind: str
    importance: float
    tags: list[str]
    tier: str


class MemoryRecalled(DomainEvent):
    """A memory was used."""


class MemoryRetiered(DomainEvent):
    """A memory moved to another storage class."""

    tier: str


class MemoryForgotten(DomainEvent):
    """A memory is gone."""


class MemoryLinked(DomainEvent):
    """A memory refers to another."""

    source_id: str
    target_id: str
    relation: str
    strength: float


class ConversationStarted(DomainEvent):
    """A conversation began."""

    title: str
    participants: list[str]


class ConversationEnded(DomainEvent):
    """A conversation is over."""

    summary: str | None


class MessageAdded(DomainEvent):
    """Something was said."""

    conversation_id: str
    content: str
    speaker: str


_CLASSES: dict[str, Any] = {
    f"v1.{c.__name__}": c
    for c in (
        PersonaCreated,
        PersonaMoodChanged,
        MemoryRecorded,
        MemoryRecalled,
        MemoryRetiered,
        MemoryForgotten,
        MemoryLinked,
        ConversationStarted,
        ConversationEnded,
        MessageAdded,
    )
}


class View(POPOTrackingRecorder):
    """Rows in dictionaries, by table and id."""

    def __init__(self) -> None:
        super().__init__()
        names = ("personas", "memories", "links", "conversations", "messages")
        self.tables: dict[str, dict[UUID, dict[str, Any]]] = {n: {} for n in names}

    def put(self, table: str, key: UUID, tracking: Tracking, **fields: Any) -> None:
        """Make or change a row, and remember the place in the log."""
        with self._database_lock:
            self._assert_tracking_uniqueness(tracking)
            self._insert_tracking(tracking)
            self.tables[table].setdefault(key, {}).update(fields)

    def recall(self, key: UUID, tracking: Tracking, at: datetime) -> None:
        """Count a recall."""
        with self._database_lock:
            self._assert_tracking_uniqueness(tracking)
            self._insert_tracking(tracking)
            row = self.tables["memories"][key]
            row["recalls"] += 1
            row["last_recalled_at"] = max(at, row["last_recalled_at"] or at)

    def drop(self, table: str, key: UUID, tracking: Tracking) -> None:
        """Remove a row."""
        with self._database_lock:
            self._assert_tracking_uniqueness(tracking)
            self._insert_tracking(tracking)
            self.tables[table].pop(key, None)


class Rows(Projection[View]):
    """The same tables as the lab's, with fewer columns."""

    @singledispatchmethod
    def process_event(self, domain_event: DomainEvent, tracking: Tracking) -> None:
        """Pass an event over."""
        self.view.insert_tracking(tracking)

    @process_event.register
    def _created(self, e: PersonaCreated, tracking: Tracking) -> None:
        fields = {"name": e.name, "description": e.description}
        self.view.put("personas", e.originator_id, tracking, mood="neutral", **fields)

    @process_event.register
    def _felt(self, e: PersonaMoodChanged, tracking: Tracking) -> None:
        self.view.put("personas", e.originator_id, tracking, mood=e.emotion, strength=e.intensity)

    @process_event.register
    def _recorded(self, e: MemoryRecorded, tracking: Tracking) -> None:
        self.view.put(
            "memories",
            e.originator_id,
            tracking,
            content=e.content,
            kind=e.kind,
            importance=e.importance,
            tags=e.tags,
            tier=e.tier,
            created_at=e.timestamp,
            recalls=0,
            last_recalled_at=None,
        )

    @process_event.register
    def _recalled(self, e: MemoryRecalled, tracking: Tracking) -> None:
        self.view.recall(e.originator_id, tracking, e.timestamp)

    @process_event.register
    def _retiered(self, e: MemoryRetiered, tracking: Tracking) -> None:
        self.view.put("memories", e.originator_id, tracking, tier=e.tier)

    @process_event.register
    def _forgotten(self, e: MemoryForgotten, tracking: Tracking) -> None:
        self.view.drop("memories", e.originator_id, tracking)

    @process_event.register
    def _linked(self, e: MemoryLinked, tracking: Tracking) -> None:
        ends = {"source_id": e.source_id, "target_id": e.target_id}
        more = {"relation": e.relation, "strength": e.strength, "linked_at": e.timestamp}
        self.view.put("links", e.originator_id, tracking, **ends, **more)

    @process_event.register
    def _began(self, e: ConversationStarted, tracking: Tracking) -> None:
        fields = {"title": e.title, "participants": e.participants, "began_at": e.timestamp}
        self.view.put("conversations", e.originator_id, tracking, **fields)

    @process_event.register
    def _ended(self, e: ConversationEnded, tracking: Tracking) -> None:
        fields = {"summary": e.summary, "ended_at": e.timestamp}
        self.view.put("conversations", e.originator_id, tracking, **fields)

    @process_event.register
    def _said(self, e: MessageAdded, tracking: Tracking) -> None:
        fields = {"conversation_id": e.conversation_id, "content": e.content, "speaker": e.speaker}
        self.view.put("messages", e.originator_id, tracking, said_at=e.timestamp, **fields)


class _Town(Application[UUID]):
    """Hands its log out in pages as large as the reader likes; 10 is the default."""

    log_section_size = _PAGE


class Peer:
    """An application of pyeventsourcing over SQLite.

    Args:
        path: where its database goes.
    """

    def __init__(self, path: Path) -> None:
        env = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)}
        self._app = _Town(env=env)

    def record(self, events: Sequence[dict[str, Any]]) -> None:
        """Store the lab's events as the application's own."""
        versions: dict[str, int] = {}
        stored = []
        for row in events:
            entity = row["entity_id"]
            versions[entity] = versions.get(entity, 0) + 1
            made = _CLASSES[row["name"]]
            wanted = made.__dataclass_fields__
            fields = {k: v for k, v in json.loads(row["args"]).items() if k in wanted}
            at = row["occurred_at"].replace(tzinfo=UTC)
            event = made(
                originator_id=UUID(entity),
                originator_version=versions[entity],
                timestamp=at,
                **fields,
            )
            stored.append(self._app.mapper.to_stored_event(event))
        self._app.recorder.insert_events(stored)

    def replay(self) -> tuple[int, float, View]:
        """Project the whole log into a new view; how many events, seconds, and the view."""
        view = View()
        projection = Rows(view)
        mapper, name = self._app.mapper, self._app.name
        start = time.perf_counter()
        seen = 0
        reader = NotificationLogReader(self._app.notification_log, section_size=_PAGE)
        for page in reader.select(start=1):
            for notification in page:
                event = mapper.to_domain_event(notification)
                projection.process_event(event, Tracking(name, notification.id))
            seen += len(page)
        return seen, time.perf_counter() - start, view

    def __enter__(self) -> Self:
        """The peer."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close its database."""
        self._app.close()
