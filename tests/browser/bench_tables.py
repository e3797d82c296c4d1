"""Many rows: the first view beside quak's, scrolling, and brushing. Run by `make bench-ui`."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.browser.measuring import FRAMES, FRAMES_FOUND, QUIET, note, p50, p95, run_cell, say

ROUNDS = 3
ROWS = """
import datetime as dt, polars as pl, quak, pjais_lab as pj
pj.views.Table  # imports it, as quak is imported
n, names = {n:_}, ["PersonaCreated", "PersonaMoodChanged", "MemoryRecorded", "MemoryRecalled", "LinkMade"]
ids = pl.int_range(n, eager=True)
rows = pl.DataFrame({{
    "id": ids,
    "name": pl.Series(names).gather(ids.hash(1) % len(names)),
    "persona_id": pl.Series([f"persona {{i:03}}" for i in range(200)]).gather(ids.hash(2) % 200),
    "weight": (ids.hash(3) % 10_007).cast(pl.Float64) ** 1.5 / 100,
    "occurred_at": dt.timedelta(days=20_393)
        + (ids.hash(4) % 2_160_000_000_000).sort().cast(pl.Datetime("us")),
}})
"""
# Microseconds: quak draws nothing at all of a frame with milliseconds.
OURS = (
    'node => node.querySelector(\'.pj-view [aria-rowindex="3"] [aria-colindex="1"]\')?.textContent'
)
THEIRS = """node => {
    const hosts = [...node.querySelectorAll('.jp-OutputArea-output *')].filter((e) => e.shadowRoot);
    return hosts.some((e) => e.shadowRoot.querySelector('tbody td:nth-child(2)')?.textContent);
}"""
VIEWS = {"Table": ("pj.views.Table(rows)", OURS), "quak": ("quak.Widget(rows)", THEIRS)}
GRID = ".pj-view [role=grid]"
FILLED = f"""async (top) => {{
    const grid = document.querySelector('{GRID}');
    const box = () => grid.getBoundingClientRect();
    const first = () => grid.querySelector('.pj-grid-body [role=row]')?.getAttribute('aria-rowindex');
    const isFilled = () => [...grid.querySelectorAll('.pj-grid-body [aria-colindex="1"]')]
        .filter((c) => c.getBoundingClientRect().top < box().bottom).every((c) => c.textContent);
    const before = first();
    const began = performance.now();
    grid.scrollTop = top * (grid.scrollHeight - grid.clientHeight);
    do await new Promise(requestAnimationFrame); while (first() === before || !isFilled());
    await new Promise(setTimeout);
    return performance.now() - began;
}}"""
BRUSH = """async ([name, to]) => {
    const view = document.querySelector('.pj-view');
    const plots = [...view.querySelectorAll('.pj-plot')];
    const plot = plots.find((p) => p.ariaLabel.startsWith(name));
    const words = () => view.querySelector('.pj-counts').textContent;
    const bars = (p) => [...p.children].map((b) => b.ariaLabel).join();
    const drawn = () => plots.filter((p) => p !== plot).map(bars);
    const tell = (kind, bar) => bar.dispatchEvent(new PointerEvent(kind, {bubbles: kind !== 'pointerenter'}));
    const until = async (isDone) => {
        const began = performance.now();
        while (performance.now() - began < 10_000 && !isDone(performance.now() - began)) {
            await new Promise(requestAnimationFrame);
            await new Promise(setTimeout);
        }
    };
    if (to === 0) return tell('pointerdown', plot.children[0]);
    const [wasWords, was, at] = [words(), drawn(), {}];
    const began = performance.now();
    tell('pointerenter', plot.children[to]);
    await until((now) => {
        if (words() !== wasWords) at.count ??= performance.now() - began;
        if (drawn().every((d, n) => d !== was[n])) at.all ??= performance.now() - began;
        return at.count && at.all;
    });
    return [at.count, at.all];
}"""


def test_first_view_of_a_million_rows(notebook: Callable[..., Any]) -> None:
    found: dict[str, list[float]] = {f"{v} {w}": [] for v in VIEWS for w in ("first", "again")}
    book = notebook(ROWS.format(n=1_000_000), "", "", "", "")
    for turn in range(ROUNDS):
        if turn:
            book.restart_kernel()
        book.execute(ROWS.format(n=1_000_000))
        order = list(VIEWS) if turn % 2 else list(VIEWS)[::-1]
        for cell, (name, which) in enumerate(
            [(n, w) for w in ("first", "again") for n in order], 1
        ):
            found[f"{name} {which}"].append(run_cell(book, cell, *VIEWS[name]))

    for which, where in {"first": "first view of a kernel", "again": "second view"}.items():
        ours, theirs = p50(found[f"Table {which}"]), p50(found[f"quak {which}"])
        times = f"Table {ours:.0f} ms, quak {theirs:.0f} ms, ratio {ours / theirs:.2f} (asked < 1)"
        note(f"1 M rows, run cell -> rows painted, {where}", times)


def test_scroll_through_ten_million_rows(notebook: Callable[..., Any]) -> None:
    book = notebook(ROWS.format(n=10_000_000), "")
    book.execute(ROWS.format(n=10_000_000))
    first = run_cell(book, 1, *VIEWS["Table"])
    page, dice = book.page, random.Random(1)
    box = page.locator(GRID).bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    expect(page.get_by_role("listbox")).to_have_count(5, timeout=60_000)  # the summaries are there

    book.evaluate(FRAMES)
    for _ in range(200):
        page.mouse.wheel(0, 480)
    wheel = book.evaluate(FRAMES_FOUND)
    book.evaluate(FRAMES)
    jumps = [book.evaluate(FILLED, dice.random()) for _ in range(30)]
    jumping = book.evaluate(FRAMES_FOUND)

    note("10 M rows, run cell -> rows painted", f"{first:.0f} ms")
    for what, frames in {"wheel": wheel, "jumps": jumping}.items():
        late = sum(f > 100 for f in frames)
        worst = f"p95 {p95(frames):.1f} ms, longest {max(frames):.0f} ms, {late} over 100 ms"
        note(f"10 M rows, frames while scrolling by {what}", f"{len(frames)}, {worst} (asked 0)")
    say("10 M rows, jump -> all rows in sight painted", jumps)


def test_brush_over_five_million_events(notebook: Callable[..., Any]) -> None:
    book = notebook(ROWS.format(n=5_000_000), "")
    book.execute(ROWS.format(n=5_000_000))
    run_cell(book, 1, f"table = {VIEWS['Table'][0]}\ntable", OURS)
    expect(book.page.get_by_role("listbox")).to_have_count(5, timeout=60_000)
    book.execute("table._relation.prepare(wait=True)")
    book.evaluate(BRUSH, ["occurred_at", 0])
    book.evaluate(QUIET, seconds=60)

    moves = [book.evaluate(BRUSH, ["occurred_at", 1 + n % 12]) for n in range(36)]
    counted, drawn = zip(*moves, strict=True)

    say("brush over 5 M rows -> count painted", counted)
    say("brush over 5 M rows -> all other histograms painted", drawn, "asked p95 < 100 ms")
