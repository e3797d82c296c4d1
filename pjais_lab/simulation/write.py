"""Writing a town into a workspace."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from pjais_lab.core.markup import card, line, tiles
from pjais_lab.errors import RejectedError
from pjais_lab.simulation._ahead import ahead
from pjais_lab.simulation.days import START, generate

if TYPE_CHECKING:
    from collections.abc import Callable

    from pjais_lab.reactive.store import Store
    from pjais_lab.simulation.batch import Columns

__all__ = ["SimulationReport", "simulate"]

_BATCH: Final = 50_000
_TOGETHER: Final = 4
"""Batches that are applied at once: merging into the state costs the less the more there is."""


class SimulationReport(msgspec.Struct, frozen=True):
    """What a simulation wrote.

    Attributes:
        personas: how many people live in the town.
        days: for how long.
        seed: which town.
        events: how many events were written.
        elapsed_s: seconds from the first to the last.
    """

    personas: int
    days: int
    seed: int
    events: int
    elapsed_s: float

    def _repr_html_(self) -> str:
        figures = tiles(
            {
                "personas": f"{self.personas:,}",
                "days": f"{self.days:,}",
                "events": f"{self.events:,}",
            }
        )
        pace = self.events / self.elapsed_s if self.elapsed_s else 0
        foot = line(f"{self.elapsed_s:.2f} s", f"{pace:,.0f} events a second")
        return card("Simulated town", f"of seed {self.seed}", figures, foot)


def simulate(
    store: Store,
    *,
    personas: int,
    days: int,
    seed: int = 0,
    start: date = START,
    progress: Callable[[int], None] | None = None,
) -> SimulationReport:
    """Write the life of a town as ordinary events.

    The same arguments give the same town; into a workspace that has it already nothing goes.

    Args:
        store: where it goes.
        personas: how many people live there.
        days: for how long.
        seed: which town.
        start: the first day, in the town's time.
        progress: called with the number of events so far.

    Raises:
        RejectedError: a number is out of range, or the town is here already.
    """
    begun = time.perf_counter()
    written = 0
    with closing(ahead(generate(personas, days, seed, start, batch=_BATCH))) as batches:
        for first in batches:
            if set(first.name) == {"v1.PersonaCreated"}:
                _settle(store, first, personas, seed)
                several = [first]
            else:
                several = [first, *islice(batches, _TOGETHER - 1)]
                store.commit_columns(several, actor="simulation:town")
            written += sum(map(len, several))
            if progress is not None:
                progress(written)
    return SimulationReport(personas, days, seed, written, time.perf_counter() - begun)


def _settle(store: Store, columns: Columns, personas: int, seed: int) -> None:
    """The people come through the front door: names and ids are checked like anybody's."""
    if store.state.epochs("persona", columns.entity_id):
        msg = f"The town of {personas} personas with seed {seed} is in this workspace already."
        raise RejectedError(msg, hint="Choose another --seed.", personas=personas, seed=seed)
    store.commit(*columns.drafts(store.registry.events), actor="simulation:town")
