"""Anything with rows into a DuckDB table: a column that DuckDB cannot hold becomes text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import duckdb
import msgspec
import polars as pl
import pyarrow as pa

from pjais_lab.errors import QueryError
from pjais_lab.storage._typemap import unique_names

__all__ = ["load"]

_HINT: Final = "Give a polars, pandas or Arrow table, or the path of Parquet files."
_REFUSED: Final = (
    duckdb.Error,
    pa.ArrowException,
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
    NotImplementedError,
    TypeError,
    ValueError,
)


class _Given(msgspec.Struct):
    """A column as it was given.

    Attributes:
        name: its name there.
        arrow: makes an Arrow array of it, or raises.
        items: gives its values as Python objects.
    """

    name: str
    arrow: Callable[[], Any]
    items: Callable[[], list[Any]]


def load(con: duckdb.DuckDBPyConnection, data: Any, table: str) -> list[str]:
    """Fill a new table, whose columns are called c0, c1, …; gives their real names.

    Args:
        con: a connection nobody else is using.
        data: a polars, pandas or Arrow table, or whatever gives an Arrow stream.
        table: the table's name.

    Raises:
        QueryError: it has no rows and columns.
    """
    given = _columns(data)
    if not given:
        msg = f"This {type(data).__name__} has no columns, so there is nothing to ask."
        raise QueryError(msg, hint=_HINT)
    try:
        _fill(con, [column.arrow() for column in given], table)
    except _REFUSED:
        _fill(con, [_readable(con, column) for column in given], table)
    return unique_names(column.name for column in given)


def _columns(data: Any) -> list[_Given]:
    if isinstance(data, pl.LazyFrame):
        data = data.collect()
    if isinstance(data, pl.Series):
        data = data.to_frame()
    if isinstance(data, pl.DataFrame):
        return [_Given(s.name, _from_polars(s), s.to_list) for s in data]
    if type(data).__module__.partition(".")[0] == "pandas" and hasattr(data, "iloc"):
        frame = data if hasattr(data, "columns") else data.to_frame()
        series = [frame.iloc[:, n] for n in range(len(frame.columns))]
        return [_Given(str(s.name), _from_pandas(s), s.tolist) for s in series]
    if not isinstance(data, (pa.Table, pa.RecordBatch)):
        if not hasattr(data, "__arrow_c_stream__"):
            msg = f"{type(data).__name__} is nothing with rows and columns."
            raise QueryError(msg, hint=_HINT)
        data = pa.table(data)
    arrays = [data.column(n) for n in range(data.num_columns)]
    names = data.schema.names
    return [_Given(n, _same(a), a.to_pylist) for n, a in zip(names, arrays, strict=True)]


def _same(array: Any) -> Callable[[], Any]:
    return lambda: array


def _from_polars(series: pl.Series) -> Callable[[], Any]:
    if series.dtype == pl.Object:  # polars would give the addresses of the objects
        return lambda: _texts(series.to_list())
    if str(series.dtype) in {"Int128", "UInt128"}:
        return lambda: series.cast(pl.Decimal(38, 0)).to_arrow()
    return series.to_arrow


def _from_pandas(series: Any) -> Callable[[], Any]:
    return lambda: pa.Array.from_pandas(series)


def _fill(con: duckdb.DuckDBPyConnection, arrays: list[Any], table: str) -> None:
    incoming = pa.table(arrays, names=[f"c{n}" for n in range(len(arrays))])
    name = f"{table}_incoming"
    con.register(name, incoming)
    try:
        con.execute(f"CREATE TABLE {table} AS SELECT * FROM {name}")
    finally:
        con.unregister(name)


def _readable(con: duckdb.DuckDBPyConnection, column: _Given) -> Any:
    """The column as it is if DuckDB takes it by itself, else as numbers that it knows, else as text."""
    trial = "column_on_trial"
    for make in (column.arrow, lambda: _known_numbers(column.arrow())):
        try:
            array = make()
            _fill(con, [array], trial)
        except _REFUSED:
            continue
        con.execute(f"DROP TABLE {trial}")
        return array
    return _texts(column.items())


def _known_numbers(array: Any) -> Any:
    if not pa.types.is_float16(array.type):
        raise TypeError
    return array.cast(pa.float32())


def _texts(values: list[Any]) -> Any:
    return pa.array([None if v is None else str(v) for v in values], pa.large_string())
