"""Notebook 09 in a browser: a view of the user's own, written in a cell."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ROOT
from tests.browser.helpers import faults

SHELF = ".pj-view[data-kind=own]"
FAULTY = """
class Faulty(pj.views.View):
    module = "export function draw() { throw new Error('this was drawn wrongly'); }"
    def __init__(self):
        super().__init__("Faulty")
        self.follow("books", lab.live("SELECT 1 AS one"), is_main=True)
Faulty()
"""


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_view_of_the_notebook_on_extending_draws_asks_and_moves(
    notebook: Callable[..., Any], theme: str
) -> None:
    cells = json.loads((ROOT / "notebooks" / "09_extending.ipynb").read_text())["cells"]
    codes = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    found = notebook(*codes, FAULTY)
    found.theme(theme)

    found.run_all()
    shelf = found.page.locator(SHELF).first
    emma = shelf.get_by_role("meter", name="Emma")
    expect(emma).to_have_attribute("aria-valuenow", "170")
    shelf.get_by_role("button", name="Read ten pages of Frankenstein").press("Enter")

    expect(shelf.get_by_role("meter", name="Frankenstein")).to_have_attribute("aria-valuenow", "10")
    expect(shelf.get_by_role("status")).to_contain_text("live")
    expect(shelf.get_by_role("alert")).to_have_count(0)
    giving = found.page.locator(SHELF).nth(1)
    giving.get_by_role("button", name="Give away…").first.click()
    dialog = found.page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("Give Emma away?")
    dialog.get_by_role("textbox").fill("Harriet")
    found.shot(f"own_act_{theme.split()[1].lower()}", f"{SHELF} >> nth=1")
    dialog.get_by_role("button", name="Give away", exact=True).click()
    expect(giving).to_contain_text("Given away to Harriet.")
    expect(emma).to_have_count(0)
    faulty = found.page.locator(SHELF).last
    expect(faulty.get_by_role("alert")).to_have_text("Error: this was drawn wrongly")
    assert faults(found) == []
    found.shot(f"own_{theme.split()[1].lower()}", SHELF)
