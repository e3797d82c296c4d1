"""A disk that fills up, or takes no writes, at every step of a lab's work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.disk import on_small_disk

# A workspace, a ballast that leaves so much room, and texts that no compression makes smaller.
LAB = """
import os, random
import pjais_lab as pj
from pjais_lab.errors import LabError
from pjais_lab.memories.events import MemoryRecorded

path, ballast = disk / "lab", disk / "ballast"
dice = random.Random(4)

def leave(free):
    ballast.unlink(missing_ok=True)
    room = os.statvfs(disk)
    with ballast.open("wb") as file:
        file.write(bytes(max(0, room.f_bavail * room.f_frsize - free)))

def commit(lab, n):
    people = lab.query("SELECT id::VARCHAR AS id FROM personas")["id"].to_list()
    lab.commit(*(MemoryRecorded(dice.randbytes(500).hex()).on(dice.choice(people)) for _ in range(n)))

def digests(lab):
    state = lab._parts.state
    return {t: state.checksum(t) for t in state.registry.tables}

with pj.open(path, background=False) as lab:
    lab.personas.create("Ada")
    commit(lab, 100)
"""


def test_a_full_disk_refuses_commits_and_loses_none(tmp_path: Path) -> None:
    out = on_small_disk(
        tmp_path,
        "24m",
        LAB
        + """
lab = pj.open(path, background=False)
leave(400_000)
done = lab.position
for _ in range(100):
    try:
        commit(lab, 20)
        done += 20
    except LabError as error:
        print(type(error).__name__, str(path) in str(error), lab.position == lab.status.head == done)
        break
print(lab.query("SELECT count(*) FROM memories").item() == done - 1)
ballast.unlink()
commit(lab, 20)
before = digests(lab)
lab.close()
with pj.open(path, background=False) as lab:
    print(lab.position == done + 20, digests(lab) == before, lab.verify().is_sound)
""",
    )

    assert out == "DiskFullError True True\nTrue\nTrue True True\n"


def test_a_full_disk_while_sealing_or_writing_a_checkpoint_loses_nothing(tmp_path: Path) -> None:
    out = on_small_disk(
        tmp_path,
        "64m",
        LAB
        + """
lab = pj.open(path, background=False)
commit(lab, 3000)
before = digests(lab)
failed = set()
for free in range(100_000, 40_000_000, 400_000):
    leave(free)
    try:
        lab.seal()
        break
    except LabError as error:
        failed.add((type(error).__name__, lab._parts.lake.mark() > 0))
    assert digests(lab) == before
    assert lab.query("SELECT count(*) FROM events").item() == lab.position
print(sorted(failed))
ballast.unlink()
commit(lab, 10)
lab.seal()
before = digests(lab)
print(lab.status.sealed == lab.position, all(r.is_same for r in lab.rebuild(verify=True)))
lab.close()
with pj.open(path, background=False) as lab:
    print(digests(lab) == before, lab.verify())
""",
    )

    failed, ends, reopened, *rest = out.splitlines()
    assert failed == "[('DiskFullError', False), ('DiskFullError', True)]"
    assert ends == "True True"
    assert reopened.startswith("True Workspace sound: 3,111 events, 3,111 sealed")
    assert rest == []


def test_a_lab_is_opened_on_a_full_disk_or_says_that_it_is_full(tmp_path: Path) -> None:
    out = on_small_disk(
        tmp_path,
        "24m",
        LAB
        + """
with pj.open(path, background=False) as lab:
    lab.seal()
    before = digests(lab)
leave(0)
try:
    with pj.open(path, background=False) as lab:
        print(digests(lab) == before)
except LabError as error:
    print(type(error).__name__ == "DiskFullError")
ballast.unlink()
with pj.open(path, background=False) as lab:
    print(digests(lab) == before)
""",
    )

    assert out == "True\nTrue\n"


@pytest.mark.parametrize("first", ["", "seal_all()"], ids=["only a journal", "with a lake"])
@pytest.mark.parametrize("others", [0, 1], ids=["nobody else there", "open elsewhere"])
def test_a_read_only_directory_is_named_and_nothing_is_changed(
    tmp_path: Path, first: str, others: int
) -> None:
    out = on_small_disk(
        tmp_path,
        "24m",
        LAB
        + f"""
def seal_all():
    with pj.open(path, background=False) as lab:
        lab.seal()
{first}
there = [pj.open(path, background=False) for _ in range({others})]
"""
        + """
subprocess.run(["mount", "--bind", str(disk), str(disk)], check=True)
subprocess.run(["mount", "-o", "remount,ro,bind", str(disk)], check=True)
for name in ("lab", "other"):
    try:
        with pj.open(disk / name, background=False) as lab:
            commit(lab, 1)
    except LabError as error:
        print(type(error).__name__, str(disk / name) in str(error))
subprocess.run(["umount", "--lazy", str(disk)], check=True)
with pj.open(path, background=False) as lab:
    commit(lab, 1)
    print(lab.position, lab.verify().is_sound)
for lab in there:
    lab.close()
""",
    )

    assert out == "ReadOnlyError True\nReadOnlyError True\n102 True\n"
