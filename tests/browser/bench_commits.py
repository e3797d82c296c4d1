"""From a commit to pixels, one by one, in a burst, and for minutes. Run by `make bench-ui`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import expect

import pjais_lab as pj
from tests.browser.measuring import NOW, Heap, note, say

COMMITS = 100
BURST = 5_000
MINUTES = float(os.environ.get("PJAIS_STEADY_MINUTES", "1"))
VIEW = ".pj-view[data-kind=lab_status]"
SHOWN = f"""() => {{
    const rows = [...document.querySelectorAll("{VIEW} [aria-label='Rows of each table'] tbody tr")];
    const row = rows.find((r) => r.firstChild.textContent === 'memories');
    return Number(row?.lastChild.textContent.replaceAll(',', ''));
}}"""
WATCH = f"""async () => {{
    window.seen = [];
    const look = () => {{
        const n = ({SHOWN})();
        requestAnimationFrame(() => setTimeout(() => window.seen.push([n, {NOW}])));
    }};
    new MutationObserver(look).observe(
        document.querySelector("{VIEW}"), {{subtree: true, childList: true, characterData: true}});
}}"""
WRITE = """
import json, pathlib, threading, time
def write(lab, out, commits, pause):
    times, ada = [], lab.personas["Ada"]
    for i in range(commits):
        began = time.time()
        lab.memories.record(ada, f"Note {i}.")
        times.append((began, time.time()))
        time.sleep(pause)
    pathlib.Path(out).with_suffix(".part").write_text(json.dumps(times))
    pathlib.Path(out).with_suffix(".part").rename(out)
"""
STRANGER = f"""{WRITE}
import sys, pjais_lab as pj
write(pj.open(sys.argv[1], background=False), sys.argv[2], {COMMITS}, 0.1)
"""
STEADY = """
import threading, time
def live(seconds):
    until, ada, n = time.monotonic() + seconds, lab.personas["Ada"], 0
    while time.monotonic() < until:
        n += 1
        lab.personas.change_mood(ada, ["joy", "surprise", "sadness", "anger"][n % 4], 20.0 + n % 70)
        time.sleep(0.05)
writer = threading.Thread(target=live, args=({seconds},))
writer.start()
"""


CARD = "card = pj.views.PersonaCard(lab, 'Ada')\ncard"
ASKED = {"this kernel's thread": "p50 < 20, p95 < 60 ms", "another process": "p95 < 100 ms"}


@pytest.fixture
def cards() -> list[str]:
    """Cells besides the one of the lab's status."""
    return [CARD]


@pytest.fixture
def book(notebook: Callable[..., Any], tmp_path: Path, cards: list[str]) -> Any:
    """A lab's status, and a persona's card, alive."""
    workspace = tmp_path / "town"
    with pj.open(workspace, background=False) as lab:
        lab.personas.create("Ada")
    head = f"import os, pjais_lab as pj\nlab = pj.open({str(workspace)!r}, background=False)"
    opened = notebook(head, "status = pj.views.LabStatus(lab)\nstatus", *cards)
    opened.run_all()
    expect(opened.page.locator(".pj-view")).to_have_count(1 + len(cards))
    for view in opened.page.locator(".pj-view").all():
        expect(view.get_by_role("status")).to_contain_text("live")
    return opened


def start_writing(book: Any, out: Path, commits: int, pause: float) -> None:
    arguments = f"(lab, {str(out)!r}, {commits}, {pause})"
    book.execute(f"{WRITE}threading.Thread(target=write, args={arguments}).start()")


def written(out: Path, seconds: float) -> list[list[float]]:
    """When each commit was called and returned, once all are."""
    deadline = time.monotonic() + seconds
    while not out.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return list(json.loads(out.read_text()))


def waits(since: list[float], seen: list[list[float]]) -> list[float]:
    """Milliseconds from each commit until its count, or a later one, is painted."""
    return [1000 * (min(at for n, at in seen if n > i) - t) for i, t in enumerate(since)]


def told(book: Any, expression: str, out: Path) -> Any:
    """What an expression is in the kernel."""
    book.execute(
        f"import json, pathlib; pathlib.Path({str(out)!r}).write_text(json.dumps({expression}))"
    )
    return json.loads(out.read_text())


@pytest.mark.parametrize(
    ("who", "cards"),
    [
        ("this kernel's thread", []),
        ("this kernel's thread", [CARD]),
        ("another process", []),
        ("another process", [CARD]),
    ],
)
def test_commit_to_pixel(book: Any, tmp_path: Path, who: str, cards: list[str]) -> None:
    out = tmp_path / "times.json"
    book.evaluate(WATCH)

    if who == "another process":
        subprocess.run([sys.executable, "-c", STRANGER, tmp_path / "town", out], check=True)
    else:
        start_writing(book, out, COMMITS, 0.1)
    times = written(out, 60)
    book.page.wait_for_function(f"window.seen.some(([n]) => n === {COMMITS})")

    views = "status and card" if cards else "status"
    seen = book.evaluate("async () => seen")
    called, returned = (waits([t[n] for t in times], seen) for n in (0, 1))
    say(f"commit called by {who} -> pixel, {views} shown", called, f"asked {ASKED[who]}")
    say("… since it returned", returned)


def test_burst_of_commits(book: Any, tmp_path: Path) -> None:
    out = tmp_path / "times.json"
    book.evaluate(WATCH)
    before = told(book, "status._channel.pushes", tmp_path / "before.json")

    start_writing(book, out, BURST, 0)
    times = written(out, 240)
    book.page.wait_for_function(f"({SHOWN})() === {BURST}")

    seen = book.evaluate("async () => seen")
    counted, pushes = told(
        book,
        "[lab.query('SELECT count(*) AS n FROM memories')['n'][0], status._channel.pushes]",
        tmp_path / "after.json",
    )
    lag = min(at for n, at in seen if n == BURST) - times[-1][1]
    took = times[-1][1] - times[0][0]
    assert counted == BURST
    assert book.page.locator(".pj-error").count() == 0
    note(f"{BURST:,} commits in {took:.1f} s", f"{pushes - before} pushes, {len(seen)} paints")
    note("… the kernel counts, the view shows", f"{counted:,} and {max(n for n, _ in seen):,}")
    note("… last commit returned -> shown", f"{1000 * lag:.0f} ms")


@pytest.mark.timeout(MINUTES * 60 + 300)
def test_memory_over_minutes_of_commits(book: Any, tmp_path: Path) -> None:
    kernel = psutil.Process(told(book, "os.getpid()", tmp_path / "pid.json"))
    heap, every = Heap(book.page), max(5.0, MINUTES * 60 / 12)
    book.execute(STEADY.format(seconds=MINUTES * 60))
    found: list[tuple[float, float]] = []
    start = time.monotonic()
    while time.monotonic() - start < MINUTES * 60:
        book.page.wait_for_timeout(every * 1000)
        found.append((heap.mb(), kernel.memory_info().rss / 1e6))
    book.execute("writer.join()")
    moods = told(book, "int(card.events.height and card.moods.height)", tmp_path / "n.json")

    page, resident = zip(*found, strict=True)
    half = len(found) // 2
    note(f"commits at up to 20/s for {MINUTES:g} min", f"{moods} moods on the card")
    for what, sizes in {"page's heap": page, "kernel's resident memory": resident}.items():
        sizes_said = f"{sizes[0]:.1f} MB after {every:.0f} s, {sizes[-1]:.1f} MB at the end"
        later = f"second half {sizes[-1] - sizes[half]:+.1f} MB (asked flat)"
        note(f"… {what}", f"{sizes_said}, {later}")
