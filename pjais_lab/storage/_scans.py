"""Where the rows of a relation lie: a table in memory that was copied once, or Parquet files in place.

Columns are called c0, c1, … here, so no name of the data's can be mistaken for one of SQL's, and
every row has a number in ``row_id``, in whose order the rows came.
"""

from __future__ import annotations

import glob
import itertools
import os
import re
import threading
import weakref
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

import duckdb

from pjais_lab.errors import QueryError
from pjais_lab.storage._incoming import load
from pjais_lab.storage._typemap import Column, column_of, identifier
from pjais_lab.storage.duck import connect, quote, translated

__all__ = ["Files", "Held", "Scan", "TableName", "engine", "scan_of"]

_NUMBERS: Final = itertools.count(1)
_ENGINES: Final[dict[int, duckdb.DuckDBPyConnection]] = {}
_LOCK: Final = threading.Lock()
_FILE_SHIFT: Final = 40
"""A row of a file is numbered by the file's number, shifted, and its place in the file."""
_VIRTUAL: Final = frozenset({"file_index", "file_row_number", "filename", "rowid"})


def engine() -> duckdb.DuckDBPyConnection:
    """A cursor of the DuckDB that all relations of this process share; a fork has its own."""
    with _LOCK:
        pid = os.getpid()
        if pid not in _ENGINES:
            _ENGINES[pid] = connect()
        return _ENGINES[pid].cursor()


class TableName:
    """The name of a table that is dropped when nobody holds the name any more."""

    def __init__(self) -> None:
        self.text = f"t{next(_NUMBERS)}"
        drop = weakref.finalize(self, _drop, self.text, os.getpid())
        drop.atexit = False


def _drop(name: str, pid: int) -> None:
    if pid == os.getpid():
        with suppress(duckdb.Error):
            engine().execute(f"DROP TABLE IF EXISTS {name}")


class Scan(Protocol):
    """Rows that can be read by any query, and by their numbers."""

    names: list[str]
    """The columns' real names."""
    columns: list[Column]
    """The columns as they are called here."""
    rows: int
    source: str
    """What stands after FROM: c0, c1, … and row_id."""

    def ids(self, start: int, stop: int) -> Sequence[int]:
        """The numbers of rows by their places."""
        ...

    def some(self, ids: Sequence[int]) -> str:
        """What stands after FROM for rows of these numbers."""
        ...


class Held:
    """Rows copied into memory.

    Args:
        data: what ``load`` takes.
    """

    def __init__(self, data: Any) -> None:
        con, self._table = engine(), TableName()
        name = self._table.text
        with translated("reading the data"):
            self.names = load(con, data, name)
            self.columns = _described(con, name)
            self.rows = _count(con, name)
        self.source = f"(SELECT *, rowid AS row_id FROM {name})"

    def ids(self, start: int, stop: int) -> Sequence[int]:
        """A table filled once has no gaps."""
        return range(max(0, start), min(stop, self.rows))

    def some(self, ids: Sequence[int]) -> str:
        """Rows of these numbers."""
        return f"(SELECT *, rowid AS row_id FROM {self._table.text} WHERE {_among('rowid', ids)})"


class Files:
    """Parquet files, read where they lie.

    Args:
        paths: in the order of their rows.

    Raises:
        StorageError: one cannot be read.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        con, self._paths = engine(), list(paths)
        every = _reading(self._paths)
        with translated("reading the Parquet files"):
            found = _described(con, every)
            self.names = [c.name for c in found]
            self.columns = [column_of(f"c{n}", c.type) for n, c in enumerate(found)]
            self._renamed = ", ".join(
                f"{identifier(name)} AS c{n}" for n, name in enumerate(self.names)
            )
            sizes = [_count(con, _reading([path])) for path in self._paths]
        self._ends = list(itertools.accumulate(sizes))
        self.rows = self._ends[-1]
        file = f"CAST(file_index AS BIGINT) * {1 << _FILE_SHIFT}"
        row_id = f"CAST({file} + file_row_number AS BIGINT) AS row_id"
        self.source = f"(SELECT {self._renamed}, {row_id} FROM {every})"

    def ids(self, start: int, stop: int) -> Sequence[int]:
        """Found by how many rows each file has."""
        return [self._id(n) for n in range(max(0, start), min(stop, self.rows))]

    def _id(self, place: int) -> int:
        file = bisect_right(self._ends, place)
        return (file << _FILE_SHIFT) + place - (self._ends[file - 1] if file else 0)

    def some(self, ids: Sequence[int]) -> str:
        """Rows of these numbers; only their files are opened."""
        places: dict[int, list[int]] = {}
        for i in ids:
            places.setdefault(i >> _FILE_SHIFT, []).append(i & ((1 << _FILE_SHIFT) - 1))
        parts = (
            f"SELECT {self._renamed}, CAST({file << _FILE_SHIFT} + file_row_number AS BIGINT) AS row_id"
            f" FROM {_reading([self._paths[file]])} WHERE {_among('file_row_number', rows)}"
            for file, rows in places.items()
        )
        return f"({' UNION ALL '.join(parts)})"


def scan_of(data: Any) -> Scan:
    """Where the rows of something lie.

    Args:
        data: a frame, or the path of a Parquet file, of a folder of them, or with ``*`` in it.

    Raises:
        QueryError: it has no rows and columns, or there is no such file.
    """
    if not isinstance(data, (str, Path)):
        return Held(data)
    paths = _found(Path(data))
    con, every = engine(), _reading(paths)
    with translated("reading the Parquet files"):
        names = {c.name.lower() for c in _described(con, every)}
        if names & _VIRTUAL:  # a column of the data hides the one that DuckDB makes
            return Held(con.execute(f"SELECT * FROM {every}").to_arrow_table())
    return Files(paths)


def _found(path: Path) -> list[str]:
    if path.is_file():
        return [str(path)]
    if path.is_dir():
        paths = sorted(str(p) for p in path.rglob("*.parquet"))
    else:
        paths = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - absolute patterns too
    if not paths:
        msg = f"There is no Parquet file at {str(path)!r}."
        raise QueryError(msg, hint="Give a file, a folder, or a pattern such as 'data/*.parquet'.")
    return paths


def _reading(paths: Sequence[str]) -> str:
    """These very files, whatever DuckDB takes for a pattern."""
    escaped = (re.sub(r"[\[*?]", r"[\g<0>]", path) for path in paths)
    return f"read_parquet([{', '.join(map(quote, escaped))}], hive_types_autocast = false)"


def _described(con: duckdb.DuckDBPyConnection, source: str) -> list[Column]:
    found = con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    return [column_of(str(row[0]), str(row[1])) for row in found]


def _count(con: duckdb.DuckDBPyConnection, source: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {source}").fetchone()
    return int(row[0]) if row else 0


def _among(name: str, ids: Sequence[int]) -> str:
    if not ids:
        return "false"
    if len(ids) == ids[-1] - ids[0] + 1 and all(b - a == 1 for a, b in itertools.pairwise(ids)):
        return f"{name} BETWEEN {ids[0]} AND {ids[-1]}"
    return f"{name} IN ({', '.join(map(str, ids))})"
