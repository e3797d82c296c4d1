"""What a user meets when files of a workspace are damaged: a name, or no difference at all."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import pjais_lab as pj
from pjais_lab.errors import (
    CatalogError,
    CorruptJournalError,
    CorruptSegmentError,
    FormatVersionError,
    LabError,
)
from pjais_lab.storage.verify import verify
from pjais_lab.storage.workspace import Workspace

Damage = Callable[[Path], None]


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3 + 13)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[random.Random(5).randrange(len(content) // 2)] ^= 16
    path.write_bytes(content)


DAMAGES: list[Damage] = [Path.unlink, cut, flip]
damaged = pytest.mark.parametrize("damage", DAMAGES, ids=["missing", "cut", "flipped"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two personas of forty memories, sealed, and five more memories in the journal only."""
    with pj.open(tmp_path / "lab", background=False) as lab:
        people = [lab.personas.create(name) for name in ("Ada", "Grace")]
        with lab.batch():
            for n in range(80):
                lab.memories.record(people[n % 2], f"Memory {n}.")
        lab.seal()
        for n in range(5):
            lab.memories.record(people[0], f"Late memory {n}.")
    return tmp_path / "lab"


def segment(path: Path, table: str) -> Path:
    folder = path / "lake" / "data" / "main" / table
    return max(folder.rglob("*.parquet"), key=lambda p: p.stat().st_size)


def digests(lab: pj.Lab) -> dict[str, str]:
    state = lab._parts.state
    return {table: state.checksum(table) for table in state.registry.tables}


def named(path: Path) -> set[str]:
    """The files that ``pjais verify`` names."""
    with Workspace.open(path, create=False) as workspace:
        return {Path(p.path).name for p in verify(workspace).problems}


@damaged
def test_with_a_damaged_segment_of_events_the_state_is_whole_and_work_goes_on(
    path: Path, damage: Damage
) -> None:
    with pj.open(path, background=False) as lab:
        before = digests(lab)
    victim = segment(path, "events")
    damage(victim)

    with pj.open(path, background=False) as lab:
        assert digests(lab) == before
        lab.memories.record(lab.personas["Grace"], "Life goes on.")
        assert lab.query("SELECT count(*) FROM memories").item() == 86
        assert {Path(p.path).name for p in lab.verify().problems} == {victim.name}
    assert named(path) == {victim.name}


@pytest.mark.parametrize("damage", DAMAGES[:2], ids=["missing", "cut"])
def test_reading_a_damaged_segment_names_it_and_a_restored_one_is_read_again(
    path: Path, damage: Damage
) -> None:
    victim = segment(path, "events")
    backup = victim.read_bytes()
    damage(victim)

    with pj.open(path, background=False) as lab:
        before = digests(lab)
        with pytest.raises(LabError, match=victim.name):
            lab.query("SELECT sum(length(args::VARCHAR)) FROM events")
        with pytest.raises(LabError, match=victim.name):
            lab.rebuild()
        assert digests(lab) == before

    victim.write_bytes(backup)
    with pj.open(path, background=False) as lab:
        assert all(report.is_same for report in lab.rebuild(verify=True))
        assert lab.verify().is_sound


@damaged
def test_a_damaged_segment_is_never_merged_into_a_sound_looking_one(
    path: Path, damage: Damage
) -> None:
    victim = segment(path, "events")
    damage(victim)

    with pj.open(path, background=False) as lab:
        ada = lab.personas["Ada"]
        with pytest.raises(CorruptSegmentError, match=victim.name):
            for n in range(9):
                lab.memories.record(ada, f"Sealed alone {n}.")
                lab.seal()

        assert lab._parts.lake.mark() == lab.position
        assert {Path(p.path).name for p in lab.verify().problems} == {victim.name}


@damaged
def test_a_damaged_checkpoint_is_passed_over_and_its_table_rebuilt(
    path: Path, damage: Damage
) -> None:
    with pj.open(path, background=False) as lab:
        before = digests(lab)
    victim = segment(path, "ckpt_memories")
    damage(victim)
    assert named(path) == {victim.name}

    with pj.open(path, background=False) as lab:
        assert digests(lab) == before
        assert damage is flip or "memories" in lab.status.ignored
        lab.seal()
        assert lab.verify().is_sound


def test_without_a_checkpoint_a_damaged_segment_stops_the_opening_by_its_name(path: Path) -> None:
    shutil.rmtree(path / "lake" / "data" / "main" / "ckpt_memories")
    victim = segment(path, "events")
    backup = victim.read_bytes()
    victim.unlink()

    with pytest.raises(LabError, match=victim.name):
        pj.open(path, background=False)

    victim.write_bytes(backup)
    with pj.open(path, background=False) as lab:
        assert lab.query("SELECT count(*) FROM memories").item() == 85


@pytest.mark.parametrize("damage", [Path.unlink, cut], ids=["missing", "cut"])
def test_a_damaged_catalogue_is_named_and_a_restored_one_is_read_again(
    path: Path, damage: Damage
) -> None:
    victim = path / "lake" / "catalog.sqlite"
    backup = victim.read_bytes()
    damage(victim)

    with pytest.raises(CatalogError, match=r"catalog\.sqlite"):
        pj.open(path, background=False)
    assert "catalog.sqlite" in named(path)

    victim.write_bytes(backup)
    with pj.open(path, background=False) as lab:
        assert lab.position == 87
        assert lab.verify().is_sound


@pytest.mark.parametrize("damage", [Path.unlink, cut], ids=["missing", "cut"])
def test_a_damaged_journal_is_named_and_not_replaced(path: Path, damage: Damage) -> None:
    victim = path / "journal.sqlite"
    damage(victim)

    with pytest.raises(CorruptJournalError, match=r"journal\.sqlite"):
        pj.open(path, background=False)
    assert damage is cut or not victim.exists()


def test_a_flipped_bit_in_the_journal_is_named_by_verify(path: Path) -> None:
    victim = path / "journal.sqlite"
    content = victim.read_bytes()
    victim.write_bytes(content.replace(b"Late memory 3", b"Lake memory 3"))

    assert named(path) == {"journal.sqlite"}
    with pytest.raises(CorruptJournalError, match="digest differs"):
        pj.open(path, background=False)


def test_a_log_of_the_journal_cut_mid_page_loses_only_what_was_not_acknowledged(
    path: Path, tmp_path: Path
) -> None:
    with pj.open(path, background=False) as lab:
        ada = lab.personas["Ada"]
        lab.memories.record(ada, "Acknowledged.")
        kept = lab.position
        size = (path / "journal.sqlite-wal").stat().st_size
        lab.memories.record(ada, "Cut while it was being written.")
        shutil.copytree(path, tmp_path / "cut", ignore=shutil.ignore_patterns("listeners", "*-shm"))
    os.truncate(tmp_path / "cut" / "journal.sqlite-wal", size + 2000)

    with pj.open(tmp_path / "cut", background=False) as lab:
        assert lab.position == kept
        assert "Acknowledged." in lab.query("SELECT content FROM memories")["content"]
        assert lab.verify().is_sound
        lab.memories.record(lab.personas["Ada"], "Afterwards.")
        assert lab.position == kept + 1


@pytest.mark.parametrize("where", ["workspace.toml", "journal.sqlite"])
def test_a_workspace_of_a_newer_format_is_refused_and_left_as_it_is(path: Path, where: str) -> None:
    file = path / where
    if where == "workspace.toml":
        file.write_text(file.read_text().replace("format = 1", "format = 2"))
    else:
        content = bytearray(file.read_bytes())
        content[60:64] = (2).to_bytes(4, "big")  # user_version, in SQLite's header
        file.write_bytes(content)
    before = file.read_bytes()

    with pytest.raises(FormatVersionError, match="format 2"):
        pj.open(path, background=False)
    assert file.read_bytes() == before


def test_a_copied_workspace_goes_its_own_way_and_both_keep_everything(
    path: Path, tmp_path: Path
) -> None:
    shutil.copytree(path, tmp_path / "copy")

    with (
        pj.open(path, background=False) as here,
        pj.open(tmp_path / "copy", background=False) as there,
    ):
        assert here.status.replica != there.status.replica
        for lab, text in ((here, "Here."), (there, "There.")):
            lab.memories.record(lab.personas["Ada"], text)
            lab.seal()
        assert here.status.vector == {here.status.replica: 88}
        assert there.status.vector == {here.status.replica: 87, there.status.replica: 1}
        for lab in (here, there):
            assert lab.query("SELECT count(*) FROM memories").item() == 86
            assert all(report.is_same for report in lab.rebuild(verify=True))
            assert lab.verify().is_sound
