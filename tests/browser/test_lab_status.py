from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.helpers import HOSTILE, LONG_CELL, faults, from_elsewhere

STATUS = ".pj-view[data-kind=lab_status]"
MAKE = """
lab.seal()
moods = lab.live("SELECT emotion, count(*) AS n FROM (SELECT args->>'emotion' AS emotion FROM events"
                 " WHERE name = 'v1.PersonaMoodChanged') GROUP BY emotion ORDER BY n DESC")
names = lab.live("SELECT name FROM personas")
size = pj.computed(len, moods)
wrong = lab.live("SELECT error('no luck today') FROM memories")
card, table = pj.views.PersonaCard(lab, "Ada"), pj.views.Table(moods, title="Moods")
status = pj.views.LabStatus(lab)
status
"""
STRANGER = """
import sys, pjais_lab as pj
@pj.event("v1.KettleBoiled", persona=True)
class KettleBoiled(pj.Event):
    at: str
with pj.open(sys.argv[1], background=False) as lab:
    lab.declare(KettleBoiled)
    for i in range(3):
        lab.commit(KettleBoiled(at="noon").on(lab.personas["Ada"].id))
"""


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_it_shows_every_part_of_a_lab_and_anybody_can_use_it(
    book: Callable[..., Any], theme: str
) -> None:
    found = book(MAKE)
    found.theme(theme)
    found.run_all()
    status = found.page.locator(STATUS)

    expect(status.get_by_role("table", name="Rows of each table")).to_contain_text("memories12")
    expect(status.get_by_role("row", name="not sealed yet")).to_contain_text("0")
    expect(status.get_by_role("row", name="sealed up to")).to_contain_text("19")
    expect(status.get_by_role("row", name="last seal")).to_contain_text("ago")
    expect(status.get_by_role("row", name="following other processes")).to_contain_text("works")
    expect(status.get_by_role("row", name="sealing by itself")).to_contain_text("off")
    live = status.get_by_role("table", name="What is live")
    expect(live.get_by_role("row", name="no luck today")).to_contain_text("■")
    expect(status.get_by_role("alert")).to_have_count(0)
    status.get_by_text("By shard").click()
    expect(status.get_by_role("table", name="Files by shard").get_by_role("row")).to_have_count(2)
    status.get_by_text("As a list").click()
    assert faults(found) == []
    found.shot(f"lab_status_{theme.split()[1].lower()}", STATUS)


def test_heads_sort_and_the_graph_shows_what_depends_on_what(book: Callable[..., Any]) -> None:
    found = book(MAKE)
    found.run_all()
    status, keys, cells = found.page.locator(STATUS), found.page.keyboard, len(found.kinds())
    live = status.get_by_role("table", name="What is live")
    head = live.get_by_role("columnheader", name="what")
    expect(live.get_by_role("columnheader", name="total ms")).to_have_attribute(
        "aria-sort", "descending"
    )

    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    words = live.locator("tbody tr td:first-child").all_text_contents()
    assert words == sorted(words, key=str.casefold)
    keys.press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")

    lit, faint = status.locator(".pj-edge.pj-lit"), status.locator(".pj-spot.pj-faint")
    status.locator(".pj-spot", has_text="Moods").hover()
    expect(lit).to_have_count(2)  # events -> the query -> the table
    found.shot("lab_status_lit", STATUS)
    head.hover()
    expect(faint).to_have_count(0)

    status.get_by_text("As a list").focus()
    keys.press("Enter")
    keys.press("Tab")
    tree = status.get_by_role("tree", name="What follows what")
    first = tree.get_by_role("treeitem").first
    expect(first).to_be_focused()
    for key in ("ArrowRight", "b", "d", "d"):
        keys.press(key)
    expect(tree.locator("[aria-selected=true]")).to_have_attribute("aria-level", "2")
    assert faint.count() > 0
    keys.press("ArrowLeft")
    expect(first).to_be_focused()
    assert len(found.kinds()) == cells


def test_it_moves_with_another_process_while_a_cell_runs(
    book: Callable[..., Any], workspace: Path
) -> None:
    found = book(MAKE)
    found.run_all()
    status = found.page.locator(STATUS)
    expect(status.get_by_text("event 19")).to_be_visible()
    found.evaluate(LONG_CELL)

    from_elsewhere(workspace, STRANGER)

    expect(status.get_by_text("event 22")).to_be_visible()
    expect(status.get_by_role("row", name="not sealed yet")).to_contain_text("3")
    expect(status.get_by_text("v1.KettleBoiled: 3")).to_be_visible(timeout=10_000)
    assert found.evaluate("async () => window.isDone") is False


def test_it_fits_a_narrow_column_high_contrast_and_hostile_text(book: Callable[..., Any]) -> None:
    hostile = (
        f"bad = {HOSTILE!r}\n"
        "query = lab.live('SELECT error($bad) FROM personas', bad=bad)\n"
        "odd = lab.live('SELECT 1 AS x /* <img src=x onerror=window.pwned=1> */ FROM personas')\n"
        "table = pj.views.Table(odd, title=bad)\n"
        "pj.views.LabStatus(lab, title=bad)"
    )
    found = book(hostile)
    found.run_all()
    found.page.add_style_tag(content=".jp-OutputArea-output { max-width: 340px !important; }")
    found.page.emulate_media(forced_colors="active", reduced_motion="reduce")
    status = found.page.locator(STATUS)

    expect(status.get_by_role("heading", level=2)).to_contain_text("\\u202egpj.exe\\x1b[31m")
    expect(status.get_by_role("table", name="What is live")).to_contain_text("<script>")
    status.get_by_text("As a list").click()
    expect(status.get_by_role("tree")).to_contain_text("<img src=x")
    assert status.locator("img, script, iframe").count() == 0
    assert found.evaluate("async () => window.pwned ?? null") is None
    wide, has = status.evaluate("v => [v.getBoundingClientRect().width, v.scrollWidth]")
    assert wide <= 340
    assert has <= wide
    assert faults(found) == []
    found.shot("lab_status_narrow", STATUS)
