"""Verifying a workspace: sound ones are sound, and damage is named."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import pjais_lab as pj
from pjais_lab.lab.registry import built_in
from pjais_lab.storage.duck import connect
from pjais_lab.storage.lake import Lake
from pjais_lab.storage.verify import VerifyReport, verify
from pjais_lab.storage.workspace import Workspace


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A workspace of three personas, sealed, with a few more events in the journal."""
    with pj.open(tmp_path / "lab", background=False) as lab:
        for name in ("Ada", "Grace", "Alan"):
            persona = lab.personas.create(name)
            for n in range(40):
                lab.memories.record(persona, f"{name} remembers {n}.")
        lab.seal()
        lab.memories.record(persona, "One more.")
    return tmp_path / "lab"


@pytest.fixture
def workspace(path: Path) -> Iterator[Workspace]:
    with Workspace.open(path, create=False) as opened:
        yield opened


def event_files(workspace: Workspace) -> list[Path]:
    return sorted((workspace.lake_path / "data" / "main" / "events").rglob("*.parquet"))


def named(report: VerifyReport) -> set[str]:
    return {Path(p.path).name for p in report.problems}


def test_a_sound_workspace_has_no_problems(workspace: Workspace) -> None:
    report = verify(workspace)

    assert report.is_sound, report
    assert (report.sealed, report.head) == (123, 124)
    assert report.files >= len(event_files(workspace))


def test_checkpoints_are_held_against_a_rebuild(workspace: Workspace) -> None:
    assert verify(workspace, built_in()).is_sound

    lake = Lake(connect(), workspace.lake_path, workspace.router)
    lake.attach(write=True)
    lake.cursor().execute("UPDATE lake.ckpt_memories SET _epoch = 2")
    lake.detach()

    report = verify(workspace, built_in())
    assert "checkpoint of memories" in str(report)


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped"])
def test_a_damaged_file_is_named(workspace: Workspace, damage: str) -> None:
    victim = event_files(workspace)[0]
    content = bytearray(victim.read_bytes())
    if damage == "missing":
        victim.unlink()
    elif damage == "cut":
        victim.write_bytes(content[: len(content) // 2])
    else:
        content[random.Random(3).randrange(len(content))] ^= 4
        victim.write_bytes(content)

    assert named(verify(workspace)) == {victim.name}


def test_all_damaged_files_are_named_at_once(workspace: Workspace) -> None:
    victims = event_files(workspace)[:2]
    for victim in victims:
        victim.write_bytes(b"PAR1")

    assert {v.name for v in victims} <= named(verify(workspace))


def test_files_whose_digest_was_never_written_are_read_instead(workspace: Workspace) -> None:
    (workspace.lake_path / "digests.b2").unlink()
    assert verify(workspace).is_sound

    victim = event_files(workspace)[0]
    content = victim.read_bytes()
    victim.write_bytes(b"\0" * (len(content) - 600) + content[-600:])
    assert named(verify(workspace)) == {victim.name}


def test_a_missing_catalogue_is_named(workspace: Workspace) -> None:
    (workspace.lake_path / "catalog.sqlite").unlink()

    report = verify(workspace)

    assert "catalog.sqlite" in named(report)


def test_events_missing_from_the_lake_are_counted(workspace: Workspace) -> None:
    lake = Lake(connect(), workspace.lake_path, workspace.router)
    lake.attach(write=True)
    lake.cursor().execute("DELETE FROM lake.events WHERE seq = 17")
    lake.detach()

    assert "122 events up to 123" in str(verify(workspace))


def test_a_lake_older_than_the_journal_is_noticed(workspace: Workspace) -> None:
    workspace.journal().purge(123)
    shutil.rmtree(workspace.lake_path)

    assert "Events 1 to 123 were purged but are not here" in str(verify(workspace))


def test_an_erased_persona_leaves_a_sound_workspace(path: Path) -> None:
    with pj.open(path, background=False) as lab:
        lab.personas.erase(lab.personas["Ada"])
        lab.seal()

    with Workspace.open(path, create=False) as workspace:
        assert verify(workspace).is_sound
        for file in workspace.lake_path.rglob("*"):
            assert file.is_dir() or b"Ada remembers" not in file.read_bytes(), file
