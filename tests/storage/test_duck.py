"""DuckDB's settings, extensions and errors."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import cast

import duckdb
import pytest

from pjais_lab.errors import (
    BusyError,
    CatalogError,
    ClosedError,
    CorruptSegmentError,
    DiskFullError,
    ExtensionError,
    InternalError,
    LabError,
    QueryError,
    ReadOnlyError,
    StorageError,
)
from pjais_lab.storage.duck import (
    ERROR_MAP,
    Extension,
    connect,
    extension_path,
    load_extension,
    preload,
    transaction,
    translate,
    translated,
)


def every_error(kind: type[duckdb.Error]) -> set[type[duckdb.Error]]:
    return {kind}.union(*(every_error(k) for k in kind.__subclasses__()))


def setting(con: duckdb.DuckDBPyConnection, name: str) -> str:
    row = con.execute("SELECT current_setting(?)::VARCHAR", [name]).fetchone()
    return str(row and row[0])


def test_the_error_map_is_complete() -> None:
    public = {
        kind
        for name in dir(duckdb)
        if isinstance(kind := getattr(duckdb, name), type) and issubclass(kind, duckdb.Error)
    }

    assert set(ERROR_MAP) == every_error(duckdb.Error) | public


@pytest.mark.parametrize("kind", list(ERROR_MAP))
def test_every_duckdb_error_becomes_a_lab_error_of_one_sentence(kind: type[duckdb.Error]) -> None:
    with (
        pytest.raises(LabError, match=r"^Asking failed: it broke\.") as caught,
        translated("asking"),
    ):
        raise kind("it broke")

    assert isinstance(caught.value.__cause__, kind)


def test_settings_are_pinned() -> None:
    con = connect()

    assert setting(con, "TimeZone") == "UTC"
    assert setting(con, "python_enable_replacements") == "false"
    assert setting(con, "autoinstall_known_extensions") == "false"
    assert setting(con, "autoload_known_extensions") == "false"
    assert setting(con, "allow_unsigned_extensions") == "false"


def test_python_variables_are_no_tables() -> None:
    memories = connect().execute("SELECT 1").to_arrow_table()

    with pytest.raises(QueryError, match="memories"), translated("asking"):
        connect().execute("SELECT * FROM memories")
    assert memories.num_rows == 1


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELEC 1", QueryError),
        ("SELECT * FROM nowhere", QueryError),
        ("SELECT missing FROM range(3)", QueryError),
        ("SELECT 'x'::INTEGER", QueryError),
        ("SELECT 9223372036854775807 + 1", QueryError),
        ("FROM read_parquet('/nowhere/a.parquet')", CorruptSegmentError),
        ("COPY (SELECT 1) TO '/nowhere/a.csv'", StorageError),
        ("COMMIT", InternalError),
    ],
)
def test_a_failing_statement_raises_its_named_error(sql: str, kind: type[LabError]) -> None:
    with pytest.raises(LabError) as caught, translated("asking"):
        connect().execute(sql)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("IO Error: Could not write file: No space left on device", DiskFullError),
        ("database or disk is full", DiskFullError),
        ("Failed to flush changes into DuckLake: database is locked", BusyError),
        ("TransactionContext Error: Catalog write-write conflict on alter", BusyError),
        ("IO Error: Cannot open file: Permission denied", ReadOnlyError),
        ("attempt to write a readonly database", ReadOnlyError),
        ("Failed to probe DuckLake metadata: file is not a database", CatalogError),
        ("database disk image is malformed", CatalogError),
        ("No magic bytes found at end of file '/a b/c.parquet'", CorruptSegmentError),
        ("ZSTD Decompression failure", CorruptSegmentError),
    ],
)
def test_the_text_of_an_error_is_more_precise_than_its_class(
    text: str, kind: type[LabError]
) -> None:
    assert type(translate(duckdb.IOException(text), "reading")) is kind


def test_a_damaged_file_is_named() -> None:
    error = translate(duckdb.Error("No magic bytes at end of file '/a b/c.parquet'"), "reading")

    assert error.data["path"] == "/a b/c.parquet"


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, DiskFullError), (errno.EROFS, ReadOnlyError), (errno.EIO, StorageError)],
)
def test_the_systems_errors_are_translated_too(number: int, kind: type[LabError]) -> None:
    with pytest.raises(kind, match="Writing failed"), translated("writing"):
        raise OSError(number, "it broke", "/a")


def test_a_closed_connection_is_said_to_be_closed() -> None:
    con = connect()
    con.close()

    with pytest.raises(ClosedError), translated("asking"):
        con.execute("SELECT 1")


def test_a_transaction_that_raises_changes_nothing() -> None:
    con = connect()
    con.execute("CREATE TABLE t (i INTEGER)")

    with pytest.raises(ZeroDivisionError), transaction(con):
        con.execute("INSERT INTO t VALUES (1)")
        raise ZeroDivisionError

    assert con.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_extensions_come_from_the_installed_wheels() -> None:
    con = connect()
    preload(con).join()
    load_extension(con, "ducklake")

    rows = con.execute("SELECT extension_name FROM duckdb_extensions() WHERE loaded").fetchall()

    assert {("ducklake",), ("sqlite_scanner",)} <= set(rows)
    assert extension_path("ducklake") is not None


def test_a_missing_extension_says_what_to_install(tmp_path: Path) -> None:
    con = connect()
    con.execute(f"SET custom_extension_repository = '{tmp_path}'")

    with pytest.raises(ExtensionError, match="pip install duckdb-extension-no-such=="):
        load_extension(con, cast("Extension", "no_such"))
