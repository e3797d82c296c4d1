from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

import pjais_lab as pj
from tests.browser.helpers import HOSTILE, LONG_CELL, SNAPSHOTS, faults, from_elsewhere

VIEW = ".pj-view[data-kind=memory_table]"
MAKE = "table = pj.views.MemoryTable(lab)\ntable"
RECORD = """
import sys, pjais_lab as pj
with pj.open(sys.argv[1], background=False) as lab:
    lab.memories.record(lab.personas["Bea"], "A word from elsewhere.", kind="chat")
"""
RETIER = """
import sys, pjais_lab as pj
with pj.open(sys.argv[1], background=False) as lab:
    ids = lab.query("SELECT id FROM memories WHERE content = 'Note 7 on the engine.'")["id"]
    lab.memories.retier(ids[0], "hot")
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Two personas, thirty memories, two links."""
    path = tmp_path / "town"
    with pj.open(path, background=False) as lab:
        ada, bea = (lab.personas.create(name) for name in ("Ada", "Bea"))
        kinds, tiers = ("fact", "event", "chat"), ("warm", "hot", "cold")
        made = [
            lab.memories.record(
                ada if i % 3 else bea,
                f"Note {i} on the engine.",
                kind=kinds[i % 3],
                tier=tiers[i % 3],  # type: ignore[arg-type]
                importance=i / 30,
                tags=["engine", "maths"][: i % 3],
            )
            for i in range(30)
        ]
        lab.memories.link(made[29], made[7], "evidence", strength=0.5)
        lab.memories.link(made[3], made[29], "causal")
        lab.memories.recall(made[29], query="engines")
    return path


@pytest.fixture
def book(notebook: Callable[..., Any], workspace: Path) -> Any:
    head = f"import pjais_lab as pj\nlab = pj.open({str(workspace)!r}, background=False)"
    opened = notebook(head, MAKE)
    opened.run_all()
    expect(cell(table_of(opened), 0, 0)).to_have_text("Note 29 on the engine.")
    return opened


def table_of(book: Any) -> Locator:
    found: Locator = book.page.locator(VIEW)
    return found


def cell(table: Locator, row: int, column: int) -> Locator:
    return table.locator(f"[aria-rowindex='{row + 3}'] [aria-colindex='{column + 1}']")


def button(table: Locator, name: str) -> Locator:
    return table.get_by_role("toolbar").get_by_role("button", name=name)


def dialog(table: Locator) -> Locator:
    return table.locator(".pj-dialog")


def bar(table: Locator) -> Locator:
    return table.locator(".pj-act-bar")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_memories_are_shown_and_one_is_shown_whole(book: Any, theme: str) -> None:
    name = theme.split()[1].lower()
    book.theme(theme)
    table = table_of(book)

    expect(table.get_by_text("30 memories")).to_be_visible()
    book.shot(f"memory_table_{name}", VIEW)
    cell(table, 0, 0).click()
    aside = table.get_by_role("complementary", name="The picked memory")
    expect(aside.locator("tr", has_text="v1.MemoryRecalled")).to_contain_text("query engines")
    expect(aside.get_by_role("listitem")).to_have_count(2)
    expect(aside.get_by_role("button", name=re.compile("^Note 7"))).to_be_visible()
    book.shot(f"memory_table_picked_{name}", VIEW)
    button(table, "Forget…").click()
    expect(dialog(table)).to_be_visible()
    book.shot(f"memory_table_forget_{name}", VIEW)
    assert faults(book) == []
    book.page.keyboard.press("Escape")
    expect(dialog(table)).to_have_count(0)

    aside.get_by_role("button", name=re.compile("^Note 7")).click()
    expect(aside).to_contain_text("Note 7 on the engine.")
    expect(aside.get_by_role("button", name=re.compile("^Note 29"))).to_be_visible()
    assert faults(book) == []


def test_with_the_mouse_memories_are_filtered_picked_moved_forgotten_and_brought_back(
    book: Any,
) -> None:
    table = table_of(book)
    expect(button(table, "Recall")).to_have_attribute("title", "Pick memories first.")
    table.get_by_role("option", name="fact: 10 of 10").click()
    expect(table.get_by_text("10 of 30 memories")).to_be_visible()
    expect(cell(table, 0, 0)).to_have_text("Note 27 on the engine.")
    cell(table, 1, 0).click()
    cell(table, 4, 0).click(modifiers=["Shift"])
    cell(table, 2, 0).click(modifiers=["Control"])
    expect(table.get_by_text("3 picked")).to_be_visible()

    button(table, "Move to tier…").click()
    expect(dialog(table)).to_contain_text("3 memories of Bea will be in the tier you choose.")
    dialog(table).get_by_label("tier").select_option("cold")
    dialog(table).get_by_role("button", name="Move", exact=True).click()
    expect(bar(table)).to_contain_text("Moved 3 memories to cold.")
    expect(cell(table, 1, 2)).to_have_text("cold")
    bar(table).get_by_role("button", name="Undo").click()
    expect(bar(table)).to_contain_text("Moved 3 memories back.")
    expect(cell(table, 1, 2)).to_have_text("warm")

    button(table, "Forget…").dblclick()
    expect(dialog(table)).to_contain_text("Forget 3 memories?")
    dialog(table).get_by_label("reason").fill("dull")
    dialog(table).get_by_role("button", name="Forget").dblclick()
    expect(table.get_by_text("7 of 27 memories")).to_be_visible()
    expect(bar(table)).to_contain_text("Forgot 3 memories.")
    book.shot("memory_table_undo", VIEW)
    expect(button(table, "Forget…")).to_have_attribute("title", "Pick memories first.")
    bar(table).get_by_role("button", name="Undo").dblclick()
    expect(table.get_by_text("10 of 30 memories")).to_be_visible()
    expect(table.get_by_text("3 picked")).to_be_visible()

    button(table, "Recall").dblclick()
    expect(bar(table)).to_contain_text("Recalled 3 memories; a recall cannot be taken back.")
    expect(cell(table, 1, 6)).to_have_text("1")
    book.execute(
        "names = lab.query('SELECT name, count(*) FROM events WHERE seq > 35 GROUP BY ALL')\n"
        "assert dict(names.rows()) == {'v1.MemoryRetiered': 6, 'v1.MemoryForgotten': 3,"
        " 'v1.MemoryRestored': 3, 'v1.MemoryRecalled': 3}, names\n"
        "assert lab.query(table.sql).equals(table.frame)\n"
        "assert eval(table.python).frame.equals(table.frame)\n"
    )


def test_with_the_keyboard_two_memories_are_linked_and_no_key_reaches_the_notebook(
    book: Any,
) -> None:
    table, keys, cells = table_of(book), book.page.keyboard, len(book.kinds())
    table.get_by_role("grid").focus()
    for key in ("ArrowDown", "ArrowDown", "Space", "ArrowDown", "Control+Space"):
        keys.press(key)
    expect(table.get_by_text("2 picked")).to_be_visible()
    button(table, "Recall").focus()

    keys.press("ArrowRight")
    expect(button(table, "Link…")).to_be_focused()
    keys.press("Enter")
    expect(dialog(table)).to_contain_text("“Note 29 on the engine.” will refer to “Note 28 on")
    expect(dialog(table).get_by_label("relation")).to_be_focused()
    for _ in range(7):  # round and round in the dialog
        keys.press("Tab")
        expect(dialog(table).locator(":focus")).to_have_count(1)
    keys.press("b")
    keys.press("Escape")
    expect(dialog(table)).to_have_count(0)
    expect(button(table, "Link…")).to_be_focused()
    keys.press("Enter")
    dialog(table).get_by_label("strength").fill("0.25")
    keys.press("Enter")
    expect(bar(table)).to_contain_text("Linked them.")
    expect(cell(table, 0, 8)).to_have_text("3")
    assert len(book.kinds()) == cells


def test_acts_are_undone_one_by_one_and_redone_with_the_keyboard(book: Any) -> None:
    table, keys, cells = table_of(book), book.page.keyboard, len(book.kinds())
    source = book.page.locator(".jp-CodeCell .cm-content").last.inner_text()
    cell(table, 0, 0).click()
    for tier in ("warm", "hot"):
        button(table, "Move to tier…").press("Enter")
        dialog(table).get_by_label("tier").select_option(tier)
        dialog(table).get_by_role("button", name="Move", exact=True).press("Enter")
        expect(bar(table)).to_contain_text(f"Moved 1 memory to {tier}.")
    button(table, "Forget…").press("Enter")
    dialog(table).get_by_role("button", name="Forget").press("Enter")
    expect(table.get_by_text("29 memories")).to_be_visible()
    expect(bar(table).locator("[data-way=undo]")).to_have_text("Undo: Forgot 1 memory")

    bar(table).get_by_role("button", name="Undo").press("Enter")
    expect(table.get_by_text("30 memories")).to_be_visible()
    expect(bar(table).get_by_role("button", name="Undo")).to_be_focused()
    keys.press("Control+z")
    expect(cell(table, 0, 2)).to_have_text("warm")
    expect(bar(table).locator("[data-way=undo]")).to_have_text("Undo: Moved 1 memory to warm")
    expect(bar(table).locator("[data-way=redo]")).to_have_text("Redo: Moved 1 memory to hot")
    for theme in ("Light", "Dark"):
        book.theme(f"JupyterLab {theme}")
        book.shot(f"memory_table_history_{theme.lower()}", VIEW)
        assert faults(book) == []
    bar(table).get_by_role("button", name="Dismiss").click()
    expect(bar(table)).to_have_count(0)
    keys.press("Control+Shift+z")
    expect(bar(table)).to_contain_text("Moved 1 memory to hot.")
    expect(cell(table, 0, 2)).to_have_text("hot")
    table.get_by_role("grid").focus()
    keys.press("Control+y")
    expect(table.get_by_text("29 memories")).to_be_visible()
    table.get_by_role("searchbox").fill("Note")
    keys.press("Control+z")  # of the text
    expect(table.get_by_role("searchbox")).to_have_value("")
    expect(bar(table).locator("[data-way=undo]")).to_have_text("Undo: Forgot 1 memory")

    assert len(book.kinds()) == cells
    assert book.page.locator(".jp-CodeCell .cm-content").last.inner_text() == source
    book.execute(
        "names = lab.query('SELECT name FROM events WHERE seq > 35 ORDER BY seq')['name']\n"
        "verbs = [n.removeprefix('v1.Memory') for n in names]\n"
        "assert verbs == ['Retiered', 'Retiered', 'Forgotten', 'Restored', 'Retiered', 'Retiered',"
        " 'Forgotten'], verbs"
    )


def test_with_the_keyboard_a_memory_is_linked_with_one_that_is_searched_and_unlinked(
    book: Any,
) -> None:
    table, keys = table_of(book), book.page.keyboard
    book.page.set_viewport_size({"width": 1900, "height": 1000})
    cell(table, 0, 0).click()
    expect(table.get_by_role("complementary")).to_contain_text("Note 3 on the engine.")
    book.shot("memory_table_wide", VIEW)
    cell(table, 3, 0).click()
    button(table, "Link…").focus()
    keys.press("Enter")
    dialog(table).get_by_role("combobox").first.fill("NOTE 12 ")
    expect(dialog(table).get_by_role("option", name="Note 12 on the engine. (Bea)")).to_be_visible()
    expect(dialog(table).get_by_role("option", name=re.compile("^Note"))).to_have_count(1)
    keys.press("Enter")
    expect(dialog(table).get_by_role("button", name="Link", exact=True)).to_be_enabled()
    book.shot("memory_table_link", VIEW)
    dialog(table).get_by_role("button", name="Link", exact=True).press("Enter")
    expect(bar(table)).to_contain_text("Linked them.")
    aside = table.get_by_role("complementary", name="The picked memory")
    aside.get_by_role("button", name=re.compile("^Unlink")).press("Enter")
    expect(dialog(table)).to_have_attribute("role", "alertdialog")
    expect(dialog(table).get_by_role("button", name="Cancel")).to_be_focused()
    dialog(table).get_by_role("button", name="Unlink").press("Enter")
    expect(bar(table)).to_contain_text("Took the link back.")
    expect(aside.get_by_text("None.")).to_be_visible()


def test_another_process_moves_it_and_picks_stay_and_an_undo_overwrites_nothing(
    book: Any, workspace: Path
) -> None:
    table = table_of(book)
    table.get_by_role("searchbox").fill("note 7")
    expect(table.get_by_text("1 of 30 memories")).to_be_visible()
    expect(cell(table, 0, 0)).to_have_text("Note 7 on the engine.")
    cell(table, 0, 0).click()
    button(table, "Move to tier…").click()
    dialog(table).get_by_label("tier").select_option("cold")
    dialog(table).get_by_role("button", name="Move", exact=True).click()
    expect(bar(table)).to_contain_text("Moved 1 memory to cold.")
    table.get_by_role("searchbox").fill("")
    expect(table.get_by_text("30 memories", exact=True)).to_be_visible()
    grid = table.get_by_role("grid")
    grid.evaluate("g => { g.scrollTop = 24 * 12; }")
    grid.focus()

    book.evaluate(LONG_CELL)
    from_elsewhere(workspace, RECORD)
    expect(table.get_by_text("31 memories")).to_be_visible()  # while a cell runs
    assert book.evaluate("async () => window.isDone") is False
    assert grid.evaluate("g => g.scrollTop") == 24 * 12
    expect(grid).to_be_focused()
    expect(table.get_by_text("1 picked")).to_be_visible()
    expect(table.locator("[aria-selected=true]", has_text="Note 7 on")).to_have_count(1)
    from_elsewhere(workspace, RETIER)
    aside = table.get_by_role("complementary", name="The picked memory")
    expect(aside.locator("tr", has_text="tier hot, reason manual")).to_have_count(1)
    bar(table).get_by_role("button", name="Undo").click()
    expect(bar(table)).to_contain_text(
        re.compile("1 of 1 changed since: user:.* committed MemoryRetiered. Nothing was changed.")
    )
    expect(table.get_by_role("alert").first).to_be_visible()


def test_a_restart_a_saved_notebook_and_a_past_lab_say_what_cannot_be_done(book: Any) -> None:
    table, page = table_of(book), book.page
    book.execute("past = pj.views.MemoryTable(lab.at(lab.position), title='Then')")
    book.execute("assert past.frame.height == 30")
    cell(table, 0, 0).click()
    page.wait_for_function(f"{SNAPSHOTS}.includes('Note 29')")
    book.save()
    (output,) = book.saved()["cells"][1]["outputs"]
    assert set(output["data"]) == {"text/html", "text/plain"}

    book.restart_kernel()
    expect(table.locator(".pj-chip")).to_contain_text("not connected")
    expect(button(table, "Forget…")).to_have_attribute("aria-disabled", "true")
    expect(button(table, "Forget…")).to_have_attribute(
        "title", "There is no kernel behind this view."
    )
    book.run_all()
    expect(table).to_have_count(1)
    expect(cell(table, 0, 0)).to_have_text("Note 29 on the engine.")
    book.shutdown_kernel()
    book.open()

    expect(page.locator(".jp-OutputArea-output", has_text="Note 29 on the engine.")).to_be_visible()
    expect(page.get_by_text("Error displaying widget")).to_have_count(0)


def test_narrow_in_forced_colours_with_hostile_text_all_is_there_and_inert(
    notebook: Callable[..., Any], workspace: Path
) -> None:
    with pj.open(workspace, background=False) as lab:
        eve = lab.personas.create(HOSTILE)
        one = lab.memories.record(eve, HOSTILE, tags=[HOSTILE[:90]], source=HOSTILE)
        two = lab.memories.record(eve, HOSTILE * 9)
        lab.memories.link(one, two)
        lab.memories.recall(two, query=HOSTILE)
        key = eve.id
    book = notebook(
        f"import pjais_lab as pj\nlab = pj.open({str(workspace)!r}, background=False)",
        f"pj.views.MemoryTable(lab, {key!r}, title={HOSTILE!r})",
    )
    book.page.add_style_tag(content=".jp-OutputArea-output { max-width: 340px !important; }")
    book.page.emulate_media(forced_colors="active", reduced_motion="reduce")
    book.run_all()
    table = table_of(book)
    expect(cell(table, 0, 0)).to_contain_text("<img")

    cell(table, 0, 0).click()
    aside = table.get_by_role("complementary", name="The picked memory")
    expect(aside).to_contain_text("\\u202egpj.exe\\x1b[31m")
    wide, has = table.evaluate("v => [v.getBoundingClientRect().width, v.scrollWidth]")
    assert has <= wide <= 340
    book.shot("memory_table_narrow", VIEW)
    aside.get_by_role("button", name=re.compile("^Unlink")).click()
    expect(dialog(table)).to_contain_text("<script>")
    expect(dialog(table).get_by_role("button", name="Unlink")).to_be_in_viewport()
    book.shot("memory_table_narrow_dialog", VIEW)
    dialog(table).get_by_role("button", name="Unlink").click()
    expect(bar(table)).to_contain_text("Took the link back.")
    bar(table).get_by_role("button", name="Undo").press("Enter")
    expect(bar(table).get_by_role("button", name="Redo")).to_be_visible()
    wide, has = table.evaluate("v => [v.getBoundingClientRect().width, v.scrollWidth]")
    assert has <= wide <= 340
    book.shot("memory_table_narrow_history", VIEW)
    assert table.locator("img, script, iframe").count() == 0
    assert book.evaluate("async () => window.pwned ?? null") is None
    assert faults(book) == []
