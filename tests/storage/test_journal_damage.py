"""A journal that was cut, altered or replaced says so."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from pjais_lab.errors import CorruptJournalError
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.testing.chunks import next_chunk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def edit(path: Path, sql: str) -> None:
    con = sqlite3.connect(path)
    con.execute(sql)
    con.commit()
    con.close()


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"this is not a database" * 400])
def test_what_is_no_journal_is_named(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(CorruptJournalError, match=str(path)):
        SqliteJournal(path, create=False)


def test_another_programs_database_is_left_alone(path: Path) -> None:
    edit(path, "CREATE TABLE theirs (x)")

    with pytest.raises(CorruptJournalError, match="not a journal"):
        SqliteJournal(path)


@pytest.mark.parametrize("keep", [0.3, 0.5, 0.9, 0.999])
def test_a_truncated_journal_is_named(path: Path, keep: float) -> None:
    with SqliteJournal(path) as journal:
        for _ in range(50):
            journal.append(next_chunk(journal, 20))
    os.truncate(path, int(path.stat().st_size * keep))

    with pytest.raises(CorruptJournalError, match=r"journal\.sqlite"):
        SqliteJournal(path).verify_chain()


def test_a_wal_cut_mid_page_loses_only_what_was_cut(path: Path, tmp_path: Path) -> None:
    with SqliteJournal(path) as journal:
        for _ in range(20):
            journal.append(next_chunk(journal, 5))
        copy = tmp_path / "copy"
        copy.mkdir()
        wal = Path(f"{path}-wal").read_bytes()
        (copy / "journal.sqlite").write_bytes(path.read_bytes())
    (copy / "journal.sqlite-wal").write_bytes(wal[:-1000])

    with SqliteJournal(copy / "journal.sqlite") as cut:
        assert cut.head() == 95
        assert cut.verify_chain().events == 95


def test_a_flipped_bit_is_found_when_read(path: Path) -> None:
    with SqliteJournal(path) as journal:
        for _ in range(3):
            journal.append(next_chunk(journal, ['{"mark":"abcdefgh"}']))
    data = path.read_bytes()
    at = data.index(b"abcdefgh")
    path.write_bytes(data[:at] + b"x" + data[at + 1 :])

    with SqliteJournal(path) as journal:
        with pytest.raises(CorruptJournalError, match=r"commit ending at event \d .*digest"):
            journal.read(0)
        with pytest.raises(CorruptJournalError, match=r"commit ending at event \d .*digest"):
            journal.verify_chain()


@pytest.mark.parametrize(
    ("sql", "seq", "reason"),
    [
        ("DELETE FROM commits WHERE seq = 4", 6, "begins at event 5, not 3"),
        ("DELETE FROM commits WHERE seq = 6", 6, "ends elsewhere|last commit here"),
        ("UPDATE commits SET payload = '[]' WHERE seq = 4", 4, "digest"),
        ("UPDATE commits SET prev = x'00' WHERE seq = 4", 4, "does not follow"),
        ("UPDATE commits SET origin_seq = 9 WHERE seq = 4", 4, "does not follow"),
        ("UPDATE vector SET chain = x'00'", 6, "ends elsewhere"),
    ],
)
def test_the_chain_finds_what_was_altered(path: Path, sql: str, seq: int, reason: str) -> None:
    with SqliteJournal(path) as journal:
        for _ in range(3):
            journal.append(next_chunk(journal, 2))
    edit(path, sql)

    with SqliteJournal(path) as journal, pytest.raises(CorruptJournalError, match=reason) as caught:
        journal.verify_chain()

    assert caught.value.data["seq"] == seq
