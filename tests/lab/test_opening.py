from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import get_ident

import pytest

import pjais_lab as pj
from pjais_lab.errors import CatalogError
from pjais_lab.storage import checkpoint
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.storage.workspace import Workspace


def test_a_lake_older_than_the_journal_is_named_not_passed_over(tmp_path: Path) -> None:
    with pj.open(tmp_path / "w", background=False) as lab:
        lab.personas.create("Ada")
        lab.seal()
    with Workspace.open(tmp_path / "w") as workspace:
        workspace.journal().purge(1)
    shutil.rmtree(tmp_path / "w" / "lake")

    with pytest.raises(CatalogError, match="neither in the journal nor in the lake"):
        pj.open(tmp_path / "w", background=False)


@pytest.fixture
def sealer(tmp_path: Path) -> Iterator[pj.Lab]:
    """A lab that purges what it seals at once."""
    with pj.open(tmp_path / "lab", background=False) as lab:
        lab._parts.sealer.grace_events = 0
        lab.personas.create("Ada")
        lab.seal()
        lab.memories.record(lab.personas["Ada"], "old")
        yield lab


def after(sealer: pj.Lab, act: Callable[..., object]) -> Callable[..., object]:
    """``act``, and right after its first run in this thread somebody commits, seals and purges."""
    here = get_ident()
    left = [True]

    def run(*args: object, **named: object) -> object:
        done = act(*args, **named)
        if left and get_ident() == here:  # threads that follow call it too
            left.pop()
            sealer.memories.record(sealer.personas["Ada"], "new")
            sealer.seal()
        return done

    return run


@pytest.mark.parametrize(
    ("where", "name"),
    [(checkpoint, "load"), (SqliteJournal, "floor"), (SqliteJournal, "head")],
    ids=["checkpoint", "floor", "head"],
)
def test_a_lab_opens_whole_while_another_seals_and_purges(
    sealer: pj.Lab, monkeypatch: pytest.MonkeyPatch, where: object, name: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(where, name, after(sealer, getattr(where, name)))
        late = pj.open(sealer.path, background=False)

    with late:
        assert late.query("SELECT count(*) FROM memories").item() == 2
        assert late.query("SELECT count(*) FROM events").item() == sealer.position
        assert all(report.is_same for report in late.rebuild(verify=True))


def test_a_follower_misses_nothing_while_another_seals_and_purges(
    sealer: pj.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pj.open(sealer.path, background=False) as follower:
        with monkeypatch.context() as patch, follower._parts.store.at_rest():
            sealer.memories.record(sealer.personas["Ada"], "meanwhile")
            journal = follower._parts.journal
            patch.setattr(journal, "head", after(sealer, journal.head))
            follower._parts.store.catch_up()

        assert follower.query("SELECT count(*) FROM memories").item() == 3
        assert all(report.is_same for report in follower.rebuild(verify=True))
