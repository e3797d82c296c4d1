"""Checkpoints: the state as tables of the lake, so that booting reads rows instead of events.

A checkpoint is a convenience. Whatever is wrong with one, a changed declaration, another DuckDB, a
damaged file, it is passed over with a reason, and that table is rebuilt from events.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Final, Protocol

import duckdb
import msgspec

from pjais_lab.core.registry import Registry
from pjais_lab.errors import BusyError, CorruptSegmentError, LabError
from pjais_lab.storage._ducklake import LAKE, DuckLake, fence
from pjais_lab.storage.duck import transaction, translated

__all__ = ["CheckpointRow", "Checkpointable", "Ignored", "Loaded", "load", "newest", "save"]

_SCHEMA: Final = "state"
_LOSSY: Final = frozenset({"HUGEINT", "UHUGEINT"})  # Parquet would make them DOUBLE


class Checkpointable(Protocol):
    """What a checkpoint needs of the state: tables in schema ``state``, all at one position."""

    @property
    def registry(self) -> Registry:
        """What is declared."""
        ...

    @property
    def position(self) -> int:
        """The last event applied."""
        ...

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held by whoever changes tables and position."""
        ...

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for the calling thread."""
        ...


class CheckpointRow(msgspec.Struct, frozen=True):
    """The checkpoint of one table.

    Attributes:
        name: the state table.
        position: the last event in it.
        digest: of its declaration and physical columns.
        duckdb: the version that wrote it; hashes differ between versions.
        row_count: how many rows.
        checksum: over all rows, in any order.
    """

    name: str
    position: int
    digest: str
    duckdb: str
    row_count: int
    checksum: str


class Ignored(msgspec.Struct, frozen=True):
    """A checkpoint that was passed over.

    Attributes:
        table: the state table.
        reason: why, in one sentence.
        is_damage: whether something broke; otherwise it only does not fit any more.
    """

    table: str
    reason: str
    is_damage: bool = False


class Loaded(msgspec.Struct, frozen=True):
    """What ``load`` found.

    Attributes:
        position: the last event in the loaded tables; 0 when none was loaded.
        tables: the tables loaded; the others stay empty, for a rebuild.
        ignored: checkpoints passed over.
    """

    position: int = 0
    tables: frozenset[str] = frozenset()
    ignored: tuple[Ignored, ...] = ()


def save(lake: DuckLake, state: Checkpointable, *, token: int | None = None) -> int:
    """Replace the checkpoint by the state as it is now, in one transaction.

    Commits go on meanwhile; the checkpoint shows one position.

    Args:
        lake: the lake, written by nobody else meanwhile.
        state: what to keep.
        token: the caller's fencing token; a smaller one than the last writer's is refused.

    Returns:
        The position.

    Raises:
        LeaseLostError: a newer holder of the lease has written.
        DiskFullError: the old checkpoint is still there.
    """
    lake.attach(write=True)
    cursor = state.cursor()
    with lake.boundary("writing a checkpoint"), ExitStack() as written:
        with state.lock:
            # Whatever runs first in a transaction, even on the lake, fixes what it sees of memory.
            written.enter_context(lake.durably(cursor))
            layout = _layout(cursor)
            for name in layout:
                cursor.execute(f'SELECT 1 FROM {_SCHEMA}."{name}" LIMIT 1').fetchone()
            position = state.position
        if token is not None:
            fence(cursor, token)
        old = {row.name for row in _rows(cursor)}
        for name in sorted(old - set(layout)):
            cursor.execute(f'DROP TABLE IF EXISTS {LAKE}."ckpt_{name}"')
        cursor.execute(f"DELETE FROM {LAKE}.checkpoints")
        for name, columns in layout.items():
            _write(cursor, state.registry, name, columns, position)
    return position


def load(lake: DuckLake, state: Checkpointable, *, head: Callable[[], int] | None = None) -> Loaded:
    """Fill the state's empty tables from the newest checkpoint.

    Args:
        lake: where it lies.
        state: its tables exist and are empty; its position is the caller's to set.
        head: gives the journal's last event; a checkpoint beyond it belongs to another history.

    Returns:
        Which tables were filled, up to which event, and what was passed over. When a table of the
        state's own bookkeeping cannot be filled, none is.

    Raises:
        CatalogError: the lake's catalogue is missing or cannot be read.
    """
    while True:
        try:
            rows = newest(lake)
            loaded = _load(state, rows, None if head is None else head())
            if not any(i.is_damage for i in loaded.ignored) or newest(lake) == rows:
                return loaded
        except (BusyError, CorruptSegmentError) as error:
            return Loaded(ignored=(Ignored("*", error.message, is_damage=True),))
        _empty(state.cursor(), set(loaded.tables))  # another checkpoint came while we read


def _load(state: Checkpointable, rows: list[CheckpointRow], head: int | None) -> Loaded:
    if not rows:
        return Loaded()
    position = rows[0].position
    if head is not None and position > head:
        reason = f"It is at event {position:,} and the journal ends at {head:,}."
        return Loaded(ignored=tuple(Ignored(r.name, reason) for r in rows))
    layout = _layout(state.cursor())
    own = [row for row in rows if row.name.startswith("_")]
    ignored = _fill_all(state, own, layout)
    if ignored:
        _empty(state.cursor(), {r.name for r in own} - {i.table for i in ignored})
        return Loaded(ignored=tuple(ignored))
    ignored = _fill_all(state, [row for row in rows if row not in own], layout)
    filled = frozenset(r.name for r in rows) - {i.table for i in ignored}
    return Loaded(position if filled else 0, filled, tuple(ignored))


def newest(lake: DuckLake) -> list[CheckpointRow]:
    """The newest checkpoint's tables; all have one position.

    Raises:
        CorruptSegmentError: the list of checkpoints is damaged.
        CatalogError: the lake's catalogue is missing or cannot be read.
    """
    if not lake.attach():
        return []
    cursor = lake.cursor()
    with lake.boundary("reading the checkpoints"):
        return _rows(cursor) if lake.has_table(cursor, "checkpoints") else []


def _rows(cursor: duckdb.DuckDBPyConnection) -> list[CheckpointRow]:
    sql = f"SELECT * FROM {LAKE}.checkpoints ORDER BY name"
    return [CheckpointRow(*row) for row in cursor.execute(sql).fetchall()]


def _write(
    cursor: duckdb.DuckDBPyConnection,
    registry: Registry,
    name: str,
    columns: dict[str, str],
    position: int,
) -> None:
    picked = ", ".join(_to_lake(c, t) for c, t in columns.items())
    cursor.execute(
        f'CREATE OR REPLACE TABLE {LAKE}."ckpt_{name}" AS SELECT {picked} FROM {_SCHEMA}."{name}"'
    )
    count, checksum = _checksum(cursor, name)
    row = (name, position, _digest(registry, name, columns), duckdb.__version__, count, checksum)
    cursor.execute(f"INSERT INTO {LAKE}.checkpoints VALUES (?, ?, ?, ?, ?, ?)", row)


def _layout(cursor: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """The state's physical tables: name -> column -> type."""
    sql = (
        "SELECT table_name, column_name, data_type FROM duckdb_columns()"
        " WHERE schema_name = ? AND database_name = 'memory' ORDER BY table_name, column_index"
    )
    layout: dict[str, dict[str, str]] = {}
    for table, column, kind in cursor.execute(sql, [_SCHEMA]).fetchall():
        layout.setdefault(table, {})[column] = kind
    return layout


def _to_lake(column: str, kind: str) -> str:
    return f'"{column}"::VARCHAR AS "{column}"' if kind in _LOSSY else f'"{column}"'


def _digest(registry: Registry, name: str, columns: dict[str, str]) -> str:
    table = registry.tables.get(name)
    declared = registry.digest(table) if table else ""
    return f"{declared} {', '.join(f'{c} {t}' for c, t in columns.items())}"


def _misfit(
    registry: Registry, row: CheckpointRow, layout: dict[str, dict[str, str]]
) -> str | None:
    if row.name not in layout:
        return "The table is not declared any more."
    if row.digest != _digest(registry, row.name, layout[row.name]):
        return "The table's declaration has changed."
    if row.duckdb != duckdb.__version__:
        return f"DuckDB {row.duckdb} wrote it and this is {duckdb.__version__}."
    return None


def _fill_all(
    state: Checkpointable, rows: list[CheckpointRow], layout: dict[str, dict[str, str]]
) -> list[Ignored]:
    """Fill tables, the largest beside the others; those that were passed over, by name."""
    fits = {r.name: _misfit(state.registry, r, layout) for r in rows}
    wanted = sorted((r for r in rows if fits[r.name] is None), key=lambda r: -r.row_count)
    # Small tables are spent in planning, which one thread does while DuckDB's others fill.
    with ThreadPoolExecutor(2, "pjais-boot") as pool:
        broken = pool.map(lambda r: _fill(state.cursor(), r, layout[r.name]), wanted)
        damaged = dict(zip((r.name for r in wanted), broken, strict=True))
    reasons = [(r.name, fits[r.name] or damaged.get(r.name)) for r in rows]
    return [Ignored(name, reason, name in damaged) for name, reason in reasons if reason]


def _fill(
    cursor: duckdb.DuckDBPyConnection, row: CheckpointRow, layout: dict[str, str]
) -> str | None:
    columns = ", ".join(f'"{c}"' for c in layout)
    try:
        with translated("loading a checkpoint"), transaction(cursor):
            cursor.execute(
                f'INSERT INTO {_SCHEMA}."{row.name}" ({columns})'
                f' SELECT {columns} FROM {LAKE}."ckpt_{row.name}"'
            )
            found = _checksum(cursor, row.name)
            if found != (row.row_count, row.checksum):
                msg = (
                    f"Its rows are not those that were written ({found[0]:,} of {row.row_count:,})."
                )
                raise CorruptSegmentError(msg, table=row.name)
    except LabError as error:
        return error.message
    return None


def _empty(cursor: duckdb.DuckDBPyConnection, names: set[str]) -> None:
    with translated("taking a checkpoint back"):
        for name in names:
            cursor.execute(f'DELETE FROM {_SCHEMA}."{name}"')


def _checksum(cursor: duckdb.DuckDBPyConnection, name: str) -> tuple[int, str]:
    sql = f'SELECT count(*), bit_xor(hash(t)), sum(hash(t)) FROM {_SCHEMA}."{name}" AS t'
    row = cursor.execute(sql).fetchone()
    return (int(row[0]), f"{row[1]} {row[2]}") if row else (0, "")
