"""Pages and summaries of ten million rows, against DuckDB's own OFFSET on the same rows."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl

from pjais_lab.core.predicate import Interval
from pjais_lab.storage.duck import connect
from pjais_lab.storage.relation import Relation
from tests.benchmarks.scratch import Scratch
from tests.benchmarks.table import LIMIT, Row, median_s, seconds

__all__ = ["measure"]

_PAGE = 200
_SORT = [("value", "desc")]


def measure(scratch: Scratch) -> list[Row]:
    """All of this module's rows."""
    total = 200_000 if scratch.small else 10_000_000
    path = scratch.path / "pages.parquet"
    con = connect()
    con.execute(f"COPY ({_made(total)}) TO '{path}'")
    offset_s = median_s(lambda: _by_offset(path, total), 3)
    return [
        row
        for name, relation in (
            ("a frame", Relation(pl.read_parquet(path))),
            ("Parquet", Relation(path)),
        )
        for row in _rows(name, relation, total, offset_s)
    ]


def _made(total: int) -> str:
    return (
        "SELECT range AS id, hash(range) % 1000003 / 100 AS value, 'name ' || hash(range) % 100000 AS name,"
        f" TIMESTAMP '2026-01-01' + to_seconds(range) AS at FROM range({total})"
    )


def _by_offset(path: Path, total: int) -> None:
    con = connect()
    con.execute(
        f"SELECT * FROM '{path}' ORDER BY value DESC, id LIMIT {_PAGE} OFFSET {total - _PAGE}"
    ).fetchall()
    con.close()


def _rows(name: str, relation: Relation, total: int, offset_s: float) -> list[Row]:
    of = f"of {total:,} rows in {name}"
    first_s = median_s(lambda: relation.page(0, _PAGE, sort=_SORT), 5)
    order_s = seconds(lambda: relation.page(total - _PAGE, _PAGE, sort=_SORT))
    end_s = median_s(lambda: relation.page(total - _PAGE, _PAGE, sort=_SORT), 5)
    at = random.Random(0)
    jump_s = median_s(lambda: relation.page(at.randrange(total), _PAGE, sort=_SORT), 9)
    relation.summary("value")
    some = Interval("value", 2_000.0, 4_000.0)
    summary_s = median_s(lambda: relation.summary("value", where=some), 5)
    return [
        Row(what=f"first page, sorted, {of}", ours=first_s, unit="s"),
        Row(what=f"first jump to the end, sorted, {of}", ours=order_s, unit="s",
            note="works the whole order out, once for a sort and a filter"),
        Row(what=f"page at the end, sorted, {of}", ours=end_s, unit="s", peer="ORDER BY … OFFSET",
            peer_value=offset_s, rule="<=", factor=0.5),
        Row(what=f"page anywhere, sorted, {of}", ours=jump_s, unit="s", peer=LIMIT, peer_value=0.3,
            rule="<="),
        Row(what=f"filtered histogram {of}", ours=summary_s, unit="s"),
    ]  # fmt: skip
