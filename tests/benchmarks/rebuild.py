"""Rebuilding every table from sealed Parquet, against pyeventsourcing's projection."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import pjais_lab as pj
from tests.benchmarks.projection import Peer
from tests.benchmarks.scratch import Scratch, Town
from tests.benchmarks.table import LIMIT, Row

__all__ = ["measure", "town_of"]

_ROUNDS = 5


def town_of(scratch: Scratch) -> Town:
    """The town of two million events that this and others measure."""
    return scratch.town(50, 20) if scratch.small else scratch.town(1_000, 30)


def measure(scratch: Scratch) -> list[Row]:
    """All of this module's rows."""
    town = town_of(scratch)
    fewer = 5_000 if scratch.small else 100_000
    whole: list[float] = []
    tables: dict[str, list[float]] = {}
    theirs: list[float] = []
    with pj.open(town.path, background=False) as lab, Peer(scratch.path / "peer.sqlite") as peer:
        peer.record(_events(lab, fewer))
        _same(lab, peer, fewer)
        lab.rebuild()
        for _ in range(_ROUNDS):
            start = time.perf_counter()
            reports = lab.rebuild()
            whole.append(time.perf_counter() - start)
            for report in reports:
                tables.setdefault(report.table, []).append(report.elapsed_s)
            theirs.append(peer.replay()[1])
        moving = dict(lab.query(_MOVING).iter_rows())
    rate = town.events / statistics.median(whole)
    return [
        Row(
            what=f"rebuild all {len(tables)} tables from {town.events:,} sealed events",
            ours=rate,
            unit="/s",
            peer=LIMIT,
            peer_value=2_000_000.0,
            rule=">=",
            note=f"Median of {_ROUNDS} after one that is not counted; all events of the log over the"
            " time of lab.rebuild(). Files in the system's cache.",
        ),
        Row(
            what="the same, rate against a projection",
            ours=rate,
            unit="/s",
            peer="pyeventsourcing projection, view in memory",
            peer_value=fewer / statistics.median(theirs),
            rule=">=",
            factor=20.0,
            note=f"The peer replays the log's first {fewer:,} events from its SQLite recorder, through"
            " its mapper and a Projection into dictionaries with the columns a question needs; the"
            " resulting counts are checked against the lab's. Median of 5, taking turns with ours.",
        ),
        *(_part(name, taken, moving.get(name, 0)) for name, taken in tables.items()),
    ]


_MOVING = """
SELECT CASE
    WHEN name IN ('v1.MemoryLinked', 'v1.MemoryUnlinked') THEN 'links'
    WHEN name LIKE 'v1.Memory%' THEN 'memories'
    WHEN name LIKE 'v1.Persona%' THEN 'personas'
    WHEN name LIKE 'v1.Conversation%' THEN 'conversations'
    WHEN name LIKE 'v1.Message%' THEN 'messages' END AS tbl, count(*) AS n
FROM events GROUP BY tbl
"""


def _part(name: str, taken: Sequence[float], moving: int) -> Row:
    each = statistics.median(taken)
    return Row(
        what=f"… of it {name}, which {moving:,} events move",
        ours=each,
        unit="s",
    )


def _events(lab: pj.Lab, n: int) -> list[dict[str, object]]:
    sql = "SELECT name, entity_id::VARCHAR AS entity_id, occurred_at, args::VARCHAR AS args"
    return lab.query(f"{sql} FROM events WHERE seq <= {n} ORDER BY seq").to_dicts()


def _same(lab: pj.Lab, peer: Peer, n: int) -> None:
    """Both must come to the same rows, else the comparison is worth nothing."""
    _, _, view = peer.replay()
    with lab.at(n) as past:
        for table in ("personas", "memories", "links", "conversations", "messages"):
            ours = past.query(f"SELECT count(*) FROM {table}").item()
            theirs = len(view.tables[table])
            if ours != theirs:
                msg = f"{table}: the lab has {ours:,} rows at {n:,} and the peer {theirs:,}."
                raise AssertionError(msg)
        sql = "SELECT sum(recalls)::BIGINT AS n, count(*) FILTER (tier = 'cold') AS cold FROM memories"
        recalls, cold = past.query(sql).row(0)
    rows = view.tables["memories"].values()
    assert recalls == sum(r["recalls"] for r in rows)
    assert cold == sum(r["tier"] == "cold" for r in rows)
