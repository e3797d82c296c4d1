"""One persona's history out of ten million sealed events, against one unsorted Parquet file."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import polars as pl
import pyarrow as pa

from pjais_lab.core.ids import IdClock, mint
from pjais_lab.core.registry import Registry
from pjais_lab.core.shard import HashRouter
from pjais_lab.simulation.days import START, generate
from pjais_lab.storage.compaction import compact
from pjais_lab.storage.duck import connect
from pjais_lab.storage.lake import EVENT_COLUMNS, Lake
from pjais_lab.storage.state import State
from tests.benchmarks.scratch import Scratch
from tests.benchmarks.table import Row, seconds

__all__ = ["measure"]

_ROUTER = HashRouter(4)
_BATCH = 500_000
_EVERY_MS = 250
_SQL = (
    "SELECT seq, id, name, entity_id, occurred_at, args::VARCHAR AS args FROM events"
    " WHERE persona_id = $p ORDER BY seq"
)
_TYPED = (
    "SELECT "
    + ", ".join(
        f"make_timestamp({n}) AS {n}" if t == "TIMESTAMP" else f"{n}::{t} AS {n}"
        for n, t in EVENT_COLUMNS.items()
    )
    + " FROM batch"
)


class _Answer(msgspec.Struct, frozen=True):
    open_s: float
    query_s: float
    frame: pl.DataFrame


def measure(scratch: Scratch) -> list[Row]:
    """All of this module's rows."""
    personas, total, rounds = (50, 100_000, 3) if scratch.small else (1_000, 10_000_000, 7)
    folder = scratch.path / "history"
    unsorted, size_bytes = _build(folder, personas, total)
    asked = _asked(unsorted, rounds + 1)
    ours, peer = [], []
    for persona in asked:
        ours.append(_lake(folder, total, persona))
        peer.append(_parquet(unsorted, persona))
        assert ours[-1].frame.equals(peer[-1].frame), "the two histories differ"
    counted = [(o, p) for o, p in zip(ours, peer, strict=True)][1:]
    rows = statistics.median(o.frame.height for o, _ in counted)
    mine = statistics.median(o.query_s for o, _ in counted)
    theirs = statistics.median(p.query_s for _, p in counted)
    opening = statistics.median(o.open_s for o, _ in counted)
    return [
        Row(
            what=f"one persona's history, {rows:,.0f} of {total:,} sealed events",
            ours=mine * 1000,
            unit="ms",
            peer="the same in one unsorted Parquet file",
            peer_value=theirs * 1000,
            rule="<=",
            factor=0.1,
            note=f"Median of {rounds} after one that is not counted: another persona and a new DuckDB"
            " each time, both asked through SQL as users write it, answers compared as a whole. The"
            f" town has {personas:,} personas; the file is in the order of commits, zstd, as DuckDB"
            " writes it.",
        ),
        Row(
            what="… loading the extensions and opening the lake before it",
            ours=opening * 1000,
            unit="ms",
            note="Once per process; the lab does it when it opens.",
        ),
        Row(
            what=f"the lake of {total:,} events on disk, catalogue included",
            ours=size_bytes / 2**20,
            unit="MiB",
            peer="the unsorted file",
            peer_value=unsorted.stat().st_size / 2**20,
            note="Without files that compaction has replaced; they go 15 minutes later.",
        ),
    ]


def _build(folder: Path, personas: int, total: int) -> tuple[Path, int]:
    """A lake sealed batch by batch and compacted as the sealer does, and the file beside it."""
    folder.mkdir()
    con = connect()
    lake = Lake(con, folder / "lake", _ROUTER)
    parts: list[Path] = []
    mark = 0
    for batch in _batches(personas, total):
        part = folder / f"part-{len(parts)}.parquet"
        con.register("batch", batch)
        con.execute(f"COPY ({_TYPED}) TO '{part}' (FORMAT parquet, COMPRESSION zstd)")
        con.unregister("batch")
        lake.seal(f"FROM read_parquet('{part}')", mark + batch.num_rows)
        compact(lake)
        mark += batch.num_rows
        parts.append(part)
    whole = folder / "unsorted.parquet"
    listed = ", ".join(f"'{p}'" for p in parts)
    con.execute(
        f"COPY (FROM read_parquet([{listed}])) TO '{whole}' (FORMAT parquet, COMPRESSION zstd)"
    )
    size_bytes = sum(f.size_bytes for f in lake.files()) + lake.catalog_path.stat().st_size
    lake.detach()
    con.close()
    for part in parts:
        part.unlink()
    return whole, size_bytes


def _batches(personas: int, total: int) -> Iterator[Any]:
    """The first events of a town that lives long enough, as the store would write them, in Arrow."""
    clock, seq = IdClock(0, 0, "0000000000a"), 0
    now = time.time_ns() // 1_000_000 - total * _EVERY_MS // 1000
    shards: dict[str, int] = {}
    for c in generate(personas, total, 1, START, batch=_BATCH):
        n = min(len(c), total - seq)
        clock, ids = mint(clock, now, n)
        now += n * _EVERY_MS // 1000
        for persona in set(c.persona_id) - shards.keys():
            shards[persona] = _ROUTER.shard_of(persona)
        yield pa.table(
            {
                "seq": pa.array(range(seq + 1, seq + n + 1), pa.int64()),
                "id": ids,
                "name": c.name[:n],
                "entity_id": c.entity_id[:n],
                "persona_id": c.persona_id[:n],
                "shard": [shards[p] for p in c.persona_id[:n]],
                "epoch": c.epoch[:n],
                "occurred_at": c.occurred_at[:n],
                "origin": ["0000000000a"] * n,
                "origin_seq": pa.array(range(seq + 1, seq + n + 1), pa.int64()),
                "actor": ["simulation:town"] * n,
                "cause": pa.nulls(n, pa.string()),
                "args": c.args[:n],
            }
        )
        seq += n
        if seq >= total:
            return


def _asked(unsorted: Path, n: int) -> list[str]:
    """Personas with about as many events as most."""
    sql = (
        f"SELECT persona_id::VARCHAR FROM '{unsorted}' GROUP BY persona_id"
        f" ORDER BY abs(count(*) - (SELECT count(*) / count(DISTINCT persona_id) FROM '{unsorted}'))"
        f", persona_id LIMIT {n}"
    )
    with duckdb.connect() as con:
        return [p for (p,) in con.execute(sql).fetchall()]


def _lake(folder: Path, total: int, persona: str) -> _Answer:
    con = connect()
    state = State(con, Registry(), _ROUTER)
    lake = Lake(con, folder / "lake", _ROUTER)
    opening = seconds(lambda: state.mark_sealed(lake.events_sql(lake.mark()), total))
    state.position = total
    start = time.perf_counter()
    frame = state.query(_SQL, {"p": persona})
    elapsed = time.perf_counter() - start
    lake.detach()
    con.close()
    return _Answer(opening, elapsed, frame)


def _parquet(file: Path, persona: str) -> _Answer:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        opening = seconds(lambda: con.execute(f"CREATE VIEW events AS FROM '{file}'"))
        start = time.perf_counter()
        frame = con.execute(_SQL, {"p": persona}).pl()
        elapsed = time.perf_counter() - start
    return _Answer(opening, elapsed, frame)
