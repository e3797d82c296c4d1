"""Checkpoints: what is saved comes back, and what is wrong is passed over."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import duckdb
import msgspec
import pytest

from pjais_lab.core.event import Event, event
from pjais_lab.core.merge import Last, Sum, Union, src
from pjais_lab.core.registry import Registry
from pjais_lab.core.shard import HashRouter
from pjais_lab.core.table import Table
from pjais_lab.storage import checkpoint
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.storage.duck import connect
from pjais_lab.storage.lake import Lake
from pjais_lab.storage.state import State
from pjais_lab.testing.chunks import next_chunk


@event("v1.Tested", entity="test", effect="create")
class Trial(Event):
    n: int
    tags: list[str] = msgspec.field(default_factory=list[str])


TESTS = Table(
    "tests",
    "test",
    {
        "n": Last("BIGINT", (src(Trial, "n"),)),
        "total": Sum("HUGEINT", (src(Trial, "n"),)),
        "tags": Union("VARCHAR[]", (src(Trial, "tags"),)),
    },
)
OTHER = Table("tests", "test", {"n": Last("BIGINT", (src(Trial, "n"),))})
REGISTRY = Registry().add(Trial, TESTS)


@pytest.fixture
def journal(tmp_path: Path) -> SqliteJournal:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    for _ in range(3):
        contents = [f'{{"n":{i},"tags":["a{i % 3}","b"]}}' for i in range(100)]
        journal.append(next_chunk(journal, contents))
    return journal


def follow(journal: SqliteJournal, registry: Registry = REGISTRY) -> State:
    state = fresh(registry)
    state.ingest(journal.read(0))
    return state


def fresh(registry: Registry = REGISTRY) -> State:
    return State(connect(2), registry, HashRouter(4))


def lake_of(state: State, tmp_path: Path) -> Lake:
    return Lake(state.cursor(), tmp_path / "lake", HashRouter(4))


def test_a_saved_state_is_loaded_as_it_was(journal: SqliteJournal, tmp_path: Path) -> None:
    state, other = follow(journal), fresh()

    assert checkpoint.save(lake_of(state, tmp_path), state) == 300
    loaded = checkpoint.load(lake_of(other, tmp_path), other, head=lambda: 300)

    assert loaded == checkpoint.Loaded(300, frozenset({"_erased", "tests"}))
    assert other.checksum("tests") == state.checksum("tests")


def test_without_a_lake_nothing_is_loaded(tmp_path: Path) -> None:
    state = fresh()

    assert checkpoint.load(lake_of(state, tmp_path), state) == checkpoint.Loaded()
    assert not (tmp_path / "lake").exists()


def test_the_newest_checkpoint_replaces_the_one_before(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    state = follow(journal)
    lake = lake_of(state, tmp_path)
    checkpoint.save(lake, state)

    journal.append(next_chunk(journal, ['{"n":7,"tags":[]}']))
    state.ingest(journal.read(300))
    checkpoint.save(lake, state)

    assert {r.position for r in checkpoint.newest(lake)} == {301}
    assert [r.row_count for r in checkpoint.newest(lake) if r.name == "tests"] == [301]


def test_commits_of_another_thread_do_not_tear_a_checkpoint(
    journal: SqliteJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, other = follow(journal), fresh()
    lake = lake_of(state, tmp_path)
    checkpoint.save(lake, state)
    fence = checkpoint.fence

    def fence_while_others_commit(cursor: duckdb.DuckDBPyConnection, token: int) -> int:
        mark = fence(cursor, token)
        journal.append(next_chunk(journal, ['{"n":7,"tags":[]}']))
        commit = Thread(target=lambda: state.ingest(journal.read(300)))
        commit.start()
        commit.join()
        return mark

    monkeypatch.setattr(checkpoint, "fence", fence_while_others_commit)
    position = checkpoint.save(lake, state, token=1)
    loaded = checkpoint.load(lake_of(other, tmp_path), other, head=lambda: 301)
    other.start(position, loaded.tables, journal.read(0))
    other.ingest(journal.read(position))

    assert loaded.tables
    assert other.position == 301
    assert other.checksum("tests") == state.checksum("tests")


def test_a_checkpoint_that_comes_while_another_is_read_is_no_damage(
    journal: SqliteJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, other = follow(journal), fresh()
    lake = lake_of(state, tmp_path)
    checkpoint.save(lake, state)
    read, late = checkpoint.newest, [True]

    def newest_while_others_seal(of: Lake) -> list[checkpoint.CheckpointRow]:
        rows = read(of)
        if late:
            late.pop()
            journal.append(next_chunk(journal, ['{"n":7,"tags":[]}']))
            state.ingest(journal.read(300))
            checkpoint.save(lake, state)
        return rows

    monkeypatch.setattr(checkpoint, "newest", newest_while_others_seal)
    loaded = checkpoint.load(lake_of(other, tmp_path), other, head=lambda: 301)

    assert loaded == checkpoint.Loaded(301, frozenset({"_erased", "tests"}))
    assert other.checksum("tests") == state.checksum("tests")


def test_a_changed_declaration_leaves_its_table_to_a_rebuild(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    state, other = follow(journal), fresh(Registry().add(Trial, OTHER))
    checkpoint.save(lake_of(state, tmp_path), state)

    loaded = checkpoint.load(lake_of(other, tmp_path), other)

    assert loaded.tables == {"_erased"}
    assert [(i.table, i.reason, i.is_damage) for i in loaded.ignored] == [
        ("tests", "The table's declaration has changed.", False)
    ]


def test_a_checkpoint_of_another_history_is_passed_over(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    state, other = follow(journal), fresh()
    checkpoint.save(lake_of(state, tmp_path), state)

    loaded = checkpoint.load(lake_of(other, tmp_path), other, head=lambda: 299)

    assert loaded.position == 0
    assert "the journal ends at 299" in loaded.ignored[0].reason


def test_a_checkpoint_of_another_duckdb_is_passed_over(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    state, other = follow(journal), fresh()
    lake = lake_of(state, tmp_path)
    checkpoint.save(lake, state)
    lake.cursor().execute("UPDATE lake.checkpoints SET duckdb = '0.9' WHERE name = 'tests'")

    loaded = checkpoint.load(lake_of(other, tmp_path), other)

    assert [(i.table, i.is_damage) for i in loaded.ignored] == [("tests", False)]
    assert "DuckDB 0.9 wrote it" in loaded.ignored[0].reason


@pytest.mark.parametrize("damage", ["missing", "cut", "altered"])
def test_a_damaged_checkpoint_is_passed_over_with_a_reason(
    journal: SqliteJournal, tmp_path: Path, damage: str
) -> None:
    state, other = follow(journal), fresh()
    lake = lake_of(state, tmp_path)
    checkpoint.save(lake, state)
    if damage == "altered":
        lake.cursor().execute("UPDATE lake.ckpt_tests SET shard = shard + 1 WHERE id IS NOT NULL")
    else:
        (path,) = [f.path for f in lake.files() if f.table == "ckpt_tests"]
        content = path.read_bytes()
        path.unlink()
        if damage == "cut":
            path.write_bytes(content[:-9])
    lake.detach()

    loaded = checkpoint.load(lake_of(other, tmp_path), other)

    assert [(i.table, i.is_damage) for i in loaded.ignored] == [("tests", True)]
    assert loaded.tables == {"_erased"}
    assert other.cursor().execute("SELECT count(*) FROM state.tests").fetchone() == (0,)
