"""What is particular to the journal in SQLite: the file, its damage, its processes, its speed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from pjais_lab.errors import (
    BusyError,
    CorruptJournalError,
    FormatVersionError,
    InternalError,
)
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.testing.chunks import next_chunk

ADA = "018bcfe5-6800-7000-8000-00000000000a"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    with SqliteJournal(path) as made:
        yield made


def edit(path: Path, sql: str) -> None:
    con = sqlite3.connect(path)
    con.execute(sql)
    con.commit()
    con.close()


def test_plain_sqlite_reads_the_events(journal: SqliteJournal, path: Path) -> None:
    journal.append(next_chunk(journal, ['{"x":1}', '{"x":[2]}'], persona_id=ADA))
    journal.append(next_chunk(journal))
    con = sqlite3.connect(path)

    rows = con.execute("SELECT * FROM events ORDER BY seq").fetchall()
    names = [c[1] for c in con.execute("PRAGMA table_info(events)")]
    con.close()

    records = [r for c in journal.read(0) for r in c.records]
    assert names == list(records[0].__struct_fields__)
    assert rows == [tuple(getattr(r, n) for n in names) for r in records]


def test_the_journal_is_wal_and_full(journal: SqliteJournal) -> None:
    with journal.read_only() as con:
        assert con.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert con.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_newer_format_is_refused(path: Path) -> None:
    SqliteJournal(path).close()
    edit(path, "PRAGMA user_version = 99")

    with pytest.raises(FormatVersionError, match=r"format 99 .* up to 1"):
        SqliteJournal(path)


def test_a_missing_journal_is_not_made_unasked(path: Path) -> None:
    with pytest.raises(CorruptJournalError, match="is missing"):
        SqliteJournal(path, create=False)

    assert not path.exists()


def test_a_purge_gives_the_disk_its_room_back(path: Path) -> None:
    with SqliteJournal(path) as journal:
        for _ in range(20):
            journal.append(next_chunk(journal, ['{"s":"' + 5_000 * "x" + '"}'] * 200))
        journal.append(next_chunk(journal, ['{"s":"kept"}']))
        assert journal.settle()
        full = path.stat().st_size

        journal.purge(4_000)

        assert path.stat().st_size < full / 2
        assert journal.verify_chain().events == 1
        journal.append(next_chunk(journal, ['{"s":"next"}']))
        assert [c.seq_last for c in journal.read(4_000)] == [4_001, 4_002]


def test_scrubbed_content_is_in_no_file(path: Path) -> None:
    with SqliteJournal(path) as journal:
        journal.append(next_chunk(journal, ['{"s":"purged-s3cr3t"}'] * 200, persona_id=ADA))
        journal.append(next_chunk(journal, ['{"s":"kept-s3cr3t"}'] * 200, persona_id=ADA))
        assert b"s3cr3t" in Path(f"{path}-wal").read_bytes()
        journal.purge(200)

        journal.scrub(ADA)

        for file in path.parent.iterdir():
            assert b"s3cr3t" not in file.read_bytes(), file


def test_a_copy_gets_another_replica_id_and_remembers_the_first(journal: SqliteJournal) -> None:
    first = journal.replica

    assert not journal.claim("here")
    assert not journal.claim("here")
    assert journal.claim("elsewhere")

    assert journal.replica != first
    assert journal.replicas() == [first, journal.replica]


def test_a_process_that_opened_a_copy_while_another_claimed_it_takes_the_new_replica_id(
    journal: SqliteJournal, path: Path
) -> None:
    journal.claim("here")
    with SqliteJournal(path) as late:
        journal.claim("elsewhere")

        assert not late.claim("elsewhere")

        assert late.replica == journal.replica


def test_a_failed_commit_leaves_the_connection_usable(journal: SqliteJournal) -> None:
    with pytest.raises(KeyError), journal.write() as con:
        con.execute("INSERT INTO meta VALUES ('half', 'done')")
        raise KeyError

    assert journal.meta_get("half") is None
    journal.append(next_chunk(journal))


def test_an_outside_writer_is_named(
    journal: SqliteJournal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with journal.read_only() as con:
        con.execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(BusyError, match=r"keeps .* locked"):
        journal.append(next_chunk(journal))

    other.close()
    journal.append(next_chunk(journal))


def test_content_that_would_break_the_row_is_refused(journal: SqliteJournal) -> None:
    for broken in ('{"a":', "1,2", "", "]"):
        with pytest.raises(InternalError, match="JSON"):
            journal.append(next_chunk(journal, ["{}", broken]))

    assert journal.read(0) == []
