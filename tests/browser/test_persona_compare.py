from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

import pjais_lab as pj
from tests.browser.helpers import HOSTILE, LONG_CELL, faults, from_elsewhere

COMPARE = ".pj-view[data-kind=persona_compare]"
CARD = ".pj-view[data-kind=persona_card]"
MAKE = "brush = pj.Selection()\nview = pj.views.PersonaCompare(lab, {}, selection=brush)\nview"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Six personas with moods and memories, one of them hostile; forty more."""
    path = tmp_path / "town"
    with pj.open(path, background=False) as lab:
        people = []
        for i, name in enumerate(["Ada", "Bea", "Cleo", "Dora", "Eve", HOSTILE]):
            traits = pj.BigFive(openness=15.0 * i, neuroticism=50 + i, extraversion=90 - 12.0 * i)
            people.append(lab.personas.create(name, traits=traits, description=HOSTILE))
        with lab.batch():
            for i, who in enumerate(people):
                for k in range(6 + 3 * i):
                    kind, tier = ["fact", "event", "thought"][k % 3], ["hot", "warm", "cold"][k % 2]
                    lab.memories.record(who, f"Note {k} {HOSTILE}", kind=kind, tier=tier)
            for i in range(40):
                lab.personas.create(f"Person {i:02}")
        for who in people[:4]:
            for k, emotion in enumerate(["joy", "sadness", "anger"]):
                lab.personas.change_mood(who, emotion, 20 + 25 * k)
        lab.personas.retire(people[2])
    return path


@pytest.fixture
def book(notebook: Callable[..., Any], workspace: Path) -> Callable[..., Any]:
    """Open a notebook whose first cell opens the lab and whose second one compares."""
    head = f"import pjais_lab as pj\nlab = pj.open({str(workspace)!r}, background=False)"

    def make(personas: str = "['Ada', 'Bea', 'Cleo']", *cells: str) -> Any:
        found = notebook(head, MAKE.format(personas), *cells)
        found.run_all()
        expect(compare_of(found).get_by_role("img", name=re.compile("^openness"))).to_be_visible()
        return found

    return make


def compare_of(book: Any) -> Locator:
    found: Locator = book.page.locator(COMPARE)
    return found


def people(view: Locator) -> Locator:
    return view.get_by_role("listbox", name="Compared personas").get_by_role("option")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_six_are_side_by_side_inert_and_anybody_can_use_it(book: Any, theme: str) -> None:
    found = book(f"['Ada', 'Bea', 'Cleo', 'Dora', 'Eve', {HOSTILE!r}]")
    found.theme(theme)
    view = compare_of(found)

    expect(people(view)).to_have_count(6)
    expect(view.get_by_role("table", name="Memories by kind and tier")).to_contain_text("thought")
    expect(
        view.get_by_role("img", name="Ada: 3 changes, the last anger at 70 of 100")
    ).to_be_visible()
    expect(view.get_by_role("status")).to_contain_text("live")
    assert view.locator("img, script").count() == 0
    assert found.evaluate("async () => window.pwned ?? null") is None
    assert faults(found) == []
    found.shot(f"persona_compare_{theme.split()[1].lower()}", COMPARE)


def test_by_keyboard_they_are_moved_taken_away_replaced_found_and_picked(book: Any) -> None:
    found = book()
    view, kinds, keyboard = compare_of(found), found.kinds(), found.page.keyboard
    people(view).first.focus()

    for key in ("Shift+ArrowRight", "b"):
        keyboard.press(key)
    expect(people(view)).to_have_text([re.compile(n) for n in ("Bea", "Ada", "Cleo")])
    keyboard.press("Enter")
    expect(view.get_by_role("option", name="Ada")).to_have_attribute("aria-selected", "true")
    found.execute("assert list(view.selected['name']) == ['Ada'], view.selected")
    keyboard.press("F2")
    expect(view.get_by_role("combobox", name="Replace Ada by…")).to_be_focused()
    keyboard.type("son 07")
    expect(view.get_by_role("option", name="Person 07")).to_be_visible()
    keyboard.press("Enter")
    expect(people(view)).to_have_text([re.compile(n) for n in ("Bea", "Person 07", "Cleo")])
    people(view).last.focus()
    keyboard.press("Delete")
    expect(people(view)).to_have_count(2)
    found.execute("assert list(view.frame['name']) == ['Bea', 'Person 07']")
    assert found.kinds() == kinds


def test_by_mouse_one_is_added_and_the_selection_says_who_and_when(book: Any) -> None:
    found = book()
    view = compare_of(found)

    view.get_by_role("combobox").click()
    expect(view.get_by_text(re.compile(r"and \d+ more: type on"))).to_be_visible()
    view.get_by_role("combobox").fill("dor")
    view.get_by_role("listbox", name="Personas").get_by_text("Dora").click()
    expect(people(view)).to_have_count(4)
    view.get_by_role("button", name="Take away").click()
    expect(people(view)).to_have_count(3)
    found.execute(
        "ids = lab.query('SELECT id::VARCHAR AS id FROM personas')['id'].to_list()\n"
        "brush['who'] = pj.OneOf('persona_id', ids)\n"
        "brush['when'] = pj.Interval('occurred_at', high='2020-01-01')"
    )
    expect(people(view)).to_have_count(6)
    expect(view.get_by_text("the selection picks 40 more")).to_be_visible()
    expect(view.get_by_text("No memories.")).to_be_visible()
    view.get_by_role("button", name="Remove the filter when").click()
    expect(view.get_by_role("table", name="Memories by kind and tier")).to_be_visible()


def test_it_moves_with_another_process_answers_while_a_cell_runs_and_forgets_the_erased(
    book: Any, workspace: Path
) -> None:
    found = book("['Ada', 'Bea', 'Dora']", "pj.views.PersonaCard(lab, 'Bea')")
    view, card = compare_of(found), found.page.locator(CARD)
    expect(view.get_by_role("img", name=re.compile("^Ada: 3 changes"))).to_be_visible()

    from_elsewhere(workspace)
    expect(view.get_by_role("img", name=re.compile("^Ada: 4 changes"))).to_be_visible()
    found.execute("lab.personas.revise(lab.personas['Bea'], name='Beatrice')")
    expect(card.get_by_role("heading", name="Beatrice")).to_be_visible()
    found.execute("lab.personas.erase(lab.personas['Beatrice'])")
    expect(card.get_by_role("heading", name="A persona that is no more")).to_be_visible()
    expect(view.get_by_role("option", name="a persona that is no more")).to_be_visible()
    assert "Bea" not in card.evaluate("v => v.outerHTML")
    found.evaluate(LONG_CELL)
    view.get_by_role("combobox").fill("eve")
    view.get_by_role("listbox", name="Personas").get_by_text("Eve").click()

    expect(people(view)).to_have_count(4)
    assert found.evaluate("async () => window.isDone") is False


def test_it_fits_a_narrow_column_survives_its_kernel_and_is_there_without_one(book: Any) -> None:
    found = book()
    view = compare_of(found)
    found.page.add_style_tag(content=".jp-OutputArea-output { max-width: 340px !important; }")
    found.page.emulate_media(forced_colors="active", reduced_motion="reduce")
    wide, has = view.evaluate("v => [v.getBoundingClientRect().width, v.scrollWidth]")
    found.shot("persona_compare_narrow", COMPARE)

    found.save()
    found.restart_kernel()
    expect(view.get_by_role("status")).to_contain_text("not connected")
    found.run_all()
    expect(view.get_by_role("status")).to_contain_text("live")
    found.shutdown_kernel()
    found.open()

    static = found.page.locator(".jp-OutputArea-output").filter(has_text="Mood of Ada")
    expect(static).to_be_visible()
    expect(compare_of(found)).to_have_count(0)
    assert wide <= 340
    assert has <= wide
