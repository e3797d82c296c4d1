"""The cubes of a relation: counted in the background, asked before its rows are.

Every two columns are together in some cube, as far as a few cubes go, so that a brush over one
column counts every other one; as many more columns come along as the bound on cells allows, those
first that add the fewest cells.
"""

from __future__ import annotations

import itertools
import math
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import duckdb
import msgspec
import polars as pl

from pjais_lab.core.predicate import Predicate, columns_of
from pjais_lab.errors import LabError
from pjais_lab.storage._cubedims import NULL, REST, Dim, outlined
from pjais_lab.storage._scans import Scan, engine
from pjais_lab.storage._summaries import Outline, Summary, outline, totalled
from pjais_lab.storage._typemap import Column
from pjais_lab.storage.cube import MOST_CELLS, Cube
from pjais_lab.storage.reader import fetch

__all__ = ["MANY_ROWS", "MOST_CUBES", "Cubes"]

MANY_ROWS: Final = 200_000
"""Fewer rows are counted at once, without a cube."""
MOST_CUBES: Final = 4
_SAMPLE: Final = 50_000
_BUILDERS: Final[dict[int, ThreadPoolExecutor]] = {}
_LOCK: Final = threading.Lock()


def _builder() -> ThreadPoolExecutor:
    """One thread counts for all relations of this process."""
    with _LOCK:
        pid = os.getpid()
        if pid not in _BUILDERS:
            _BUILDERS[pid] = ThreadPoolExecutor(1, thread_name_prefix="pjais-cubes")
        return _BUILDERS[pid]


class Cubes:
    """What was counted of one relation's rows; from any thread.

    Args:
        scan: where the rows lie.
        inner: the columns as the scan calls them, by their real names.
        outlines: column -> its bins or values; those that are missing are worked out.
    """

    def __init__(
        self, scan: Scan, inner: Mapping[str, Column], outlines: dict[str, Outline]
    ) -> None:
        self._scan = scan
        self._inner = inner
        self._outlines = outlines
        self._ready: tuple[Cube, ...] = ()
        self._lock = threading.Lock()
        self._work: Future[None] | None = None
        self._cursor: duckdb.DuckDBPyConnection | None = None
        self._stopped = threading.Event()

    @property
    def cells(self) -> int:
        """How many counts are kept."""
        return sum(cube.cells for cube in self._ready)

    def prepare(self) -> Future[None] | None:
        """Count in the background, once; None when there are too few rows to need it."""
        if self._scan.rows < MANY_ROWS:
            return None
        with self._lock:
            if self._work is None or self._stopped.is_set():
                self._stopped = threading.Event()
                self._work = _builder().submit(self._build, self._stopped)
            return self._work

    def stop(self) -> None:
        """End the counting; callable from any thread."""
        with self._lock:
            self._stopped.set()
            if self._cursor is not None:
                self._cursor.interrupt()

    def summary(
        self, con: duckdb.DuckDBPyConnection, name: str, known: Outline, where: Predicate | None
    ) -> Summary | None:
        """What lies in a column, if a cube can tell."""
        found = self._asked(con, [name], where)
        if found is None:
            return None
        by_code = {code: n for code, n in found}  # noqa: C416 - tuples of any length to a type checker
        counts = [by_code.get(n, 0) for n in range(len(known.totals))]
        nulls, others = by_code.get(NULL, 0), by_code.get(REST, 0)
        made = totalled(known, sum(by_code.values()), nulls, others, counts)
        return msgspec.structs.replace(made, by="cube")

    def count(self, con: duckdb.DuckDBPyConnection, where: Predicate) -> int | None:
        """How many rows there are, if a cube can tell."""
        found = self._asked(con, [], where)
        return None if found is None else found[0][0]

    def _asked(
        self, con: duckdb.DuckDBPyConnection, by: Sequence[str], where: Predicate | None
    ) -> list[tuple[int, ...]] | None:
        needed = {*by, *(columns_of(where) if where is not None else ())}
        fit = (cube for cube in self._ready if needed <= cube.dims.keys())
        return next((c for cube in fit if (c := cube.counts(con, by, where)) is not None), None)

    # ------------------------------------------------------------ counting
    def _build(self, stopped: threading.Event) -> None:
        cursor = engine()
        with self._lock:
            self._cursor = cursor
        try:
            self._count(cursor, stopped)
        except (LabError, duckdb.Error):
            stopped.set()  # the rows still answer; who prepares again begins again
        finally:
            with self._lock:
                self._cursor = None
            cursor.close()

    def _count(self, con: duckdb.DuckDBPyConnection, stopped: threading.Event) -> None:
        source, dims = self._scan.source, list[Dim]()
        for name, column in self._inner.items():
            if stopped.is_set():
                return
            if name not in self._outlines:
                self._outlines[name] = outline(con, source, column)
            dims.append(outlined(name, self._outlines[name]))
        codes = ", ".join(f"{d.code} AS d{n}" for n, d in enumerate(dims))
        sample = fetch(con, f"SELECT {codes} FROM (SELECT * FROM {source} USING SAMPLE {_SAMPLE})")
        names = sample.columns = [d.name for d in dims]
        missing = [{a, b} for a, b in itertools.combinations_with_replacement(names, 2)]
        missing.sort(key=len, reverse=True)
        while missing and len(self._ready) < MOST_CUBES and not stopped.is_set():
            first = sorted(missing[0], key=names.index)
            group = chosen(sample, first, names)
            cube = Cube.of(con, [dims[names.index(n)] for n in group], source)
            while cube.cells > MOST_CELLS and len(group) > len(first):
                cube = cube.without(con, group.pop())
            self._ready = (*self._ready, cube)
            missing = [pair for pair in missing if not pair <= set(group)]


def chosen(sample: pl.DataFrame, first: Sequence[str], names: Iterable[str]) -> list[str]:
    """The columns of a cube: the first ones, then those that add the fewest cells, up to the bound.

    Args:
        sample: the codes of some rows, under the columns' names.
        first: columns that must be in it.
        names: all there are.
    """
    group, left = list(first), [n for n in names if n not in first]
    while left:
        cells = {name: cells_of(sample, [*group, name]) for name in left}
        best = min(left, key=lambda name: cells[name])
        if cells[best] > MOST_CELLS:
            break
        group.append(best)
        left.remove(best)
    return group


def cells_of(sample: pl.DataFrame, names: Sequence[str]) -> float:
    """About how many cells all rows have, from those seen once and twice in a sample (Chao's estimate)."""
    sizes = sample.group_by(names).len()["len"]
    once, twice = int((sizes == 1).sum()), int((sizes == 2).sum())
    most = math.prod(sample[name].n_unique() + 1 for name in names)
    return min(most, len(sizes) + once * (once - 1) / (2 * (twice + 1)))
