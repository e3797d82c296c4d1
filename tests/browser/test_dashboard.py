from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error, Locator, expect

import pjais_lab as pj
from tests.browser.conftest import HERE
from tests.browser.helpers import HOSTILE, LONG_CELL, SNAPSHOTS, faults, from_elsewhere

BOARD = ".pj-view[data-kind=dashboard]"
MAKE = '''
class Mine(pj.views.View):
    module = """export function draw({ view, kit }) {
        return kit.html`<p>${kit.text(view.part("n").value)} moods</p>`;
    }"""
    def __init__(self, lab, *, title="Mine"):
        super().__init__(title)
        moods = lab.live("SELECT count(*) FROM events WHERE name = 'v1.PersonaMoodChanged'")
        self.follow("n", moods, lambda frame: frame.item(), is_main=True)
def table(lab, selection):
    rows = lab.live("SELECT name, seq FROM events ORDER BY seq")
    return pj.views.Table(rows, selection=selection, title="Events")
def other(lab, selection):
    rows = lab.live("SELECT name, actor FROM events ORDER BY seq")
    return pj.views.Table(rows, selection=selection, title="Actors")
def broken(lab):
    raise ValueError("no luck today")
panel = pj.views.panel
rows = [
    [panel("Events", table), panel("Actors", other)],
    [panel("Ada", "PersonaCard", persona="Ada"), panel("Mine", Mine)],
    [panel("Lab", "LabStatus", is_shown=False), panel("Broken", broken, is_shown=False)],
]
board = lab.dashboard(views=rows)
board
'''


def board_of(found: Any) -> Locator:
    made: Locator = found.page.locator(BOARD)
    return made


def panel(board: Locator, name: str) -> Locator:
    return board.locator(f"section.pj-panel[aria-label='{name}']")


def toggle(board: Locator, name: str) -> Locator:
    return board.get_by_role("toolbar", name="Panels").get_by_role("button", name=name)


def until(found: Any, claim: str) -> None:
    """Wait until something is true in the kernel, which hears of the page on another line."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            found.execute(f"assert {claim}")
        except Error:
            continue
        return
    found.execute(f"assert {claim}, {claim!r}")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_a_dashboard_renders_and_anybody_can_use_it(book: Callable[..., Any], theme: str) -> None:
    found = book(MAKE)
    found.theme(theme)
    found.run_all()
    board = board_of(found)

    expect(panel(board, "Events").get_by_text("19 rows")).to_be_visible()
    expect(panel(board, "Ada").get_by_text("6 changes")).to_be_visible()
    expect(panel(board, "Mine").get_by_text("6 moods")).to_be_visible()
    expect(panel(board, "Lab")).to_have_count(0)
    toggle(board, "Lab").click()
    expect(panel(board, "Lab").get_by_role("table", name="Rows of each table")).to_be_visible()
    toggle(board, "Broken").click()
    expect(panel(board, "Broken").get_by_role("alert")).to_have_text("ValueError: no luck today")

    assert faults(found) == []
    found.shot(f"dashboard_{theme.split()[1].lower()}", BOARD)


def test_a_pick_in_one_panel_filters_the_others_and_code_sees_it(
    book: Callable[..., Any], workspace: Path
) -> None:
    found = book(MAKE)
    found.run_all()
    board = board_of(found)
    events, actors = panel(board, "Events"), panel(board, "Actors")
    picked = board.get_by_role("group", name="Selection")

    events.get_by_role("option", name="v1.MemoryRecorded: 12 of 12").click()

    expect(actors.get_by_text("12 of 19 rows")).to_be_visible()
    expect(picked.get_by_role("button", name="Remove the filter name")).to_contain_text("IN")
    found.execute(
        "assert board.selected['name'].unique().to_list() == ['v1.MemoryRecorded']\n"
        "assert board.frame.equals(lab.query(board.sql)) and board.frame.height == 12\n"
        "board.selection['who'] = pj.OneOf('actor', ['nobody'])"
    )
    expect(actors.get_by_text("0 of 19 rows")).to_be_visible()
    picked.get_by_role("button", name="Remove the filter who").click()
    expect(actors.get_by_text("12 of 19 rows")).to_be_visible()
    found.shot("dashboard_selected", BOARD)
    picked.get_by_role("button", name="Clear the selection").click()
    expect(actors.get_by_text("19 rows", exact=True)).to_be_visible()
    expect(picked).to_contain_text("Nothing is selected")

    from_elsewhere(workspace)

    expect(events.get_by_text("20 rows", exact=True)).to_be_visible()
    expect(panel(board, "Mine").get_by_text("7 moods")).to_be_visible()


def test_keys_open_hide_and_maximise_panels_and_a_hidden_one_is_not_attached(
    book: Callable[..., Any],
) -> None:
    found = book(MAKE)
    found.run_all()
    board, keys, cells = board_of(found), found.page.keyboard, len(found.kinds())
    expect(panel(board, "Ada").get_by_text("6 changes")).to_be_visible()

    toggle(board, "Events").focus()
    for key in ("ArrowRight", "Enter", "b", "m", "d", "d"):
        keys.press(key)
    expect(toggle(board, "Actors")).to_have_attribute("aria-pressed", "false")
    expect(panel(board, "Actors")).to_have_count(0)
    keys.press("End")
    expect(toggle(board, "Broken")).to_be_focused()
    until(found, "not board['Actors'].is_shown and board['Events'].is_shown")

    panel(board, "Events").get_by_role("button", name="Maximise Events").focus()
    keys.press("Enter")
    expect(board.locator(".pj-panel")).to_have_count(1)
    expect(board.get_by_text("1 of 6 panels")).to_be_visible()
    until(found, "board.maximised == 'Events' and not board['Ada'].is_shown")
    panel(board, "Events").get_by_role("grid").focus()
    keys.press("ArrowDown")
    keys.press("Escape")

    expect(board.locator(".pj-panel")).to_have_count(3)
    expect(panel(board, "Events").get_by_role("grid")).to_be_focused()
    assert len(found.kinds()) == cells


def test_a_hidden_panel_runs_no_query_and_is_up_to_date_when_it_is_shown(
    book: Callable[..., Any],
) -> None:
    found = book(MAKE)
    found.run_all()
    board = board_of(found)
    expect(panel(board, "Ada").get_by_text("6 changes")).to_be_visible()
    toggle(board, "Ada").click()
    until(found, "board['Ada'].following.is_resting")
    runs = "[q.peek('runs') for q in board['Ada']._queries.values()]"
    found.execute(
        f"before = {runs}\n"
        "for n in range(20):\n"
        "    lab.personas.change_mood(lab.personas['Ada'], 'joy', float(n))\n"
        "    assert board['Mine'].frame.item() == 7 + n  # a panel that is shown\n"
        f"assert {runs} == before"
    )
    expect(panel(board, "Mine").get_by_text("26 moods")).to_be_visible()

    toggle(board, "Ada").click()

    expect(panel(board, "Ada").get_by_text("26 changes")).to_be_visible()
    found.execute("assert board['Ada'].moods.height == 26")


def test_panels_open_while_a_cell_runs(book: Callable[..., Any]) -> None:
    found = book(MAKE)
    found.run_all()
    board = board_of(found)
    expect(panel(board, "Ada").get_by_text("6 changes")).to_be_visible()
    found.evaluate(LONG_CELL)

    toggle(board, "Lab").click()

    expect(panel(board, "Lab").get_by_role("table", name="Rows of each table")).to_be_visible()
    assert found.evaluate("async () => window.isDone") is False


def test_a_dashboard_run_again_finds_its_layout_and_leaves_nothing_behind(
    book: Callable[..., Any],
) -> None:
    found = book(MAKE, "")
    found.run_all()
    board = board_of(found)
    expect(panel(board, "Ada").get_by_text("6 changes")).to_be_visible()
    panel(board, "Mine").get_by_role("button", name="Hide Mine").click()
    expect(board.get_by_text("3 of 6 panels")).to_be_visible()
    # A query that a panel's own code made is that code's; those of the views are closed.
    count = "len([n for n in lab.live_nodes if 'SELECT name' not in n.label])"
    found.execute(f"first, before = board, {count}")

    for _ in range(2):
        found.evaluate(f"async () => {{ {HERE}.content.activeCellIndex = 1; }}")
        found.command("notebook:run-cell")
        expect(board).to_have_count(1)
        expect(board.get_by_text("3 of 6 panels")).to_be_visible()
        expect(panel(board, "Ada").get_by_text("6 changes")).to_be_visible()

    found.execute("assert first.comm is None and board.comm is not None")
    found.execute(f"assert {count} == before - 1, lab.live_nodes")  # "Mine" stays hidden
    found.restart_kernel()
    expect(board.get_by_role("status").last).to_contain_text("not connected")
    found.run_all()
    expect(board.get_by_text("4 of 6 panels")).to_be_visible()
    expect(panel(board, "Mine").get_by_text("6 moods")).to_be_visible()


def test_a_dashboard_opened_again_is_live_with_its_kernel_and_static_without(
    book: Callable[..., Any],
) -> None:
    found = book(MAKE)
    found.run_all()
    board, page = board_of(found), found.page
    expect(panel(board, "Ada").get_by_text("6 changes")).to_be_visible()
    found.execute("lab.personas.change_mood(lab.personas['Ada'], 'joy', 10.0)")
    expect(panel(board, "Ada").get_by_text("7 changes")).to_be_visible()
    page.wait_for_function(f"{SNAPSHOTS}.includes('7 values')")
    found.save()
    (output,) = found.saved()["cells"][1]["outputs"]

    found.open()
    expect(panel(board, "Ada").get_by_text("7 changes")).to_be_visible()
    expect(panel(board, "Mine").get_by_text("7 moods")).to_be_visible()
    found.shutdown_kernel()
    found.open()

    static = page.locator(".jp-OutputArea-output").filter(has_text="not open")
    expect(static).to_be_visible()
    expect(static).to_contain_text("Memories by kind and tier")
    expect(page.get_by_text("Error displaying widget")).to_have_count(0)
    assert set(output["data"]) == {"text/html", "text/plain"}
    assert len("".join(output["data"]["text/html"])) < 100_000
    found.shot("dashboard_reopened", ".jp-OutputArea-output:has-text('not open')")


def test_a_dashboard_fits_a_narrow_column_high_contrast_and_hostile_text(
    book: Callable[..., Any], workspace: Path
) -> None:
    with pj.open(workspace, background=False) as lab:
        lab.personas.create(HOSTILE, description=HOSTILE)
    hostile = (
        f"import polars as pl, ipywidgets\nbad = {HOSTILE!r}\n"
        "table = pj.views.Table(pl.DataFrame({'x': [bad]}), title=bad)\n"
        "brush = pj.Selection({bad: pj.OneOf('x', [bad])})\n"
        "def fail(lab): raise ValueError(bad)\n"
        "lab.dashboard(views=[[pj.views.panel(bad, 'PersonaCard', persona=bad), table,"
        " pj.views.panel('No ' + bad, fail), ipywidgets.Button(description='Press')]],"
        " selection=brush, title=bad)"
    )
    found = book(hostile)
    found.run_all()
    found.page.add_style_tag(content=".jp-OutputArea-output { max-width: 340px !important; }")
    found.page.emulate_media(forced_colors="active", reduced_motion="reduce")
    board = board_of(found)

    expect(board.locator("[data-kind=persona_card]")).to_contain_text("\\u202egpj.exe\\x1b[31m")
    expect(board.get_by_role("alert")).to_contain_text("ValueError: <img src=x")
    expect(board.locator(".pj-selected")).to_contain_text("<script>")
    expect(board.get_by_role("button", name="Press")).to_be_visible()
    assert board.locator("img, script, iframe").count() == 0
    assert found.evaluate("async () => window.pwned ?? null") is None
    lefts = board.locator(".pj-panel").evaluate_all(
        "all => all.map(p => p.getBoundingClientRect().left)"
    )
    assert len(set(lefts)) == 1
    wide, has = board.evaluate("v => [v.getBoundingClientRect().width, v.scrollWidth]")
    assert wide <= 340
    assert has <= wide
    assert faults(found) == []
    found.shot("dashboard_narrow", BOARD)


def test_the_lab_s_own_dashboard_shows_and_links_its_views(book: Callable[..., Any]) -> None:
    found = book("board = lab.dashboard()\nboard")
    found.theme("JupyterLab Light")
    found.run_all()
    board = board_of(found)
    names = ["Timeline", "Events", "Memories"]

    for name in names:
        expect(panel(board, name).locator(".pj-head")).to_be_visible()
    found.execute("board.selection['what'] = pj.OneOf('name', ['v1.PersonaMoodChanged'])")
    expect(panel(board, "Events").get_by_text("6 of 19")).to_be_visible()
    found.shot("dashboard_own", BOARD)
    for name in ("Personas", "Time machine", "Lab"):
        toggle(board, name).click()
        expect(panel(board, name).locator(".pj-head")).to_be_visible()
    expect(board.get_by_text("6 of 6 panels")).to_be_visible()
    expect(board.get_by_role("alert")).to_have_count(0)
    assert faults(found) == []
    found.shot("dashboard_all", BOARD)
