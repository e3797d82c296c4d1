"""Four processes write and four follow: all see the same events in the same order.

PJAIS_CHAOS=full runs it for 30 s.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import pjais_lab as pj

SECONDS = 30 if os.environ.get("PJAIS_CHAOS") == "full" else 6

WRITER = """
import random, sys, time
import pjais_lab as pj
from pjais_lab.memories.events import MemoryRecorded

path, name, seconds = sys.argv[1:]
with pj.open(path) as lab:
    persona = lab.personas.create(name)
    print("ready", flush=True)
    sys.stdin.readline()
    dice, end, n = random.Random(), time.monotonic() + float(seconds), 0
    while time.monotonic() < end:
        size = dice.choice((1, 1, 1, 5, 50))
        done = lab.commit(*(MemoryRecorded(f"{name} {n + i}").on(persona) for i in range(size)))
        print(n, done.seq_first, done.seq_last, flush=True)
        n += size
"""

# Notes every application of events as it comes, then tells what there is to see.
TAILER = """
import sys, threading
import msgspec
import pjais_lab as pj

with pj.open(sys.argv[1]) as lab:
    positions, arrived = [lab.position], threading.Event()

    def applied(changes):
        positions.append(changes.position)
        arrived.set()

    lab._parts.store.on_apply(applied)
    print("ready", flush=True)
    head = int(sys.stdin.readline())
    while positions[-1] < head:
        assert arrived.wait(60), positions[-1]
        arrived.clear()
    order = lab.query("SELECT md5(string_agg(id::VARCHAR, ' ' ORDER BY seq)) FROM events").item()
    content = lab.query("SELECT bit_xor(hash(seq, id, name, args::VARCHAR))::VARCHAR FROM events")
    state = lab._parts.state
    print(msgspec.json.encode({
        "is_rising": positions == sorted(set(positions)),
        "order": order,
        "content": content.item(),
        "state": {t: state.checksum(t) for t in state.registry.tables},
    }).decode(), flush=True)
"""


def start(code: str, *args: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


def go(process: subprocess.Popen[str], word: object) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{word}\n")
    process.stdin.flush()


@pytest.mark.timeout(300 + 4 * SECONDS)
def test_four_writers_and_four_followers_agree_on_every_event_and_its_place(tmp_path: Path) -> None:
    path = tmp_path / "lab"
    pj.open(path, background=False).close()
    followers = [start(TAILER, path) for _ in range(4)]
    writers = [start(WRITER, path, name, SECONDS) for name in ("Ada", "Grace", "Alan", "Kurt")]
    for process in (*followers, *writers):
        ready(process)

    for writer in writers:
        go(writer, "go")
    acks = {w.args[-2]: w.communicate()[0].splitlines() for w in writers}
    with pj.open(path, background=False) as lab:
        head = lab.position
        events = lab.query(
            "SELECT seq, origin_seq, args->>'content' AS text FROM events ORDER BY seq"
        ).rows()
    for follower in followers:
        go(follower, head)
    said = [msgspec.json.decode(f.communicate()[0]) for f in followers]

    assert [w.returncode for w in writers] == [0] * 4
    assert [(seq, number) for seq, number, _ in events] == [(n, n) for n in range(1, head + 1)]
    texts = {seq: text for seq, _, text in events}
    told = 0
    for name, lines in acks.items():
        assert lines
        for n, first, last in (map(int, line.split()) for line in lines):
            wanted = [f"{name} {n + i}" for i in range(last - first + 1)]
            assert [texts[seq] for seq in range(first, last + 1)] == wanted
            told += len(wanted)
    assert told + 4 == head
    assert all(answer == said[0] for answer in said)
    assert said[0]["is_rising"]
    with pj.open(path, background=False) as lab:
        assert all(report.is_same for report in lab.rebuild(verify=True))
        state = lab._parts.state
        assert {t: state.checksum(t) for t in state.registry.tables} == said[0]["state"]
    shares = ", ".join(f"{name} {len(lines):,}" for name, lines in acks.items())
    print(f"\n{SECONDS} s: {head:,} events, commits by {shares}; four followers agree")
