"""What is lost between page and kernel, as around a restart, is asked again; nothing acts twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

MEMORIES, MACHINE = "[data-kind=memory_table]", "[data-kind=time_machine]"
QUESTIONS = """
from pjais_lab.views import _runtime
hear = _runtime._hear_one
def lossy(those, page, said, tell):
    if said["t"] != "ask" or said.get("again"):
        hear(those, page, said, tell)
_runtime._hear_one = lossy
"""
"""No question comes when it is first asked."""
ANSWERS = """
from pjais_lab.views import _runtime
hear = _runtime._hear_one
def lossy(those, page, said, tell):
    is_kept = said["t"] != "ask" or said.get("again")
    hear(those, page, said, tell if is_kept else lambda *_: None)
_runtime._hear_one = lossy
"""
"""No question is answered when it is first asked."""
VIEWS = ("pj.views.MemoryTable(lab)", "pj.views.TimeMachine(lab, table='memories')")


@pytest.fixture
def shown(book: Callable[..., Any]) -> Callable[[str], tuple[Any, Locator, Locator]]:
    def make(lossy: str) -> tuple[Any, Locator, Locator]:
        found = book(lossy, *VIEWS)
        found.run_all()
        memories, machine = (found.page.locator(f".pj-view{kind}") for kind in (MEMORIES, MACHINE))
        for view in (memories, machine):
            expect(row(view, 0)).to_contain_text("Note", timeout=20_000)
        return found, memories, machine

    return make


def row(view: Locator, number: int) -> Locator:
    return view.locator(f"[aria-rowindex='{number + 3}']")


@pytest.mark.parametrize("lossy", [QUESTIONS, ANSWERS], ids=["question", "answer"])
def test_every_view_shows_its_rows_though_what_it_asked_first_was_lost(
    shown: Any, lossy: str
) -> None:
    _, memories, machine = shown(lossy)

    there = machine.get_by_role("table", name="Rows of each table at the moment")
    expect(there).to_contain_text("memories12")
    expect(memories.locator(".pj-bars, svg").first).to_be_visible()
    for view in (memories, machine):
        expect(view.locator(".pj-chip").last).to_contain_text("live")
        expect(view.get_by_role("alert")).to_have_count(0)


def test_an_act_that_did_not_come_says_so_and_one_whose_answer_was_lost_is_done_once(
    shown: Any,
) -> None:
    found, memories, _ = shown(QUESTIONS)
    head = memories.get_by_role("columnheader", name="importance")
    head.click()
    expect(memories.get_by_role("alert")).to_contain_text(
        "'sort' did not reach the kernel, nothing changed. Do it again."
    )
    expect(head).to_have_attribute("aria-sort", "none")
    found.execute("_runtime._hear_one = hear")
    head.click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(memories.get_by_role("alert")).to_have_count(0)

    found.execute(ANSWERS)
    row(memories, 0).click()
    memories.get_by_role("button", name="Recall").click()
    expect(memories.locator(".pj-act-bar")).to_contain_text("Recalled 1 memory", timeout=10_000)
    found.execute("assert lab.query('SELECT sum(recalls) FROM memories').item() == 1")
