"""Brushes over five million events: cells of cubes against the same questions as plain SQL."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path

import polars as pl

from pjais_lab.core.predicate import Interval, OneOf, Predicate
from pjais_lab.storage.duck import connect
from pjais_lab.storage.logcube import LogCube, step_for
from pjais_lab.storage.relation import Relation
from tests.benchmarks.scratch import Scratch
from tests.benchmarks.table import LIMIT, Row, median_s, percentile, seconds

__all__ = ["measure"]

_COLUMNS = ("occurred_at", "persona_id", "name", "actor", "weight")
_MOVES = 40
_SLOW_MOVES = 5
_BUCKETS = 300
_PEER = "plain SQL on the same rows"


def measure(scratch: Scratch) -> list[Row]:
    """All of this module's rows."""
    total = 250_000 if scratch.small else 5_000_000
    path = scratch.path / "events.parquet"
    con = connect()
    con.execute(f"COPY ({_made(total)}) TO '{path}'")
    return [*_of_a_table(path, total), *_of_a_log(path, total)]


def _made(total: int) -> str:
    return (
        "SELECT range + 1 AS seq, uuid() AS id, 'v1.' || ['Recorded', 'Recalled', 'Felt', 'Said', 'Met']"
        "[1 + (hash(range) % 5)::BIGINT] AS name, ('00000000-0000-0000-0000-' || lpad((floor(pow("
        "hash(range * 7) % 1000000 / 1e6, 2) * 300)::INT)::VARCHAR, 12, '0'))::UUID AS persona_id,"
        " 'user:' || hash(range * 3) % 4 AS actor, -10 * ln((1 + hash(range * 11) % 1000000) / 1e6) AS"
        " weight, TIMESTAMP '2026-01-01' + to_microseconds((range * 6000000 + hash(range) % 50000000000)"
        f"::BIGINT) AS occurred_at FROM range({total})"
    )


def _brushes(relation: Relation) -> list[Predicate]:
    """A brush that is drawn over the bins of a column, a bin more a move."""
    made: list[Predicate] = []
    for name in ("weight", "occurred_at"):
        bins = relation.summary(name).bins
        made += [Interval(name, bins[1].low, b.high, "left") for b in bins[1:-1]]
    return list(itertools.islice(itertools.cycle(made), _MOVES))


def _of_a_table(path: Path, total: int) -> list[Row]:
    plain, ready = Relation(path), Relation(path)
    moves = _brushes(plain)
    for name in _COLUMNS:
        plain.summary(name)
    build_s = seconds(lambda: ready.prepare(wait=True))
    slow = [seconds(lambda w=w: _summed(plain, w)) for w in moves[:_SLOW_MOVES]]
    quick = [seconds(lambda w=w: _summed(ready, w)) for w in moves]
    of = f"{total:,} events, 5 histograms and the count"
    cells = ready._now().cubes.cells
    return [
        Row(what=f"a move of a brush over {of}, p95", ours=percentile(quick, 0.95), unit="s",
            peer=_PEER, peer_value=percentile(slow, 0.5), rule="<=", factor=0.1,
            note="in the kernel; make bench-ui measures it painted"),
        Row(what="the same, p50", ours=percentile(quick, 0.5), unit="s"),
        Row(what="counting them into cubes, in the background", ours=build_s, unit="s"),
        Row(what="cells kept", ours=cells, unit="cells"),
    ]  # fmt: skip


def _summed(relation: Relation, where: Predicate) -> None:
    """What a table shows of its columns while one brushes."""
    for name in _COLUMNS:
        relation.summary(name, where=where)
    relation.count(where)


def _of_a_log(path: Path, total: int) -> list[Row]:
    con = connect()
    con.execute(f"CREATE VIEW events AS FROM '{path}'")

    def ask(sql: str) -> pl.DataFrame:
        return con.execute(sql).pl()

    head = total - 1_000
    at = [head]
    cube = LogCube(ask, lambda: at[0], "persona_id")
    con.execute(f"CREATE OR REPLACE VIEW events AS FROM '{path}' WHERE seq <= {head}")
    build_s = seconds(cube.refresh)
    assert cube.span is not None
    low, high = cube.span
    pick = random.Random(0)
    step = step_for(high - low, _BUCKETS, cube.unit)
    names = [f"v1.{n}" for n in ("Recorded", "Recalled", "Felt", "Said", "Met")]

    def density() -> None:
        cube.density(step, None, OneOf("name", pick.sample(names, 2)))

    quick_s, slow_s = median_s(density, 21), median_s(_by_sql(ask, step, names), 3)
    spans = [_span(low, high, share, pick) for share in (0.2, 0.02, 0.002)]
    zooms = [seconds(lambda s=s: cube.density(step_for(s[1] - s[0], _BUCKETS), s)) for s in spans]
    con.execute(f"CREATE OR REPLACE VIEW events AS FROM '{path}'")
    at[0] = total
    grown_s = seconds(cube.refresh)
    of = f"of {total:,} events by persona"
    return [
        Row(what=f"density over the whole time {of}, filtered", ours=quick_s, unit="s", peer=_PEER,
            peer_value=slow_s, rule="<=", factor=0.2),
        Row(what=f"density of a part looked at for the first time {of}", ours=max(zooms), unit="s",
            peer=LIMIT, peer_value=1.0, rule="<=", note="the slowest of a fifth, a 50th, a 500th"),
        Row(what="counting the log into a cube", ours=build_s, unit="s"),
        Row(what="taking in 1,000 new events", ours=grown_s, unit="s", peer="counting all of it",
            peer_value=build_s, rule="<=", factor=0.5),
        Row(what="cells kept of the log", ours=cube.cells, unit="cells"),
    ]  # fmt: skip


def _by_sql(
    ask: Callable[[str], pl.DataFrame], step: int, names: list[str]
) -> Callable[[], object]:
    return lambda: ask(
        f"SELECT time_bucket(to_microseconds({step}), occurred_at) AS at, persona_id, count(*) AS n"
        f" FROM events WHERE name IN ('{names[0]}', '{names[2]}') GROUP BY ALL"
    )


def _span(low: int, high: int, share: float, pick: random.Random) -> tuple[int, int]:
    wide = int((high - low) * share)
    start = pick.randrange(low, high - wide)
    return start, start + wide
