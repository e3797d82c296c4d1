from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.helpers import SNAPSHOTS, faults, from_elsewhere

HOSTILE = "<img src=x onerror=alert(1)>\u202e"
ROWS = f"""
import datetime, polars as pl, pjais_lab as pj
n = 20_000
rows = pl.DataFrame({{
    "id": range(n),
    "who": [["Ada", "Bea", None, {HOSTILE!r}][i * 7 % 4] for i in range(n)],
    "weight": [float("nan") if i % 97 == 0 else (i * 7919 % 1000) ** 1.5 / 100 for i in range(n)],
    "at": [datetime.datetime(2026, 11, 1) + datetime.timedelta(minutes=i) for i in range(n)],
    "note": [None if i % 5 == 0 else f"Note {{i}} on the engine." for i in range(n)],
}})
"""
STRANGER = """
import sys, pjais_lab as pj
with pj.open(sys.argv[1], background=False) as lab:
    lab.personas.create("P98")
"""
TABLE = "table = pj.views.Table(rows, title='Notes')\ntable"


def cell(table: Locator, row: int, column: int) -> Locator:
    return table.locator(f"[aria-rowindex='{row + 3}'] [aria-colindex='{column + 1}']")


def head(table: Locator, name: str) -> Locator:
    return table.get_by_role("columnheader", name=name)


@pytest.fixture
def book(notebook: Callable[..., Any]) -> Any:
    opened = notebook(ROWS, TABLE)
    opened.run_all()
    expect(cell(table_of(opened), 0, 0)).to_have_text("0")
    return opened


def table_of(book: Any) -> Locator:
    found: Locator = book.page.locator(".pj-view[data-kind=table]")
    return found


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_a_table_shows_its_rows_and_what_lies_in_its_columns(book: Any, theme: str) -> None:
    book.theme(theme)
    table = table_of(book)

    expect(table.get_by_role("grid")).to_have_attribute("aria-rowcount", "20002")
    expect(table.get_by_text("20,000 rows")).to_be_visible()
    expect(table.get_by_role("listbox")).to_have_count(4)
    expect(cell(table, 1, 1)).to_contain_text("<img src=x onerror=alert(1)>\\u202e")
    expect(cell(table, 0, 4)).to_have_text("null")
    assert book.page.locator(".pj-view img").count() == 0
    assert faults(book) == []
    book.shot(f"table_{theme.split()[1].lower()}")


def test_a_table_outlives_its_kernel_and_a_saved_one_needs_none(book: Any) -> None:
    table, page = table_of(book), book.page
    table.get_by_role("option", name="Ada: 5,000 of 5,000").click()
    expect(table.get_by_text("5,000 of 20,000 rows")).to_be_visible()
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    book.shot("table_forced_colours")
    page.wait_for_function(f"{SNAPSHOTS}.includes('IN (&#x27;Ada&#x27;)')")
    book.save()

    book.restart_kernel()
    expect(table.get_by_role("status")).to_contain_text("not connected")
    expect(cell(table, 0, 1)).to_have_text("Ada")
    assert faults(book) == []
    book.shutdown_kernel()
    book.open()

    static = page.locator(".jp-OutputArea-output").filter(has_text="<img src=x onerror=alert(1)>")
    expect(page.get_by_text("Error displaying widget")).to_have_count(0)
    expect(page.locator(".jp-OutputArea-output").filter(has_text="IN ('Ada')")).to_be_visible()
    expect(static).to_have_count(0)  # it was filtered away
    (output,) = book.saved()["cells"][1]["outputs"]
    assert set(output["data"]) == {"text/html", "text/plain"}
    assert len("".join(output["data"]["text/html"])) < 30_000


def test_the_mouse_sorts_filters_searches_picks_and_clears(book: Any) -> None:
    table = table_of(book)

    head(table, "weight").click()
    expect(head(table, "weight")).to_have_attribute("aria-sort", "ascending")
    expect(cell(table, 0, 2)).to_have_text("0")
    head(table, "weight").click()
    expect(head(table, "weight")).to_have_attribute("aria-sort", "descending")

    table.get_by_role("option", name="Ada: 5,000 of 5,000").click()
    expect(table.get_by_text("5,000 of 20,000 rows")).to_be_visible()
    expect(table.get_by_role("option", name="Bea: 5,000 of 5,000")).to_be_attached()
    expect(cell(table, 0, 1)).to_have_text("Ada")

    table.get_by_role("searchbox").fill("NOTE 99")
    expect(table.get_by_text(re.compile(r"^\d+ of 20,000 rows"))).to_be_visible()
    cell(table, 2, 0).click()
    expect(table.get_by_text("1 picked")).to_be_visible()
    book.shot("table_filtered")
    book.execute(
        "import re\n"
        "assert table.frame['who'].unique().to_list() == ['Ada']\n"
        "assert table.frame['note'].str.contains('Note 99').all()\n"
        "assert table.selected.height == 1\n"
        "assert table.selected['id'][0] == table.frame['id'][2]\n"
        "data = rows\n"
        "again = eval(table.python)\n"
        "assert again.frame.equals(table.frame) and again.sql == table.sql\n"
    )

    table.get_by_role("button", name="Clear").click()
    expect(table.get_by_text("20,000 rows", exact=True)).to_be_visible()


def test_the_keyboard_reaches_every_row_and_no_key_reaches_the_notebook(book: Any) -> None:
    table, cells = table_of(book), len(book.kinds())
    grid = table.get_by_role("grid")
    grid.focus()

    for key in ("ArrowRight", "ArrowRight", "Enter", "b", "d", "d", "m"):
        book.page.keyboard.press(key)
    expect(head(table, "weight")).to_have_attribute("aria-sort", "ascending")
    book.page.keyboard.press("Control+End")
    expect(table.locator("[aria-rowindex='20002']")).to_be_visible()
    expect(cell(table, 19_999, 0)).not_to_be_empty()
    book.page.keyboard.press("Space")
    expect(table.locator("[aria-rowindex='20002']")).to_have_attribute("aria-selected", "true")
    active = grid.get_attribute("aria-activedescendant")
    expect(book.page.locator(f"#{active}")).to_be_visible()

    for key in ("Control+Home", "ArrowUp", "ArrowRight", "Enter", "ArrowRight", "Enter"):
        book.page.keyboard.press(key)
    expect(table.get_by_text(re.compile("of 20,000 rows"))).to_be_visible()
    for key in ("Delete", "Escape"):
        book.page.keyboard.press(key)
    expect(table.get_by_text("20,000 rows", exact=True)).to_be_visible()
    assert len(book.kinds()) == cells


def test_every_row_in_sight_is_filled_wherever_one_scrolls_to(book: Any) -> None:
    table = table_of(book)

    for top in (24 * 95, 24 * 7_795 + 10, 24 * 12_345, 0, 24 * 19_990):
        table.get_by_role("grid").evaluate("(grid, top) => { grid.scrollTop = top; }", top)
        first = min(top // 24, 20_000 - 12)
        for row in (first, first + 5, first + 11):
            expect(cell(table, row, 0)).to_have_text(f"{row}")


def test_in_a_narrow_column_all_of_it_can_be_reached(notebook: Callable[..., Any]) -> None:
    book = notebook(ROWS, TABLE)
    book.page.set_viewport_size({"width": 620, "height": 900})
    book.run_all()
    table = table_of(book)
    expect(cell(table, 0, 0)).to_have_text("0")

    whole = table.bounding_box()
    button = table.get_by_role("button", name="Copy as Python").bounding_box()
    table.get_by_role("grid").focus()
    for key in ("ArrowDown", "End"):
        book.page.keyboard.press(key)

    assert whole is not None
    assert button is not None
    assert button["x"] + button["width"] <= whole["x"] + whole["width"]
    assert button["height"] < 30
    expect(cell(table, 0, 4)).to_be_in_viewport()
    book.shot("table_narrow")


def test_two_tables_on_one_selection_filter_each_other_and_code_filters_both(
    notebook: Callable[..., Any],
) -> None:
    pair = "brush = pj.Selection()\none = pj.views.Table(rows, selection=brush)\none"
    book = notebook(ROWS, pair, "other = pj.views.Table(rows, selection=brush)\nother")
    book.run_all()
    one, other = table_of(book).first, table_of(book).last
    expect(cell(other, 0, 0)).to_have_text("0")

    one.get_by_role("option", name="Bea: 5,000 of 5,000").click()
    expect(other.get_by_text("5,000 of 20,000 rows")).to_be_visible()
    book.execute("brush['who'] = None; brush['id'] = pj.Interval('id', 10, 19)")

    for table in (one, other):
        expect(table.get_by_text("10 of 20,000 rows")).to_be_visible()
        expect(cell(table, 0, 0)).to_have_text("10")


def test_a_live_query_moves_in_its_table_and_requests_are_answered_while_a_cell_runs(
    notebook: Callable[..., Any], tmp_path: Path
) -> None:
    make = f"import pjais_lab as pj\nlab = pj.open({str(tmp_path / 'lab')!r}, background=False)\n"
    seed = "for i in range(30): lab.personas.create(f'P{i:02}')\n"
    show = "live = lab.live('SELECT name, id FROM personas ORDER BY name')\npj.views.Table(live)"
    book = notebook(make + seed, show, "import time\nfor _ in range(60): time.sleep(0.1)")
    book.start_running()
    table = table_of(book)
    expect(cell(table, 0, 0)).to_have_text("P00")

    head(table, "name").click()
    head(table, "name").click()
    expect(cell(table, 0, 0)).to_have_text("P29", timeout=5_000)
    expect(book.page.locator(".jp-InputArea-prompt").last).to_have_text("[*]:")
    expect(book.page.locator(".jp-InputArea-prompt").last).to_have_text("[3]:", timeout=30_000)
    book.execute("lab.personas.create('P99')")
    from_elsewhere(tmp_path / "lab", STRANGER)

    expect(cell(table, 0, 0)).to_have_text("P99")
    expect(cell(table, 1, 0)).to_have_text("P98")
    expect(table.get_by_text("32 rows")).to_be_visible()
