"""The generator: an invented town, and the same written into a workspace."""

from __future__ import annotations

import statistics

from pjais_lab.simulation.days import START, generate
from tests.benchmarks.rebuild import town_of
from tests.benchmarks.scratch import Scratch, child
from tests.benchmarks.table import LIMIT, Row, seconds

__all__ = ["measure"]

_BATCH = 50_000


def measure(scratch: Scratch) -> list[Row]:
    """All of this module's rows."""
    personas, days, rounds = (50, 5, 2) if scratch.small else (500, 5, 5)
    told = [
        child("simulate", scratch.path / f"simulate-{n}", personas, days) for n in range(rounds)
    ]
    rates = [one["events"] / one["simulate_s"] for one in told]
    total: int = told[0]["events"]
    alone = [total / seconds(lambda: _generate(personas, days)) for _ in range(rounds)]
    large = town_of(scratch)
    return [
        Row(
            what=f"simulate a town of {total:,} events into a workspace",
            ours=statistics.median(rates),
            unit="/s",
            peer=LIMIT,
            peer_value=100_000.0,
            rule=">=",
            note=f"Median of {rounds} new processes and workspaces: made, on disk in the journal,"
            " applied to state.",
        ),
        Row(
            what=f"the same for {large.events:,} events, once",
            ours=large.events / large.simulate_s,
            unit="/s",
        ),
        Row(
            what="made and thrown away",
            ours=statistics.median(alone),
            unit="/s",
            note=f"Median of {rounds} in one process.",
        ),
        Row(
            what=f"seal {large.events:,} events, with a checkpoint, once",
            ours=large.events / large.seal_s,
            unit="/s",
        ),
    ]


def _generate(personas: int, days: int) -> None:
    for _ in generate(personas, days, 1, START, batch=_BATCH):
        pass
