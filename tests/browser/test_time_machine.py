from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

import pjais_lab as pj
from tests.browser.helpers import HOSTILE, LONG_CELL, SNAPSHOTS, faults, from_elsewhere

MACHINE = ".pj-view[data-kind=time_machine]"
MAKE = (
    "brush = pj.Selection()\n"
    "machine = pj.views.TimeMachine(lab, selection=brush, table='memories'{})\nmachine"
)
STRANGER = """
import sys, pjais_lab as pj
with pj.open(sys.argv[1], background=False) as lab:
    lab.memories.record(lab.personas["Ada"], "From elsewhere")
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A town of a few days; some memories forgotten or moved, one persona with a hostile name."""
    path = tmp_path / "town"
    with pj.open(path, background=False) as lab:
        lab.simulate(personas=4, days=12)
        ada = lab.personas.create("Ada")
        with lab.batch():
            for i in range(30):
                lab.memories.record(ada, HOSTILE if i == 29 else f"Note {i}", kind="fact")
        for memory in lab.query("SELECT id FROM memories ORDER BY id LIMIT 5")["id"]:
            lab.memories.forget(str(memory))
        lab.personas.create(HOSTILE, description=HOSTILE)
    return path


@pytest.fixture
def book(notebook: Callable[..., Any], workspace: Path) -> Callable[..., Any]:
    """Open a notebook whose first cell opens the lab and whose second one shows a time machine."""
    head = f"import pjais_lab as pj\nlab = pj.open({str(workspace)!r}, background=False)"

    def make(more: str = "", *cells: str) -> Any:
        found = notebook(head, MAKE.format(more), *cells)
        found.run_all()
        expect(cell(machine_of(found), 0, 0)).not_to_be_empty()
        return found

    return make


def machine_of(book: Any) -> Locator:
    found: Locator = book.page.locator(MACHINE)
    return found


def cell(machine: Locator, row: int, column: int) -> Locator:
    return machine.locator(f"[aria-rowindex='{row + 3}'] [aria-colindex='{column + 1}']")


def rows_of(machine: Locator, table: str) -> Locator:
    return machine.get_by_role("row", name=re.compile(rf"^{table}\b")).locator("td").nth(1)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_two_moments_are_shown_compared_and_anybody_can_use_it(
    book: Any, workspace: Path, theme: str
) -> None:
    found = book(", at='2026-10-08 12:00', against='now'")
    found.theme(theme)
    machine = machine_of(found)

    expect(machine.get_by_role("slider")).to_have_count(2)
    expect(machine.get_by_text(re.compile(r"[\d,]+ events between"))).to_be_visible()
    expect(machine.get_by_text("2026-10-08 12:00:00 UTC").first).to_be_visible()
    expect(machine.get_by_role("status").first).to_contain_text("live")
    assert machine.locator("img").count() == 0
    assert found.evaluate("async () => window.pwned ?? null") is None
    assert faults(found) == []
    found.shot(f"time_machine_{theme.split()[1].lower()}", MACHINE)


def test_by_keyboard_one_goes_from_event_to_event_types_a_moment_and_picks(book: Any) -> None:
    found = book()
    machine, kinds = machine_of(found), found.kinds()
    machine.get_by_label("Count").select_option("position")
    slider = machine.get_by_role("slider", name="Moment")
    expect(slider).to_have_attribute("aria-valuetext", "now")
    expect(slider).to_have_attribute("aria-valuemin", "0")
    last = int(slider.get_attribute("aria-valuemax") or 0)

    slider.focus()
    for key in ("ArrowLeft", "ArrowLeft", "Shift+ArrowLeft", "ArrowRight", "b"):
        found.page.keyboard.press(key)
    expect(slider).to_have_attribute("aria-valuenow", f"{last - 101}")
    for key in ("Home", "PageUp"):
        found.page.keyboard.press(key)
    expect(slider).to_have_attribute("aria-valuenow", f"{round(last / 20)}")
    found.page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "now")

    typed = machine.get_by_role("textbox", name="Moment")
    typed.fill("40")
    typed.press("Enter")
    expect(slider).to_have_attribute("aria-valuetext", "event 40")
    expect(machine.get_by_text("40 events until then")).to_be_visible()
    found.execute("assert machine.lab.moment == 40; rows = machine.frame.height; assert rows")
    machine.get_by_role("grid").focus()
    for key in ("ArrowDown", "ArrowDown", "Space"):
        found.page.keyboard.press(key)
    expect(machine.get_by_role("grid").locator("[aria-selected=true]")).to_have_count(1)
    found.execute("assert machine.selected.height == 1 and machine.frame.height == rows")
    typed.fill("yesterday")
    typed.press("Enter")
    expect(machine.get_by_role("alert")).to_contain_text("'yesterday' is no position of the log")
    assert found.kinds() == kinds


def test_by_mouse_one_drags_compares_and_picks_the_events_between(book: Any) -> None:
    found = book()
    machine = machine_of(found)
    now = rows_of(machine, "memories").inner_text()
    box = machine.locator(".pj-track").bounding_box()
    assert box is not None
    mouse, middle = found.page.mouse, box["y"] + 20

    mouse.move(box["x"] + box["width"] - 1, middle)
    mouse.down()
    for share in (0.9, 0.7, 0.5, 0.3):
        mouse.move(box["x"] + share * box["width"], middle, steps=3)
    during = rows_of(machine, "memories").inner_text()
    mouse.up()
    expect(machine.get_by_text(re.compile("events until then"))).to_be_visible()
    expect(machine.locator("table[aria-busy=false]")).to_be_visible()

    assert during == rows_of(machine, "memories").inner_text() != now
    found.execute(f"assert machine.counts['memories'] == {during.replace(',', '')}")
    machine.get_by_role("button", name="Compare").click()
    expect(machine.get_by_role("slider")).to_have_count(2)
    machine.get_by_role("button", name="Pick them").click()
    expect(machine.get_by_role("button", name="Pick them")).to_have_attribute(
        "aria-pressed", "true"
    )
    found.execute(
        "sql = f'SELECT count(*) FROM events WHERE {brush.sql}'\n"
        "assert lab.query(sql).item() == machine.between['events'].sum() > 0"
    )
    expect(cell(machine, 0, 2)).to_have_text(re.compile("added|removed|changed"))
    whole = cell(machine, 0, 1).inner_text()
    cell(machine, 0, 1).locator("bdi").click()
    assert found.evaluate("async () => getSelection().toString()") == whole
    found.execute(
        f"first = machine.diff.row(0, named=True)\n"
        f"assert str(first['entity_id']) == {whole!r}\n"
        f"assert first['label'][:20] == {cell(machine, 0, 0).inner_text()[:20]!r}"
    )
    machine.get_by_role("radio", name="personas").check()
    expect(machine.get_by_text(re.compile("Changes of personas: "))).to_be_visible()
    found.execute("assert machine.diff.height == machine.differences()['size'].item()")
    machine.get_by_role("radio", name="Rows of personas").check()
    expect(cell(machine, 0, 2)).not_to_be_empty()


def test_the_log_of_another_process_moves_it_also_while_a_cell_runs(
    book: Any, workspace: Path
) -> None:
    found = book()
    machine = machine_of(found)
    expect(rows_of(machine, "memories")).not_to_be_empty()
    before = int(rows_of(machine, "memories").inner_text().replace(",", ""))

    from_elsewhere(workspace, STRANGER)
    expect(rows_of(machine, "memories")).to_have_text(f"{before + 1:,}")
    found.evaluate(LONG_CELL)
    machine.get_by_role("textbox", name="Moment").fill("2026-10-06")
    machine.get_by_role("textbox", name="Moment").press("Enter")

    expect(machine.get_by_text("2026-10-06 00:00:00 UTC").first).to_be_visible()
    expect(machine.get_by_text(re.compile("events until then"))).to_be_visible()
    assert found.evaluate("async () => window.isDone") is False


def test_it_fits_a_narrow_column_and_forced_colours_and_says_when_its_kernel_is_gone(
    book: Any,
) -> None:
    found = book(", at='2026-10-08', against='now'")
    machine = machine_of(found)
    expect(machine.get_by_text(re.compile("events between"))).to_be_visible()
    found.page.add_style_tag(content=".jp-OutputArea-output { max-width: 340px !important; }")
    found.page.emulate_media(forced_colors="active", reduced_motion="reduce")
    wide, has = machine.evaluate("v => [v.getBoundingClientRect().width, v.scrollWidth]")
    found.shot("time_machine_narrow", MACHINE)
    found.page.emulate_media(forced_colors="none")

    found.restart_kernel()
    expect(machine.get_by_role("status").first).to_contain_text("not connected")
    found.run_all()
    expect(machine).to_have_count(1)
    expect(machine.get_by_role("status").first).to_contain_text("live")

    assert wide <= 340
    assert has <= wide


def test_a_notebook_opened_without_its_kernel_shows_what_was_there(book: Any) -> None:
    found = book(", at='2026-10-08', against='now'")
    found.page.wait_for_function(f"{SNAPSHOTS}.includes('Changes of memories')")
    found.save()
    found.shutdown_kernel()
    found.open()

    static = found.page.locator(".jp-OutputArea-output").filter(has_text="Changes of memories")
    expect(static).to_be_visible()
    expect(static).to_contain_text("2026-10-08 00:00:00 UTC")
    expect(machine_of(found)).to_have_count(0)
    assert found.page.locator(".jp-OutputArea-output img").count() == 0
    found.shot("time_machine_reopened", ".jp-OutputArea-output:has-text('Changes of memories')")
