"""From a commit to pixels, and what the browser's half weighs. Run by `make bench-ui`."""

from __future__ import annotations

import gzip
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

import pjais_lab as pj
from pjais_lab.views._runtime import bundle

COMMITS = 100
PAUSE_S = 0.1
VIEW = ".pj-view[data-kind=lab_status]"
WATCH = f"""async () => {{
    window.seen = [];
    const look = () => {{
        const rows = [...document.querySelectorAll("{VIEW} [aria-label='Rows of each table'] tbody tr")];
        const row = rows.find((r) => r.firstChild.textContent === 'memories');
        const n = Number(row.lastChild.textContent.replaceAll(',', ''));
        requestAnimationFrame(() => setTimeout(() => {{
            window.seen.push([n, (performance.timeOrigin + performance.now()) / 1000]);
        }}));
    }};
    new MutationObserver(look).observe(
        document.querySelector("{VIEW}"), {{subtree: true, childList: true, characterData: true}});
}}"""
WRITE = f"""
import json, pathlib, time
def write(lab, out, commits={COMMITS}, pause={PAUSE_S}):
    times = []
    for i in range(commits):
        began = time.time()
        lab.memories.record(lab.personas["Ada"], f"Note {{i}}.")
        times.append((began, time.time()))
        time.sleep(pause)
    pathlib.Path(out).write_text(json.dumps(times))
"""
STRANGER = f"{WRITE}\nimport sys, pjais_lab as pj\nwrite(pj.open(sys.argv[1], background=False), sys.argv[2])"


def waits(since: list[float], seen: list[list[float]]) -> list[float]:
    """Milliseconds from each commit until its count, or a later one, is painted."""
    return [1000 * (min(at for n, at in seen if n > i) - t) for i, t in enumerate(since)]


def show(what: str, found: list[float]) -> None:
    p95 = statistics.quantiles(found, n=20)[18]
    print(f"{what}: p50 {statistics.median(found):.1f} ms, p95 {p95:.1f} ms ({len(found)} commits)")


def weigh(name: str) -> float:
    return len(gzip.compress(bundle(name).encode(), 9)) / 1000


@pytest.mark.parametrize("who", ["this kernel's thread", "another process"])
def test_commit_to_pixel(notebook: Callable[..., Any], tmp_path: Path, who: str) -> None:
    workspace, out = tmp_path / "town", tmp_path / "times.json"
    with pj.open(workspace, background=False) as lab:
        lab.personas.create("Ada")
    head = f"import pjais_lab as pj\nlab = pj.open({str(workspace)!r}, background=False)"
    found = notebook(head, "pj.views.LabStatus(lab)")
    found.run_all()
    expect(found.page.locator(VIEW).get_by_role("status")).to_contain_text("live")
    found.evaluate(WATCH)

    if who == "another process":
        subprocess.run([sys.executable, "-c", STRANGER, workspace, out], check=True)
    else:
        start = (
            f"import threading; threading.Thread(target=write, args=(lab, {str(out)!r})).start()"
        )
        found.execute(WRITE + start)
    deadline = time.monotonic() + 60
    while not out.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    found.page.wait_for_function(f"window.seen.some(([n]) => n === {COMMITS})")

    times, seen = json.loads(out.read_text()), found.evaluate("async () => seen")
    began, done = zip(*times, strict=True)
    print()
    show(f"commit called by {who} -> pixel", waits(list(began), seen))
    show(f"commit returned to {who} -> pixel", waits(list(done), seen))


def test_weight() -> None:
    print(f"\nbundle: {weigh('runtime.js'):.1f} kB gzipped")
