"""Processes that commit, seal, checkpoint, purge and compact are killed at random moments.

PJAIS_KILLS sets how many are killed.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

import pjais_lab as pj
from pjais_lab.storage.compaction import expire, record_digests
from tests.chaos.crew import reap

KILLS = int(os.environ.get("PJAIS_KILLS", "200"))

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 and fork need POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A workspace of four personas."""
    with pj.open(tmp_path / "lab", background=False) as lab:
        for n in range(4):
            lab.personas.create(f"Town {n}")
    return tmp_path / "lab"


def digests(path: Path) -> dict[str, str]:
    """Checksums of all tables, in a lab opened for this."""
    with pj.open(path, background=False) as lab:
        state = lab._parts.state
        assert not lab.status.ignored
        assert all(report.is_same for report in lab.rebuild(verify=True))
        return {table: state.checksum(table) for table in state.registry.tables}


@pytest.mark.timeout(120 + KILLS)
def test_every_acknowledged_event_of_killed_processes_is_there_exactly_once(path: Path) -> None:
    said = reap(path, "write", KILLS)

    assert said.errors == []
    with pj.open(path, background=False) as lab:
        rows = lab.query(
            "SELECT seq, origin_seq, id, name, args->>'content' AS text FROM events ORDER BY seq"
        ).rows()
        texts = {seq: text for seq, _, _, name, text in rows if name == "v1.MemoryRecorded"}
        assert [row[0] for row in rows] == list(range(1, lab.status.head + 1))
        assert [row[1] for row in rows] == [row[0] for row in rows]
        assert [row[2] for row in rows] == sorted({row[2] for row in rows})
        assert max(Counter(texts.values()).values()) == 1
        for token, (first, last) in said.acks.items():
            size = last - first + 1
            wanted = [f"{token}.{i}/{size}" for i in range(size)]
            assert [texts[seq] for seq in range(first, last + 1)] == wanted
            assert lab._parts.journal.position_of(token) == (first, last)
        assert_no_half_commits(texts.values())
        assert lab._parts.lake.mark() > lab._parts.journal.floor() > 0
        report = lab.verify()
        assert report.is_sound, report
    by_tail = digests(path)
    with pj.open(path, background=False) as lab:
        lab.seal()
    assert digests(path) == by_tail
    assert_no_stray_files(path)
    print(
        f"\n{KILLS} kills: {len(said.acks):,} acknowledged commits, {len(rows):,} events,"
        f" {said.sealed} seals, {said.tidied} compactions: none lost, none doubled"
    )


def assert_no_half_commits(texts: object) -> None:
    """Commits that nobody acknowledged are there whole, or not at all."""
    there: Counter[str] = Counter()
    sizes: dict[str, int] = {}
    for text in texts:
        token, size = re.fullmatch(r"(.*)\.\d+/(\d+)", text).groups()
        there[token] += 1
        sizes[token] = int(size)
    assert there == sizes


def assert_no_stray_files(path: Path) -> None:
    """What killed sealers left behind goes with the next cleaning, and nothing else does."""
    with pj.open(path, background=False) as lab:
        lake = lab._parts.lake
        expire(lake, grace_s=0, orphan_s=0)
        record_digests(lake)
        files = lake.files()
        assert set(lake.data_path.rglob("*.parquet")) == {f.path for f in files}
        assert lab.verify().is_sound
