"""A journal on a full or read-only disk, and the names of SQLite's errors."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pjais_lab.errors import (
    BusyError,
    CorruptJournalError,
    DiskFullError,
    InternalError,
    LabError,
    ReadOnlyError,
    StorageError,
)
from pjais_lab.storage._translate import sqlite_error
from tests.chaos.disk import on_small_disk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


JOURNAL = """
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.testing.chunks import next_chunk
"""


def test_a_full_disk_loses_nothing_and_the_journal_goes_on_once_there_is_room(
    tmp_path: Path,
) -> None:
    out = on_small_disk(
        tmp_path,
        "3m",
        JOURNAL
        + """
journal = SqliteJournal(disk / "journal.sqlite")
ballast = disk / "ballast"
ballast.write_bytes(bytes(1_500_000))
text = '{"text":"' + "x" * 50_000 + '"}'
count = 0
try:
    while True:
        journal.append(next_chunk(journal, [text]))
        count += 1
except Exception as error:
    print(type(error).__name__, journal.head() == count > 0)
ballast.unlink()
journal.append(next_chunk(journal, [text]))
print(journal.verify_chain().events == count + 1)
""",
    )

    assert out == "DiskFullError True\nTrue\n"


def test_a_disk_too_full_to_make_a_journal_is_named(tmp_path: Path) -> None:
    out = on_small_disk(
        tmp_path,
        "3m",
        JOURNAL
        + """
ballast = disk / "ballast"
try:
    ballast.write_bytes(bytes(4_000_000))
except OSError:
    pass
try:
    SqliteJournal(disk / "journal.sqlite")
except Exception as error:
    print(type(error).__name__)
ballast.unlink()
print(SqliteJournal(disk / "journal.sqlite").head())
""",
    )

    assert out == "DiskFullError\n0\n"


def test_a_read_only_disk_is_named(tmp_path: Path) -> None:
    out = on_small_disk(
        tmp_path,
        "3m",
        JOURNAL
        + """
path = disk / "journal.sqlite"
with SqliteJournal(path) as journal:
    journal.append(next_chunk(journal))
subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
for attempt in (lambda: SqliteJournal(path).append(None), lambda: SqliteJournal(disk / "b.sqlite")):
    try:
        attempt()
    except Exception as error:
        print(type(error).__name__)
""",
    )

    assert out == "ReadOnlyError\nReadOnlyError\n"


def test_every_error_of_sqlite_has_a_name_here(path: Path) -> None:
    codes = {
        value
        for name, value in vars(sqlite3).items()
        if name.startswith(("SQLITE_IOERR", "SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_READONLY"))
        or (name.startswith("SQLITE_") and isinstance(value, int) and 0 < value < 27)
    }

    for code in codes:
        error = sqlite3.OperationalError("reason")
        error.sqlite_errorcode = code
        assert isinstance(sqlite_error(error, path), LabError)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, DiskFullError),
        (sqlite3.SQLITE_READONLY_DIRECTORY, ReadOnlyError),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, BusyError),
        (sqlite3.SQLITE_CORRUPT_VTAB, CorruptJournalError),
        (sqlite3.SQLITE_NOTADB, CorruptJournalError),
        (sqlite3.SQLITE_IOERR_SHORT_READ, CorruptJournalError),
        (sqlite3.SQLITE_IOERR_FSYNC, StorageError),
        (sqlite3.SQLITE_MISUSE, InternalError),
    ],
)
def test_an_error_of_sqlite_becomes(path: Path, code: int, kind: type[LabError]) -> None:
    error = sqlite3.OperationalError("reason")
    error.sqlite_errorcode = code

    assert type(sqlite_error(error, path)) is kind
