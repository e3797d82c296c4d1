"""What a lab is doing, each thing a field of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pjais_lab.core.markup import card, cut, facts, tiles, trouble

if TYPE_CHECKING:
    from pjais_lab.lab.parts import Parts

__all__ = ["Status", "status_of"]

_LONG: Final = 400


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
    keeper_error = parts.keeper.error if parts.keeper is not None else None
    return Status(
        position=state.position,
        head=journal.head(),
        floor=journal.floor(),
        sealed=parts.lake.mark(),
        replica=journal.replica,
        vector=journal.vector(),
        shards=parts.workspace.settings.sharding.shards,
        unsealed=state.unsealed()[0],
        live=len(parts.hub.nodes),
        runs=parts.hub.runs,
        unknown=state.unknown(),
        quarantined=state.quarantined(),
        ignored={i.table: i.reason for i in parts.ignored},
        tailer_error=str(parts.tailer.error) if parts.tailer.error else None,
        has_keeper=parts.keeper is not None,
        keeper_error=str(keeper_error) if keeper_error else None,
    )
