"""What is particular to the journal in SQLite: the file, its damage, its processes, its speed."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pjais_lab.errors import (
    BusyError,
    CorruptJournalError,
    DiskFullError,
    FormatVersionError,
    InternalError,
    LabError,
    ReadOnlyError,
    StorageError,
)
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.storage._translate import sqlite_error
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


def run(code: str, *args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True, check=False
    )


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


FORK = """
import os, sys
from pathlib import Path
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.testing.chunks import next_chunk
journal = SqliteJournal(Path(sys.argv[1]))
def add():
    for _ in range(50):
        with journal.lock():
            journal.append(next_chunk(journal))
add()
with journal.lock():
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            add()
            os._exit(0)
        children.append(child)
    journal.append(next_chunk(journal))
add()
print(sum(os.waitpid(c, 0)[1] for c in children))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_appends_with_connections_and_locks_of_its_own(path: Path) -> None:
    done = run(FORK, path)

    assert (done.stdout, done.stderr) == ("0\n", "")
    with SqliteJournal(path) as journal:
        assert journal.head() == 50 + 1 + 50 + 2 * 50
        journal.verify_chain()


WRITER = """
import sys, time
from pathlib import Path
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.testing.chunks import next_chunk
journal = SqliteJournal(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
end, n = time.monotonic() + float(sys.argv[2]), 0
while time.monotonic() < end:
    with journal.lock():
        journal.append(next_chunk(journal))
    n += 1
print(n)
"""


def test_four_processes_get_a_fair_share_each(path: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), "1.5"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    counts = [int(writer.communicate()[0]) for writer in _started(writers)]

    assert min(counts) >= 0.15 * sum(counts)
    with SqliteJournal(path) as journal:
        assert journal.head() == sum(counts)
        assert journal.verify_chain().events == sum(counts)


def _started(writers: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    return writers


def test_two_processes_that_make_the_same_journal_agree(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from pjais_lab.storage._sqlite import SqliteJournal\n"
        "sys.stdin.readline(); print(SqliteJournal(Path(sys.argv[1])).replica)"
    )
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]

    replicas = {maker.communicate()[0] for maker in _started(makers)}

    assert len(replicas) == 1


# A disk of our own: a mount namespace with a small tmpfs, which needs user namespaces.
DISK = """
import subprocess, sys
from pathlib import Path
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.testing.chunks import next_chunk
disk = Path(sys.argv[1])
def mount(*options):
    subprocess.run(["mount", "-t", "tmpfs", *options, "none", str(disk)], check=True)
mount("-o", "size=3m")
"""


def on_small_disk(tmp_path: Path, code: str) -> str:
    probe = ["unshare", "--mount", "--map-root-user", "mount", "-t", "tmpfs", "none", str(tmp_path)]
    try:
        subprocess.run(probe, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this system lets nobody mount a small disk")
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", sys.executable, "-c", DISK + code, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def test_a_full_disk_loses_nothing_and_the_journal_goes_on_once_there_is_room(
    tmp_path: Path,
) -> None:
    out = on_small_disk(
        tmp_path,
        """
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
        """
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
        """
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


def test_content_that_would_break_the_row_is_refused(journal: SqliteJournal) -> None:
    for broken in ('{"a":', "1,2", "", "]"):
        with pytest.raises(InternalError, match="JSON"):
            journal.append(next_chunk(journal, ["{}", broken]))

    assert journal.read(0) == []


def best_ms(call: Callable[[], object], times: int = 7) -> float:
    taken: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append((time.perf_counter() - start) * 1000)
    return min(taken)


def test_ten_thousand_events_are_stored_and_read_in_milliseconds(journal: SqliteJournal) -> None:
    content = json.dumps({"content": "x" * 60, "importance": 0.5, "kind": "event"})
    chunks = iter([next_chunk(journal, [content] * 10_000)])
    journal.append(next(chunks))

    # Twice what a quiet machine needs: CI shares its cores.
    assert best_ms(lambda: journal.append(next_chunk(journal, [content] * 10_000))) < 100
    assert best_ms(lambda: journal.read(0, limit=1)) < 50
    assert best_ms(journal.head) < 1
