"""DuckDB: connections with pinned settings, extensions from wheels, errors in our own words.

This is the one place where ``duckdb.Error`` becomes a ``LabError``; it never leaves ``storage``.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import duckdb

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

__all__ = [
    "ERROR_MAP",
    "Extension",
    "connect",
    "extension_path",
    "load_extension",
    "preload",
    "quote",
    "transaction",
    "translate",
    "translated",
]

Extension = Literal["ducklake", "sqlite_scanner"]
Diagnose = Callable[[LabError], LabError]
"""Looks for damaged files after a failed read; gives the error to raise."""

_PINNED: Final = {
    "TimeZone": "UTC",
    "python_enable_replacements": "false",
    "enable_progress_bar": "false",
    "preserve_insertion_order": "true",
    # DuckDB vacuums tables in memory too, all of them while commits wait: seconds at a million rows.
    "checkpoint_threshold": "256MB",
}
_LOADING = threading.Lock()


def connect(threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with the lab's settings.

    Results depend neither on the machine's time zone nor on Python variables that happen to be in
    scope, and nothing is fetched from the network. What does not fit in memory spills into the
    system's temporary directory.

    Args:
        threads: how many threads a query may use; all processors when None.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": threads or os.cpu_count() or 1,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "temp_directory": str(Path(tempfile.gettempdir()) / f"pjais-duckdb-{os.getpid()}"),
    }
    with translated("starting DuckDB"):
        con = duckdb.connect(config=config)
        for name, value in _PINNED.items():
            con.execute(f"SET {name} = '{value}'")
    return con


def extension_path(name: Extension) -> Path | None:
    """Where the installed wheel keeps the extension for this DuckDB; None when it has none."""
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "extensions" / f"v{duckdb.__version__}"
    path = folder / f"{name}.duckdb_extension"
    return path if path.is_file() else None


def load_extension(con: duckdb.DuckDBPyConnection, name: Extension) -> None:
    """Load an extension from its PyPI wheel, its signature checked by DuckDB.

    Without the wheel DuckDB's own copy is used, and installed from duckdb.org if need be.

    Raises:
        ExtensionError: there is neither, or it does not fit this DuckDB.
    """
    path = extension_path(name)
    wheel = f"duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}"
    try:
        with _LOADING:
            if path is not None:
                con.execute(f"LOAD {quote(str(path))}")
            else:
                con.install_extension(name)
                con.load_extension(name)
    except duckdb.Error as error:
        msg = f"DuckDB {duckdb.__version__} cannot load {name!r}: {_first_line(error)}."
        hint = f"Run: pip install {wheel}"
        raise ExtensionError(msg, hint=hint, extension=name, path=path) from error


def preload(con: duckdb.DuckDBPyConnection) -> threading.Thread:
    """Load the lake's extensions in the background, which takes a quarter of a second.

    An error is left for the foreground to meet again.
    """
    cursor = con.cursor()

    def load() -> None:
        try:
            load_extension(cursor, "sqlite_scanner")
            load_extension(cursor, "ducklake")
        except ExtensionError:
            return
        finally:
            cursor.close()

    thread = threading.Thread(target=load, name="pjais-preload", daemon=True)
    thread.start()
    return thread


def quote(text: str) -> str:
    """An SQL string literal.

    >>> quote("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """One transaction: committed at the end, rolled back when the block raises."""
    try:
        con.execute("BEGIN TRANSACTION")
        yield
        con.execute("COMMIT")
    except BaseException as error:
        stop(con, error)
        _rollback(con)
        raise


def stop(con: duckdb.DuckDBPyConnection, error: BaseException) -> None:
    """End what DuckDB goes on computing after Ctrl-C, or the connection's next user waits for it."""
    if isinstance(error, KeyboardInterrupt) or str(error) == _CTRL_C:
        con.interrupt()


def _rollback(con: duckdb.DuckDBPyConnection) -> None:
    try:
        con.execute("ROLLBACK")
    except duckdb.Error:
        return  # the failed COMMIT has already ended it


# ---------------------------------------------------------------- errors

ERROR_MAP: Final[dict[type[duckdb.Error], type[LabError]]] = {
    duckdb.Error: StorageError,
    duckdb.DatabaseError: StorageError,
    duckdb.FatalException: InternalError,
    duckdb.InternalError: InternalError,
    duckdb.InternalException: InternalError,
    duckdb.InterruptException: QueryError,
    duckdb.PermissionException: QueryError,
    duckdb.SequenceException: QueryError,
    duckdb.DependencyException: QueryError,
    duckdb.DataError: QueryError,
    duckdb.OutOfRangeException: QueryError,
    duckdb.ConversionException: QueryError,
    duckdb.TypeMismatchException: QueryError,
    duckdb.OperationalError: StorageError,
    duckdb.TransactionException: InternalError,
    duckdb.OutOfMemoryException: QueryError,
    duckdb.ConnectionException: ClosedError,
    duckdb.IOException: StorageError,
    duckdb.HTTPException: ExtensionError,
    duckdb.SerializationException: StorageError,
    duckdb.IntegrityError: QueryError,
    duckdb.ConstraintException: QueryError,
    duckdb.ProgrammingError: QueryError,
    duckdb.ParserException: QueryError,
    duckdb.SyntaxException: QueryError,
    duckdb.BinderException: QueryError,
    duckdb.InvalidInputException: QueryError,
    duckdb.InvalidTypeException: QueryError,
    duckdb.CatalogException: QueryError,
    duckdb.NotSupportedError: QueryError,
    duckdb.NotImplementedException: QueryError,
}
"""What a DuckDB error means when its text says nothing more precise."""

_SIGNS: Final[tuple[tuple[type[LabError], str], ...]] = (
    (DiskFullError, r"no space left|disk is full|disk full|disk quota|\bENOSPC\b|file too large"),
    (BusyError, r"(database|table) is locked|write-write conflict|transaction conflict|conflict on"),
    (ReadOnlyError, r"permission denied|read-only|readonly|operation not permitted"),
    (CatalogError, r"malformed|not a database|ducklake metadata|catalog\.sqlite|open database|i/o error"),
    (CorruptSegmentError, r"\.parquet|parquet|zstd|thrift|magic bytes|snappy"),
)  # fmt: skip
_HINTS: Final[dict[type[LabError], str]] = {
    DiskFullError: "Free some space and try again; nothing was written.",
    BusyError: "Try again in a moment.",
    ReadOnlyError: "Check the permissions of the workspace's directory.",
    CorruptSegmentError: "Run `pjais verify`; restore the file from a backup.",
    CatalogError: "Run `pjais verify`; restore lake/catalog.sqlite from a backup.",
    InternalError: "Please report it.",
}
_CTRL_C: Final = "Query interrupted"
"""What DuckDB makes of a KeyboardInterrupt that reached it."""
_FILE: Final = re.compile(r"""["'](?P<quoted>[^"']+\.parquet)["']|(?P<bare>[^\s"']+\.parquet)""")


@contextmanager
def translated(
    what: str,
    *,
    otherwise: type[LabError] | None = None,
    diagnose: Diagnose | None = None,
) -> Iterator[None]:
    """Turn DuckDB's errors inside the block into the lab's.

    Args:
        what: what the block does, for the message: "reading the lake".
        otherwise: the class when the text says nothing precise; ``ERROR_MAP`` decides if None.
        diagnose: looks for a damaged file behind the error, and gives the error to raise.

    Raises:
        LabError: whatever the DuckDB error means.
    """
    try:
        yield
    except duckdb.Error as error:
        made = translate(error, what, otherwise=otherwise)
        raise (diagnose(made) if diagnose else made) from error
    except OSError as error:
        raise _from_os(error, what) from error
    except RuntimeError as error:
        if str(error) != _CTRL_C:
            raise
        raise KeyboardInterrupt from None


def translate(
    error: duckdb.Error, what: str, *, otherwise: type[LabError] | None = None
) -> LabError:
    """The lab's error for one of DuckDB's.

    Args:
        error: what DuckDB raised.
        what: what was being done.
        otherwise: the class when the text says nothing precise.
    """
    text = str(error)
    kind = _kind_of(error, otherwise)
    data: dict[str, Any] = {"what": what}
    found = _FILE.search(text)
    if found:
        data["path"] = found["quoted"] or found["bare"]
    if isinstance(error, duckdb.OutOfMemoryException) and kind is QueryError:
        hint = "Ask for less at once, or raise the memory limit of the machine."
    else:
        hint = _HINTS.get(kind, "")
    sentence, _, guess = _first_line(error).partition(" Did you mean ")
    msg = f"{what[:1].upper()}{what[1:]} failed: {sentence.rstrip('!')}."
    return kind(msg, hint=f"Did you mean {guess}" if guess else hint or None, **data)


def _kind_of(error: duckdb.Error, otherwise: type[LabError] | None) -> type[LabError]:
    text = str(error)
    is_statement = isinstance(
        error, (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
    )
    if not is_statement:
        for kind, pattern in _SIGNS:
            if re.search(pattern, text, re.IGNORECASE):
                return kind
    if otherwise is not None:
        return otherwise
    return next(ERROR_MAP[c] for c in type(error).__mro__ if c in ERROR_MAP)


def _from_os(error: OSError, what: str) -> LabError:
    kind: type[LabError] = StorageError
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        kind = DiskFullError
    elif error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        kind = ReadOnlyError
    reason = error.strerror or type(error).__name__
    msg = f"{what[:1].upper()}{what[1:]} failed: {reason} ({error.filename})."
    return kind(msg, hint=_HINTS.get(kind), path=error.filename, what=what)


def _first_line(error: Exception) -> str:
    """The sentence in DuckDB's text: no error class, no position marks."""
    lines = str(error).strip().split("\n")
    text = re.sub(r"^([A-Z][A-Za-z/-]* ){1,3}Error: ", "", lines[0])
    if len(lines) > 1 and lines[1].startswith("Did you mean"):
        text = f"{text} {lines[1]}"
    return text.strip().rstrip(".")
