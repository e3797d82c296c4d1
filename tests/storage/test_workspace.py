"""A workspace: made once, checked at every open, and told from its copies."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pjais_lab.errors import (
    ClosedError,
    CorruptJournalError,
    FormatVersionError,
    NetworkFilesystemError,
    ReadOnlyError,
    SettingsError,
    WorkspaceNotFoundError,
)
from pjais_lab.storage.netfs import Mount
from pjais_lab.storage.settings import Limits, Seal, Settings, Sharding, parse, render
from pjais_lab.storage.workspace import Workspace
from pjais_lab.testing.chunks import next_chunk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lab"


def make(path: Path, events: int = 1) -> str:
    """A workspace with some events; gives its replica id."""
    with Workspace.open(path) as workspace:
        for _ in range(events):
            workspace.journal().append(next_chunk(workspace.journal()))
        return workspace.replica


def rewrite(path: Path, old: str, new: str) -> None:
    file = path / "workspace.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_opening_makes_a_workspace_with_the_documented_defaults(path: Path) -> None:
    with Workspace.open(path) as workspace:
        settings = workspace.settings

        assert workspace.path == path
        assert settings.sharding == Sharding(shards=4, strategy="hash")
        assert settings.limits == Limits(event_bytes=1_048_576, clock_skew_s=300)
        assert settings.seal == Seal(events=50_000, size_bytes=64 * 1024 * 1024, age_s=300)
        assert settings.replica == workspace.replica == workspace.journal().replica
        assert workspace.router.shards == 4


def test_opening_again_changes_nothing(path: Path) -> None:
    replica = make(path)
    text = (path / "workspace.toml").read_text()

    with Workspace.open(path, create=False) as workspace:
        assert workspace.replica == replica
        assert workspace.journal().head() == 1

    assert (path / "workspace.toml").read_text() == text


def test_text_and_home_directories_are_paths_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(path.parent))
    monkeypatch.setenv("USERPROFILE", str(path.parent))

    with Workspace.open("~/lab") as workspace:
        assert workspace.path == path


def test_a_workspace_that_is_not_there_is_not_made_unasked(path: Path) -> None:
    with pytest.raises(WorkspaceNotFoundError, match=r"no workspace at .*`pjais init`"):
        Workspace.open(path, create=False)

    assert not path.exists()


def test_a_file_is_no_workspace(path: Path) -> None:
    path.write_text("hello")

    with pytest.raises(WorkspaceNotFoundError, match="is a file"):
        Workspace.open(path)


def test_processes_that_open_a_fresh_directory_at_once_make_one_workspace(path: Path) -> None:
    code = (
        "import sys; from pjais_lab.storage.workspace import Workspace\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "w = Workspace.open(sys.argv[1]); print(w.id, w.replica, w.settings.replica)"
    )
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for opener in openers:
        assert opener.stdout is not None
        opener.stdout.readline()
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write("go\n")
        opener.stdin.flush()
    said = {opener.communicate()[0] for opener in openers}

    assert len(said) == 1
    workspace_id, replica, shown = said.pop().split()
    assert replica == shown
    with Workspace.open(path) as workspace:
        assert (workspace.id, workspace.journal().replicas()) == (workspace_id, [replica])


def test_an_initialisation_that_was_cut_short_is_finished(path: Path) -> None:
    make(path, events=0)
    (path / "workspace.toml").unlink()

    with Workspace.open(path) as workspace:
        assert workspace.journal().head() == 0


def test_a_copy_gets_a_replica_id_of_its_own(path: Path, tmp_path: Path) -> None:
    first = make(path)
    copy = tmp_path / "copy"
    shutil.copytree(path, copy)

    with Workspace.open(copy) as there, Workspace.open(path) as here:
        assert here.replica == first
        assert there.replica != first
        assert there.id == here.id
        assert there.settings.replica == there.replica
        assert f'replica = "{there.replica}"' in (copy / "workspace.toml").read_text()
        assert there.journal().replicas() == [first, there.replica]
        journal = there.journal()
        journal.append(next_chunk(journal))
        assert journal.vector() == {first: 1, there.replica: 1}
        journal.verify_chain()

    with Workspace.open(copy) as again:
        assert again.replica == there.replica


def test_a_restored_backup_gets_a_replica_id_of_its_own(path: Path, tmp_path: Path) -> None:
    first = make(path)
    shutil.copytree(path, tmp_path / "backup")
    make(path)
    shutil.rmtree(path)
    shutil.copytree(tmp_path / "backup", path)

    with Workspace.open(path) as workspace:
        assert workspace.journal().head() == 1
        assert workspace.replica != first


def test_a_renamed_workspace_stays_who_it_is(path: Path, tmp_path: Path) -> None:
    first = make(path)
    path.rename(tmp_path / "renamed")

    with Workspace.open(tmp_path / "renamed") as workspace:
        assert workspace.replica == first


def test_a_copy_keeps_comments_and_settings_of_its_user(path: Path, tmp_path: Path) -> None:
    make(path)
    rewrite(path, "shards = 4", "shards = 8  # we are many")
    shutil.copytree(path, tmp_path / "copy")

    with Workspace.open(tmp_path / "copy") as copy:
        assert copy.settings.sharding.shards == 8

    assert "# we are many" in (tmp_path / "copy" / "workspace.toml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("shards = 4", "shard = 4", r"unknown setting sharding\.shard.*mean sharding\.shards\?"),
        ("[limits]", "[limit]", r"unknown setting limit.*mean limits\?"),
        ("format = 1", "format = 1\nzzz = 2", "unknown setting zzz.*Known: format"),
        ("shards = 4", "shards = 0", r"wrong at sharding\.shards: expected `int` >= 1"),
        ("shards = 4", "shards = 2000", r"wrong at sharding\.shards: expected `int` <= 1024"),
        ("event_bytes = 1_048_576", "event_bytes = 'big'", r"limits\.event_bytes: expected `int`"),
        (
            'strategy = "hash"',
            'strategy = "luck"',
            r"sharding\.strategy: invalid enum value 'luck'",
        ),
        ("age_s = 300", "age_s = -1", r"seal\.age_s"),
        ('id = "', 'id = "x', "wrong at id"),
        ("[seal]", "[seal", "not TOML"),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(
    path: Path, old: str, new: str, match: str
) -> None:
    make(path)
    rewrite(path, old, new)

    with pytest.raises(SettingsError, match=match):
        Workspace.open(path)


def test_settings_that_are_not_text_are_refused(path: Path) -> None:
    make(path)
    (path / "workspace.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(SettingsError, match="not UTF-8"):
        Workspace.open(path)


def test_settings_are_read_back_as_written() -> None:
    settings = Settings(
        format=1,
        id="018bcfe5-6800-7000-8000-00000000000a",
        replica="0123456789a",
        sharding=Sharding(shards=7),
        limits=Limits(event_bytes=2048, clock_skew_s=1),
        seal=Seal(events=1, size_bytes=4096, age_s=9),
    )

    assert parse(render(settings), Path("workspace.toml")) == settings


def test_a_newer_workspace_is_refused(path: Path) -> None:
    make(path)
    rewrite(path, "format = 1", "format = 2\nnovelty = true")

    with pytest.raises(FormatVersionError, match=r"format 2 .* up to 1"):
        Workspace.open(path)


def test_a_missing_journal_is_named_and_not_replaced(path: Path) -> None:
    make(path)
    (path / "journal.sqlite").unlink()

    with pytest.raises(CorruptJournalError, match=r"journal\.sqlite is missing"):
        Workspace.open(path)

    assert not (path / "journal.sqlite").exists()


@pytest.mark.parametrize("what", ["events in the journal", "a lake"])
def test_missing_settings_are_named_when_there_is_something_to_lose(path: Path, what: str) -> None:
    make(path, events=what == "events in the journal")
    (path / "workspace.toml").unlink()
    if what == "a lake":
        (path / "lake").mkdir()

    with pytest.raises(SettingsError, match=r"workspace\.toml is missing"):
        Workspace.open(path)


def test_a_network_filesystem_is_refused(path: Path) -> None:
    mounts = [Mount("/", "ext4", "/dev/vda"), Mount(str(path.parent), "nfs4", "srv:/export")]

    with pytest.raises(NetworkFilesystemError, match="network filesystem nfs4"):
        Workspace.open(path, mounts=mounts)

    assert not path.exists()


@pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() == 0, reason="root may write everywhere"
)
def test_a_directory_without_write_permission_is_named(path: Path) -> None:
    make(path)
    path.chmod(0o555)
    try:
        with pytest.raises(ReadOnlyError, match="cannot be written"):
            Workspace.open(path)
    finally:
        path.chmod(0o755)


def test_journal_and_notifier_work_together(path: Path) -> None:
    with Workspace.open(path) as one, Workspace.open(path) as two:
        with two.notifier().listen() as listener:
            one.journal().append(next_chunk(one.journal()))
            one.notifier().notify(1)

            assert listener.wait(5)
            assert two.journal().head() == 1
        assert one.notifier() is one.notifier()


def test_a_closed_journal_is_opened_again_and_a_closed_workspace_is_not(path: Path) -> None:
    workspace = Workspace.open(path)
    workspace.journal().close()
    assert workspace.journal().head() == 0

    workspace.close()
    workspace.close()

    with pytest.raises(ClosedError, match="is closed"):
        workspace.journal()
