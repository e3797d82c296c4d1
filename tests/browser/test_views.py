from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

import pjais_lab as pj
from pjais_lab.views._runtime import SYMBOL
from tests.browser.conftest import HERE
from tests.browser.helpers import HOSTILE, LONG_CELL, SNAPSHOTS, faults, from_elsewhere
from tests.browser.measuring import Heap

CARD, STATUS = ".pj-view[data-kind=persona_card]", ".pj-view[data-kind=lab_status]"
MAKE_CARD = "card = pj.views.PersonaCard(lab, 'Ada')\ncard"
MAKE_STATUS = "status = pj.views.LabStatus(lab)\nstatus"
LATE = f"""async () => {{
    const made = Promise.withResolvers();
    const resolve = (found) => setTimeout(made.resolve, 2500, found);
    globalThis[Symbol.for("{SYMBOL}")] = {{ ...made, resolve }};
}}"""
"""The bundle comes later than the two seconds that anywidget gives a model."""
AROUND_A_FIELD = 15
"""Chromium's observer of form fields holds one that is gone, and what is around it: 9 in a table's head."""
STATES = "application/vnd.jupyter.widget-state+json"
ODD = """
import datetime as dt
from decimal import Decimal
import polars as pl
from pjais_lab.views import _base

class Odd(_base.View):
    kind = "lab_status"
    sql, frame = "SELECT 'odd'", None
    def __init__(self):
        super().__init__("Odd")
        at = dt.datetime(2026, 11, 26, 1, 2, 3)
        values = {
            "i128": pl.Series([2**100], dtype=pl.Int128), "u64": pl.Series([2**63], dtype=pl.UInt64),
            "f32": pl.Series([1.5], dtype=pl.Float32), "nan": [float("nan")], "bool": [True],
            "decimal": [Decimal("1.10")], "text": ["plain"], "binary": [b"\\x00"], "date": [at.date()],
            "ms": pl.Series([at], dtype=pl.Datetime("ms")), "ns": pl.Series([at], dtype=pl.Datetime("ns")),
            "utc": pl.Series([at], dtype=pl.Datetime("us", "UTC")), "duration": [dt.timedelta(hours=1)],
            "time": [dt.time(1, 2)], "enum": pl.Series(["a"], dtype=pl.Enum(["a"])),
            "category": pl.Series(["a"], dtype=pl.Categorical), "list": [[1, 2]], "days": [[at.date()]],
            "array": pl.Series([[1, 2]], dtype=pl.Array(pl.Int8, 2)), "struct": [{"a": 1}],
        }
        self.put("tables", pl.DataFrame({k: v for k, v in values.items()}))
        self._channel.fail(ValueError("this went wrong"))
    def sections(self):
        return []

Odd()
"""


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_views_render_and_anybody_can_use_them(book, theme: str) -> None:
    found = book(MAKE_STATUS, MAKE_CARD)
    found.theme(theme)

    found.run_all()

    card, status = found.page.locator(CARD), found.page.locator(STATUS)
    expect(card.get_by_role("meter", name="openness")).to_have_attribute("aria-valuenow", "92")
    expect(card.get_by_text("6 changes")).to_be_visible()
    expect(status.get_by_role("table", name="Rows of each table")).to_contain_text("memories12")
    expect(status.get_by_role("row", name="sealing by itself")).to_contain_text("off")
    for view in (card, status):
        expect(view.get_by_role("status")).to_contain_text("live")
        expect(view.get_by_role("alert")).to_have_count(0)
    assert faults(found) == []
    name = theme.split()[1].lower()
    found.shot(f"persona_card_{name}", CARD)
    found.shot(f"lab_status_{name}", STATUS)


def test_the_views_fit_a_narrow_column_and_high_contrast(book) -> None:
    found = book(MAKE_STATUS, MAKE_CARD)
    found.run_all()
    found.page.add_style_tag(content=".jp-OutputArea-output { max-width: 340px !important; }")
    found.page.emulate_media(forced_colors="active", reduced_motion="reduce")

    for name, selector in {"persona_card": CARD, "lab_status": STATUS}.items():
        view = found.page.locator(selector)
        expect(view.get_by_role("status")).to_contain_text("live")
        wide, has = view.evaluate("v => [v.getBoundingClientRect().width, v.scrollWidth]")
        assert wide <= 340
        assert has <= wide
        found.shot(f"{name}_narrow", selector)


def test_a_commit_of_another_process_is_seen_also_while_a_cell_runs(book, workspace: Path) -> None:
    found = book(MAKE_CARD)
    found.run_all()
    card = found.page.locator(CARD)
    expect(card.get_by_text("6 changes")).to_be_visible()

    from_elsewhere(workspace)
    expect(card.get_by_text("7 changes")).to_be_visible()
    found.evaluate(LONG_CELL)
    from_elsewhere(workspace)

    expect(card.get_by_text("8 changes")).to_be_visible()  # pushed while the cell runs
    found.page.wait_for_function(f"{SNAPSHOTS}.includes('8 values')")  # asked and answered
    assert found.evaluate("async () => window.isDone") is False
    expect(card.get_by_role("status")).to_contain_text("live")


def test_a_view_whose_bundle_comes_late_moves_like_any_other(book, workspace: Path) -> None:
    found = book(MAKE_CARD)
    errors: list[str] = []
    found.page.on("pageerror", lambda error: errors.append(str(error)))
    found.evaluate(LATE)

    found.run_all()
    card = found.page.locator(CARD)
    expect(card.get_by_text("6 changes")).to_be_visible()
    from_elsewhere(workspace)

    expect(card.get_by_text("7 changes")).to_be_visible()
    assert errors == []


def test_keys_typed_in_a_view_stay_there(book) -> None:
    found = book(MAKE_CARD)
    found.run_all()
    summary = found.page.locator(CARD).locator("summary")
    summary.click()
    expect(found.page.locator(CARD).get_by_label("The query behind this view")).to_be_visible()
    before = found.kinds()

    for key in ["b", "a", "m", "y", "d", "d", "x", "Shift+Enter", "ArrowDown"]:
        summary.press(key)
    kept = found.kinds()
    found.page.locator(CARD).evaluate("v => v.focus()")
    found.page.keyboard.press("b")
    also_kept = found.kinds()
    found.evaluate(
        f"async () => {{ {HERE}.content.mode = 'command'; {HERE}.content.node.focus(); }}"
    )
    found.page.keyboard.press("b")

    assert kept == also_kept == before
    assert len(found.kinds()) == len(before) + 1  # elsewhere the key does what it does


def test_after_a_restart_the_views_say_so_and_run_again(book) -> None:
    found = book(MAKE_STATUS)
    found.run_all()
    status = found.page.locator(STATUS)
    expect(status.get_by_role("status")).to_contain_text("live")

    found.restart_kernel()
    expect(status.get_by_role("status")).to_contain_text("not connected")
    expect(status.get_by_role("table", name="Rows of each table")).to_contain_text("memories12")
    assert faults(found) == []
    found.shot("lab_status_offline", STATUS)
    found.run_all()

    expect(status).to_have_count(1)
    expect(status.get_by_role("status")).to_contain_text("live")


def test_a_page_keeps_nothing_of_views_that_are_gone(book) -> None:
    found = book("lab.dashboard()")
    heap = Heap(found.page)
    state = found.page.locator(".pj-view[data-kind=dashboard] > .pj-foot").get_by_role("status")
    for _ in range(2):
        found.run_all()
        expect(state).to_contain_text("live", timeout=30_000)
        found.restart_kernel()
        expect(state).to_contain_text("not connected")
    found.run_all()
    expect(state).to_contain_text("live", timeout=30_000)

    until = time.monotonic() + 20
    while (left := heap.strays()) > AROUND_A_FIELD and time.monotonic() < until:
        found.page.wait_for_timeout(500)
    assert left <= AROUND_A_FIELD


def test_after_a_restart_the_notebook_is_saved_as_the_views_are_now(book, workspace: Path) -> None:
    found = book(MAKE_CARD)
    found.run_all()
    card = found.page.locator(CARD)
    expect(card.get_by_text("6 changes")).to_be_visible()
    found.restart_kernel()
    expect(card.get_by_role("status")).to_contain_text("not connected")
    found.run_all()
    expect(card.get_by_role("status")).to_contain_text("live")

    from_elsewhere(workspace)

    expect(card.get_by_text("7 changes")).to_be_visible()
    found.page.wait_for_function(f"{SNAPSHOTS}.includes('7 values')")


def test_a_notebook_opened_again_is_live_with_its_kernel_and_static_without(book) -> None:
    found = book(MAKE_CARD, "card.put('extra', 1)")
    found.run_all()
    page = found.page
    expect(page.locator(CARD).get_by_text("6 changes")).to_be_visible()
    page.wait_for_function(f"{SNAPSHOTS}.includes('6 values')")
    found.save()
    (output,) = found.saved()["cells"][1]["outputs"]

    found.open()
    expect(page.locator(CARD).get_by_role("status")).to_contain_text("live")
    found.shutdown_kernel()
    found.open()

    static = page.locator(".jp-OutputArea-output").filter(has_text="Memories by kind and tier")
    expect(static).to_be_visible()
    expect(page.get_by_text("Error displaying widget")).to_have_count(0)
    expect(page.locator(CARD)).to_have_count(0)
    assert set(output["data"]) == {"text/html", "text/plain"}
    assert len("".join(output["data"]["text/html"])) < 30_000
    found.shot("persona_card_reopened", ".jp-OutputArea-output:has-text('Memories by kind')")


def test_a_notebook_with_the_state_of_widgets_draws_its_views_without_a_kernel(book) -> None:
    found = book(MAKE_CARD)
    card = found.page.locator(CARD)
    found.command("@jupyter-widgets/jupyterlab-manager:saveWidgetState")
    try:
        for _ in range(2):  # of the kernel before the restart nothing is saved
            found.restart_kernel()
            found.run_all()
            expect(card.get_by_role("status")).to_contain_text("live")
        found.save()
        found.shutdown_kernel()
        found.open()

        expect(card.get_by_role("meter", name="openness")).to_have_attribute("aria-valuenow", "92")
        expect(card.get_by_role("status")).to_contain_text("not connected")
        assert len(found.saved()["metadata"]["widgets"][STATES]["state"]) == 2
    finally:
        found.command("@jupyter-widgets/jupyterlab-manager:saveWidgetState")


def test_running_a_cell_again_closes_the_view_that_it_made(book) -> None:
    found = book("pj.views.LabStatus(lab)")
    for _ in range(4):
        found.run_all()
        expect(found.page.locator(STATUS)).to_have_count(1)

    expect(found.page.locator(STATUS).get_by_role("status")).to_contain_text("live")
    found.execute("assert len(lab.live_nodes) == 1, lab.live_nodes")


def test_hostile_text_odd_types_and_errors_are_shown_as_text(book, workspace: Path) -> None:
    with pj.open(workspace, background=False) as lab:
        eve = lab.personas.create(HOSTILE, description=HOSTILE)
        lab.memories.record(eve, HOSTILE, kind="fact")
        key = eve.id
    found = book(f"pj.views.PersonaCard(lab, {key!r})", ODD)

    found.run_all()

    card, odd = found.page.locator(CARD), found.page.locator(STATUS)
    expect(card.get_by_role("heading", name="<img src=x")).to_contain_text(
        "\\u202egpj.exe\\x1b[31m"
    )
    expect(card.get_by_role("table", name="Last events")).to_contain_text("<script>")
    assert card.locator("img, script, iframe").count() == 0
    assert found.evaluate("async () => window.pwned ?? null") is None
    expect(odd.get_by_role("alert")).to_have_text("ValueError: this went wrong")
    cells = odd.get_by_role("table", name="Rows of each table").locator("td").all_text_contents()
    assert len(cells) == 20
    assert [c for c in cells if not c] == []
    assert "1,267,650,600,228,229,401,496,703,205,376" in cells or str(2**100) in cells
    assert {"1.10", "2026-11-26", "2026-11-26 01:02:03", "plain", "NaN", "true"} <= set(cells)
    assert faults(found) == []
    found.shot("hostile", CARD)
    found.shot("odd", STATUS)
