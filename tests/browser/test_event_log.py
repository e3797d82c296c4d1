from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

import pjais_lab as pj
from pjais_lab.personas.events import PersonaMoodChanged
from tests.browser.helpers import HOSTILE, LONG_CELL, faults, from_elsewhere

LOG = "log = pj.views.EventLog(lab)\nlog"
BURST = """
import sys, pjais_lab as pj
with pj.open(sys.argv[1], background=False) as lab:
    ada = lab.personas["Ada"].id
    for _ in range(50):
        with lab.batch():
            for _ in range(10):
                lab.personas.change_mood(ada, "surprise", 88.0)
"""
NOTE = "The engine may act upon other things besides number."


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A sealed town of 3,670 events; after that five of Ada, with a cause and its effects."""
    path = tmp_path / "town"
    with pj.open(path, background=False) as lab:
        lab.simulate(personas=5, days=12)
        lab.seal()
        ada = lab.personas.create("Ada", description="Writes programs for an engine.")
        lab.memories.record(ada, NOTE)
        cause = lab.query("SELECT id FROM events ORDER BY seq DESC LIMIT 1").item()
        mood = PersonaMoodChanged(emotion="joy", intensity=85.0, confidence=50.0, context="")
        done = lab.commit(mood.on(ada), mood.on(ada), cause=str(cause))
        lab.commit(mood.on(ada), cause=done.records[0].id)
    return path


def log_of(found: Any) -> Locator:
    view: Locator = found.page.locator(".pj-view[data-kind=event_log]")
    return view


def row(log: Locator, seq: int) -> Locator:
    return log.locator(f"[role=row][aria-rowindex='{seq + 1}']")


def shown(book: Callable[..., Any], *cells: str) -> tuple[Any, Locator]:
    """A notebook that was run, with a log that shows its end."""
    found = book(*(cells or (LOG,)))
    found.run_all()
    log = log_of(found)
    expect(row(log, 3_675)).to_contain_text("MoodChanged")
    expect(log.get_by_text("3,675 events")).to_be_visible()
    return found, log


def sights(log: Locator) -> list[str]:
    return log.locator(".pj-grid-body [role=row]").all_text_contents()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_log_shows_its_end_and_each_event_whole(book: Callable[..., Any], theme: str) -> None:
    found, log = shown(book)
    found.theme(theme)
    name = theme.split()[1].lower()
    found.shot(f"event_log_{name}")

    log.get_by_role("row").filter(has_text=NOTE).click()

    detail = log.get_by_role("complementary", name="Event 3672")
    expect(detail.get_by_role("table", name="Content")).to_contain_text(NOTE)
    expect(detail.get_by_role("button", name="MoodChanged")).to_have_count(3)
    log.get_by_role("button", name="Filter").click()
    expect(log.get_by_role("option", name="Ada: 5")).to_be_visible()
    assert faults(found) == []
    found.shot(f"event_log_detail_{name}")
    found.page.set_viewport_size({"width": 1800, "height": 1400})
    found.shot(f"event_log_wide_{name}")


def test_the_mouse_filters_searches_picks_and_follows_causes(book: Callable[..., Any]) -> None:
    found, log = shown(book)

    log.get_by_role("button", name="Filter").click()
    log.get_by_role("option", name=re.compile("^Ada:")).click()
    expect(log.get_by_text("5 of 3,675 events")).to_be_visible()
    log.get_by_role("option", name=re.compile(r"^v1\.PersonaMoodChanged")).click(modifiers=["Alt"])
    expect(log.get_by_text("2 of 3,675 events")).to_be_visible()
    log.get_by_role("searchbox").fill("upon OTHER")
    expect(log.get_by_text("1 of 3,675 events")).to_be_visible()
    log.get_by_role("row").filter(has_text=NOTE).click()
    log.get_by_role("button", name="MoodChanged").last.click()
    expect(log.get_by_text("The filters hide this event")).to_be_visible()
    found.shot("event_log_filtered")
    found.execute(
        "assert log.event['args']['emotion'] == 'joy'\n"
        "assert log.selected['seq'].to_list() == [log.event['seq']]\n"
        "assert log.frame['name'].to_list() == ['v1.MemoryRecorded']\n"
        "again = eval(log.python)\n"
        "assert again.frame.equals(log.frame) and again.sql == log.sql\n"
        "again.close()"
    )

    log.get_by_role("button", name=re.compile("Remove the filter search")).click()
    expect(log.get_by_text("2 of 3,675 events")).to_be_visible()
    log.get_by_role("button", name="Clear").click()
    expect(log.get_by_text("3,675 events", exact=True)).to_be_visible()
    expect(log.get_by_role("complementary")).to_have_count(0)
    found.execute("lab.personas.revise(lab.personas['Ada'], name='Countess')")
    expect(row(log, 3_675)).to_contain_text("Countess")


def test_the_rows_hold_still_under_a_moving_pointer_and_go_on_when_it_rests(
    book: Callable[..., Any],
) -> None:
    found, log = shown(book)
    move = "b.dispatchEvent(new PointerEvent('pointermove', { bubbles: true }))"
    again = f"(b) => {{ window.aim = setInterval(() => {move}, 100); {move}; }}"
    log.locator(".pj-grid-body").evaluate(again)
    before = sights(log)

    found.execute("lab.personas.change_mood(lab.personas['Ada'], 'joy', 50.0)")
    expect(log.get_by_role("button", name="1 new")).to_be_visible()
    assert sights(log) == before
    found.page.evaluate("() => clearInterval(window.aim)")

    expect(row(log, 3_676)).to_be_visible()
    expect(log.get_by_role("button", name="1 new")).to_have_count(0)


def test_the_keyboard_reads_the_whole_log_and_no_key_reaches_the_notebook(
    book: Callable[..., Any],
) -> None:
    found, log = shown(book)
    cells = len(found.kinds())
    press = found.page.keyboard.press
    log.get_by_role("grid").focus()

    press("Home")
    expect(row(log, 1)).to_contain_text("PersonaCreated")
    for key in ("PageDown", "ArrowDown", "j", "k", "b", "d", "d", "m"):
        press(key)
    active = log.get_by_role("grid").get_attribute("aria-activedescendant")
    expect(found.page.locator(f"#{active}")).to_have_attribute("aria-rowindex", "18")
    press("Enter")
    expect(log.get_by_role("complementary", name="Event 17")).to_be_visible()
    press("ArrowDown")
    expect(log.get_by_role("complementary", name="Event 18")).to_be_visible()
    press("Escape")
    expect(log.get_by_role("complementary")).to_have_count(0)
    press("p")
    expect(log.get_by_role("button", name="Resume")).to_be_visible()
    press("f")
    expect(row(log, 3_675)).to_be_visible()
    press("/")
    expect(log.get_by_role("searchbox")).to_be_focused()
    assert len(found.kinds()) == cells


def test_it_follows_other_processes_while_a_cell_runs_and_holds_where_one_reads(
    book: Callable[..., Any], workspace: Path
) -> None:
    found, log = shown(book)
    found.evaluate(LONG_CELL)

    from_elsewhere(workspace)
    expect(row(log, 3_676)).to_contain_text("surprise")
    log.get_by_role("grid").evaluate("(grid) => { grid.scrollTop = 24 * 1_000; }")
    expect(row(log, 1_003)).not_to_contain_text("…")  # asked and answered
    before = sights(log)
    from_elsewhere(workspace, BURST)
    expect(log.get_by_role("button", name="500 new")).to_be_visible()
    assert sights(log) == before
    assert found.evaluate("async () => window.isDone") is False
    found.shot("event_log_waiting")

    log.get_by_role("button", name="500 new").click()
    expect(row(log, 4_176)).to_be_visible()
    expect(row(log, 4_161)).to_contain_text("surprise")
    log.get_by_role("button", name="Pause").click()
    from_elsewhere(workspace)
    expect(log.get_by_role("button", name="1 new")).to_be_visible()
    log.get_by_role("button", name="Resume").click()
    expect(row(log, 4_177)).to_be_visible()


def test_after_a_restart_it_says_so_and_reopened_it_shows_the_last_events(
    book: Callable[..., Any],
) -> None:
    found, log = shown(book)

    found.restart_kernel()
    expect(log.get_by_role("status").last).to_contain_text("not connected")
    expect(row(log, 3_675)).to_contain_text("MoodChanged")
    found.run_all()
    expect(log).to_have_count(1)
    expect(log.get_by_text("3,675 events")).to_be_visible()
    found.save()
    found.shutdown_kernel()
    found.open()

    static = found.page.locator(".jp-OutputArea-output").filter(has_text="PersonaMoodChanged")
    expect(static).to_contain_text(NOTE)
    expect(found.page.get_by_text("Error displaying widget")).to_have_count(0)
    found.shot("event_log_reopened", ".jp-OutputArea-output:has-text('MoodChanged')")


def test_a_narrow_column_high_contrast_and_hostile_text(
    book: Callable[..., Any], workspace: Path
) -> None:
    with pj.open(workspace, background=False) as lab:
        eve = lab.personas.create(HOSTILE, description=HOSTILE)
        lab.memories.record(eve, HOSTILE, tags=[HOSTILE[:30]])
    title = f"lab.personas\nlog = pj.views.EventLog(lab, title={HOSTILE!r})\nlog"
    found = book(title)
    found.run_all()
    log = log_of(found)
    found.page.add_style_tag(content=".jp-OutputArea-output { max-width: 340px !important; }")
    found.page.emulate_media(forced_colors="active", reduced_motion="reduce")

    row(log, 3_677).click()
    detail = log.get_by_role("complementary", name="Event 3677")
    expect(detail.get_by_role("table", name="Content")).to_contain_text("<img src=x")
    expect(detail).to_contain_text("\\u202egpj.exe\\x1b[31m")
    log.get_by_role("button", name="Filter").click()
    expect(log.get_by_role("option").filter(has_text="<img src=x")).to_be_visible()

    wide, has = log.evaluate("v => [v.getBoundingClientRect().width, v.scrollWidth]")
    assert (wide <= 340, has <= wide) == (True, True)
    assert log.locator("img, script, iframe").count() == 0
    assert found.evaluate("async () => window.pwned ?? null") is None
    assert faults(found) == []
    found.shot("event_log_narrow")
