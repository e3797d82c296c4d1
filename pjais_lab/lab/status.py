"""What a lab is doing, each thing a field of its own."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec

from pjais_lab.core.markup import card, cut, facts, tiles, trouble
from pjais_lab.storage.lake import LakeSummary
from pjais_lab.storage.lease import Holder, holder_of

if TYPE_CHECKING:
    from pjais_lab.lab.parts import Parts

__all__ = ["Follower", "Status", "status_of"]

_LONG: Final = 400
_TAILER: Final = "following other processes"
_KEEPER: Final = "sealing by itself"


class Follower(msgspec.Struct, frozen=True):
    """A thread of the lab.

    Attributes:
        name: what it does.
        is_alive: whether it runs.
        behind: events that it has still to see.
        error: why it fails; None when it works.
    """

    name: str
    is_alive: bool
    behind: int
    error: str | None


class Status(msgspec.Struct, frozen=True):
    """Positions, sizes and troubles. Reading it changes nothing.

    Attributes:
        position: the event that this lab's state has reached.
        head: the journal's last event.
        floor: the last event purged from the journal.
        sealed: the last event in the lake.
        replica: who writes here.
        vector: replica -> its last number.
        shards: how many shards personas are spread over.
        unsealed: events that only the journal has.
        live: live queries, computed values and models.
        runs: queries that the hub has run.
        unknown: wire names that nobody declares -> events.
        quarantined: events that an upcaster could not read.
        ignored: checkpoints passed over at start, with the reason.
        tailer_error: why following other processes fails; None when it works.
        has_keeper: whether this lab seals by itself.
        keeper_error: why that fails; None when it works.
        journal_bytes: size of the journal's files.
        last_commit: when the newest event was committed, UTC.
        sealer: which process is sealing; None when none is.
        lake: files of events by shard, the last seal and checkpoint.
        memory_bytes: what DuckDB holds in memory.
        followers: the lab's threads.
    """

    position: int
    head: int
    floor: int
    sealed: int
    replica: str
    vector: dict[str, int]
    shards: int
    unsealed: int
    live: int
    runs: int
    unknown: dict[str, int]
    quarantined: int
    ignored: dict[str, str]
    tailer_error: str | None
    has_keeper: bool
    keeper_error: str | None
    journal_bytes: int
    last_commit: datetime | None
    sealer: Holder | None
    lake: LakeSummary
    memory_bytes: int
    followers: tuple[Follower, ...]

    def __repr__(self) -> str:
        """One field a line."""
        values = {name: cut(repr(getattr(self, name)), _LONG) for name in self.__struct_fields__}
        return "Status(\n" + ",\n".join(f"  {k} = {v}" for k, v in values.items()) + "\n)"

    def _repr_html_(self) -> str:
        figures = tiles(
            {
                "position": f"{self.position:,}",
                "sealed": f"{self.sealed:,}",
                "only in the journal": f"{self.unsealed:,}",
                "live": f"{self.live:,}",
                "queries run for them": f"{self.runs:,}",
            }
        )
        rows = [
            ("replica", self.replica),
            ("shards", self.shards),
            ("writers", _counts(self.vector)),
            ("unknown events", _counts(self.unknown)),
            ("unreadable events", f"{self.quarantined:,}"),
            ("seals by itself", self.has_keeper),
            ("last commit", self.last_commit),
            ("last seal", self.lake.sealed_at),
        ]
        troubles = [
            *(f"checkpoint of {t} passed over: {why}" for t, why in self.ignored.items()),
            self.tailer_error and f"following other processes: {self.tailer_error}",
            self.keeper_error and f"sealing by itself: {self.keeper_error}",
        ]
        where = f"at event {self.head:,}"
        return card("Lab status", where, figures, facts(rows), *map(trouble, troubles))


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name}: {n:,}" for name, n in counts.items()) or "none"


def status_of(parts: Parts) -> Status:
    """Look at every part of an open lab."""
    journal, state = parts.journal, parts.state
    mark, position, head = state.mark, state.position, journal.head()
    followers, lake = _followers(parts, head), parts.lake.summary()
    errors = {f.name: f.error for f in followers}
    return Status(
        position=position,
        head=head,
        floor=journal.floor(),
        sealed=lake.mark,
        replica=journal.replica,
        vector=journal.vector(),
        shards=parts.workspace.settings.sharding.shards,
        unsealed=position - mark,  # every place of the log is taken once
        live=len(parts.hub.nodes),
        runs=parts.hub.runs,
        unknown=state.unknown(),
        quarantined=state.quarantined(),
        ignored={i.table: i.reason for i in parts.ignored},
        tailer_error=errors[_TAILER],
        has_keeper=parts.keeper is not None,
        keeper_error=errors.get(_KEEPER),
        journal_bytes=_size(journal.path),
        last_commit=_committed_at(journal.last_id()),
        sealer=holder_of(journal.lease_row("sealer"), round(time.time() * 1000)),
        lake=lake,
        memory_bytes=state.memory_bytes(),
        followers=followers,
    )


def _followers(parts: Parts, head: int) -> tuple[Follower, ...]:
    """The threads, the one that follows other processes first."""
    tailer, keeper, hub, position = parts.tailer, parts.keeper, parts.hub, parts.state.position
    found = [
        Follower(_TAILER, tailer.is_alive, max(0, head - position), _said(tailer.error)),
        Follower("what is live", hub.is_alive, max(0, position - hub.shown), None),
    ]
    if keeper is not None:
        waiting = position - parts.state.mark
        found.append(Follower(_KEEPER, keeper.is_alive, waiting, _said(keeper.error)))
    return tuple(found)


def _said(error: Exception | None) -> str | None:
    return None if error is None else str(error)


def _size(journal: Path) -> int:
    """Bytes of the journal and of SQLite's own log."""
    found = 0
    for path in (journal, journal.with_name(f"{journal.name}-wal")):
        try:
            found += path.stat().st_size
        except OSError:  # SQLite takes its log away when nobody has the file open
            continue
    return found


def _committed_at(last_id: str | None) -> datetime | None:
    """The time in an event's id."""
    if last_id is None:
        return None
    return datetime.fromtimestamp((UUID(last_id).int >> 80) / 1000, UTC).replace(tzinfo=None)
