"""An erasure that a kill cut short, at whichever step, is finished by whoever comes next."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import pjais_lab as pj
from tests.chaos.crew import reap

KILLS = max(12, int(os.environ.get("PJAIS_KILLS", "200")) // 12)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 and fork need POSIX")

# Erases Ada and seals, and is killed on its way into one function.
ERASER = """
import os, pkgutil, sys
import pjais_lab as pj

def die(*args, **kwargs):
    os.kill(os.getpid(), 9)

path, module, owner, name = sys.argv[1:]
place = pkgutil.resolve_name(f"{module}:{owner}" if owner else module)
with pj.open(path, background=False) as lab:
    setattr(place, name, die)
    lab.personas.erase(lab.personas["Ada"])
    lab.seal()
print("came through")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Ada and Grace, one half of each sealed and the other half not."""
    with pj.open(tmp_path / "lab", background=False) as lab:
        people = [lab.personas.create(name) for name in ("Ada", "Grace")]
        for half in (1, 2):
            for p in people:
                for n in range(5):
                    lab.memories.record(p, f"the secret of {p.name} {half}.{n}, told at length")
            if half == 1:
                lab.seal()
    return tmp_path / "lab"


def files_with(path: Path, text: bytes) -> list[str]:
    return sorted(p.name for p, content in contents(path).items() if text in content)


def contents(path: Path) -> dict[Path, bytes]:
    """What every file of a workspace says: its bytes, and of Parquet, which is packed, its rows too."""
    said = {p: p.read_bytes() for p in path.rglob("*") if p.is_file()}
    for file in said:
        if file.suffix == ".parquet":
            said[file] += str(duckdb.sql(f"FROM read_parquet('{file}')").fetchall()).encode()
    return said


def kill_at(path: Path, module: str, owner: str, name: str) -> None:
    command = [sys.executable, "-c", ERASER, str(path), module, owner, name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["scrub", "settle"])
def test_an_erasure_killed_before_it_cleaned_the_journal_is_finished_by_the_next_opening(
    path: Path, name: str
) -> None:
    kill_at(path, "pjais_lab.storage._sqlite", "SqliteJournal", name)
    left = [f for f in files_with(path, b"the secret of Ada") if f.startswith("journal")]
    assert left

    with pj.open(path, background=False) as lab:
        assert [p.name for p in lab.personas] == ["Grace"]
        left = [f for f in files_with(path, b"the secret of Ada") if f.startswith("journal")]
        assert left == []
        assert lab.verify().is_sound


def test_what_a_killed_sealer_left_behind_does_not_outlive_an_erasure(path: Path) -> None:
    sealed = max((path / "lake").rglob("events/**/*.parquet"), key=lambda p: p.stat().st_size)
    with pj.open(path, background=False) as lab:
        grace = lab.personas["Grace"]
        eve = lab.personas.create("Eve")
        lab.memories.record(eve, "the secret of Eve, told at length")
        orphan = sealed.with_name("ducklake-left-by-a-kill.parquet")
        lab._parts.state.cursor().execute(f"COPY log.tail TO '{orphan}'")
        lab.personas.erase(eve)
        assert files_with(path, b"the secret of Eve") == [orphan.name]

        lab.seal()

        assert files_with(path, b"the secret of Eve") == []
        assert lab.memories.record(grace, "Life goes on.")
        assert lab.verify().is_sound


def test_an_erasure_killed_in_one_process_is_finished_by_another_that_is_open(path: Path) -> None:
    with pj.open(path, background=False) as other:
        kill_at(path, "pjais_lab.storage._sqlite", "SqliteJournal", "scrub")

        other.seal()

        assert files_with(path, b"the secret of Ada") == []
        assert other.verify().is_sound


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("pjais_lab.storage.lake", "finish_erasures"),
        ("pjais_lab.storage.compaction", "expire"),
        ("pjais_lab.storage.compaction", "_vacuum"),
    ],
)
def test_an_erasure_killed_while_it_cleaned_the_lake_is_finished_though_nothing_is_due(
    path: Path, module: str, name: str
) -> None:
    kill_at(path, module, "", name)
    assert files_with(path, b"the secret of Ada")

    with pj.open(path, background=False) as lab:
        lab._parts.seal(force=False)

        assert files_with(path, b"the secret of Ada") == []
        assert files_with(path, b"the secret of Grace")
        assert lab.query("SELECT count(*) FROM memories").item() == 10
        assert lab.verify().is_sound


@pytest.mark.timeout(120 + 10 * KILLS)
def test_nobody_who_was_erased_leaves_a_byte_however_often_processes_are_killed(
    path: Path,
) -> None:
    with pj.open(path, background=False) as lab:
        lab.personas.create("Town")

    said = reap(path, "erase", KILLS)

    assert said.errors == []
    with pj.open(path, background=False) as lab:
        lab.seal()
        gone = lab.query("SELECT persona_id::VARCHAR AS id FROM events WHERE name LIKE '%Erased'")
        assert set(gone["id"]) >= {persona for persona, _ in said.erased}
        left = lab.query("SELECT name FROM personas WHERE name LIKE 't%'")["name"].to_list()
        assert lab.verify().is_sound
    everything = b"".join(contents(path).values())
    told = {word.decode() for word in re.findall(rb"secret (t\d+x\d+-\d+)", everything)}
    assert told & {token for _, token in said.erased} == set()
    assert told == set(left)
