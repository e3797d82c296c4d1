"""Brushing the timeline of five million events, which filters another view. Run by `make bench-ui`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.browser.measuring import QUIET, note, run_cell, say

PERSONAS, DAYS = 1_000, 73
TOWN = """
import sys, pjais_lab as pj
with pj.open(sys.argv[1], background=False) as lab:
    print(lab.simulate(personas=int(sys.argv[2]), days=int(sys.argv[3]), seed=1).events)
    lab.seal()
"""
HEAD = "import pjais_lab as pj\nlab, brush = pj.open({!r}, background=False), pj.Selection()"
ONE = "one = pj.views.Timeline(lab, selection=brush)\none"
OTHER = "other = pj.views.Timeline(lab, by='name', selection=brush)\nother"
DRAWN = "node => node.querySelector('.pj-tl[data-version]')"
WATCH = """async () => {
    window.brushed = [];
    const other = [...document.querySelectorAll('.pj-view[data-kind=timeline]')][1];
    let moved = null;
    window.addEventListener('pointermove', () => { moved = performance.now(); }, true);
    new MutationObserver(() => {
        if (moved === null) return;
        const since = moved;
        moved = null;
        requestAnimationFrame(() => setTimeout(() => window.brushed.push(performance.now() - since)));
    }).observe(other, {subtree: true, attributes: true, attributeFilter: ['data-version']});
}"""


def test_brush_over_a_timeline_of_five_million_events(
    notebook: Callable[..., Any], tmp_path: Path
) -> None:
    made = [sys.executable, "-c", TOWN, str(tmp_path / "town"), str(PERSONAS), str(DAYS)]
    events = int(subprocess.run(made, check=True, capture_output=True, text=True).stdout)
    book = notebook("", "", "")
    book.evaluate(QUIET)
    run_cell(
        book,
        0,
        f"{HEAD.format(str(tmp_path / 'town'))}\nprint('open')",
        "n => n.textContent.includes('open\\n')",
    )

    first = run_cell(book, 1, ONE, DRAWN)
    run_cell(book, 2, OTHER, DRAWN)
    book.evaluate(QUIET, seconds=60)
    book.evaluate(WATCH)
    box = book.page.locator(".pj-tl-whole .pj-tl-strip").first.bounding_box()
    book.page.mouse.move(box["x"] + 40, box["y"] + box["height"] / 2)
    book.page.mouse.down()
    for n in range(30):
        book.page.mouse.move(box["x"] + 60 + 12 * n, box["y"] + box["height"] / 2)
        book.page.wait_for_timeout(300)
    book.page.mouse.up()

    note(f"timeline of {events:,} events, run cell -> painted", f"{first:.0f} ms")
    brushed = book.evaluate("async () => brushed")
    say("brush on it -> the other timeline painted", brushed, "asked p95 < 100 ms")
