from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.helpers import HOSTILE, LONG_CELL, SNAPSHOTS, faults, from_elsewhere

SEED = f"""
import datetime as dt, random, pjais_lab as pj
lab = pj.open({{path!r}}, background=False)
pick, start = random.Random(3), dt.datetime(2026, 3, 1)
names = ["Ada", "Bea", {HOSTILE!r}, *(f"Guest {{{{n}}}}" for n in range(9))]
people = [lab.personas.create(name, at=start) for name in names]
with lab.batch():
    for n in range(900):
        day = min(pick.randrange(30), pick.randrange(40))
        if 11 <= day < 14: continue
        at = start + dt.timedelta(days=day, seconds=pick.gauss(50_000, 9_000))
        who = people[min(pick.randrange(12), pick.randrange(12), pick.randrange(12))]
        lab.memories.record(who, f"Note {{{{n}}}}.", at=at)
        if n % 3 == 0: lab.personas.change_mood(who, "joy", 50, at=at + dt.timedelta(hours=1))
"""
SHOW = "timeline = pj.views.Timeline(lab)\ntimeline"
BOTH = (
    "brush = pj.Selection()\n"
    "timeline = pj.views.Timeline(lab, selection=brush)\n"
    "names = pj.views.Timeline(lab, by='name', selection=brush, title='Names')\n"
)
LABELS = """v => {
    const box = v.querySelector('.pj-tl-ticks').getBoundingClientRect();
    const all = [...v.querySelectorAll('.pj-tl-ticks span')].map((e) => e.getBoundingClientRect());
    const isFree = (b, i) => b.left >= (i ? all[i - 1].right : box.left) && b.right <= box.right + 0.5;
    return [all.length, all.every(isFree)];
}"""
PAST = (
    "past, brush = lab.at('2026-03-10 12:00'), pj.Selection()\n"
    "timeline = pj.views.Timeline(past, selection=brush)\n"
    "log = pj.views.EventLog(past, selection=brush)\n"
    "lab.memories.record(people[0], 'Into the past', at=start)\ntimeline"
)
LATER = """
import datetime as dt, sys, pjais_lab as pj
with pj.open(sys.argv[1], background=False) as lab:
    lab.memories.record(lab.personas["Bea"], "Late.", at=dt.datetime(2026, 5, 1))
"""


def timeline_of(book: Any, title: str = "Timeline") -> Locator:
    views: Locator = book.page.locator(".pj-view[data-kind=timeline]")
    return views.filter(has=book.page.get_by_role("heading", name=title, exact=True))


def lane(view: Locator, name: str) -> Locator:
    return view.get_by_role("option", name=re.compile(f"^{re.escape(name)}: "))


def drag(book: Any, view: Locator, start: float, end: float) -> None:
    """Drag over the lanes from one share of the time to another."""
    box = view.locator(".pj-tl-whole .pj-tl-strip").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    mouse = book.page.mouse
    mouse.move(box["x"] + box["width"] * start, y)
    mouse.down()
    for n in range(1, 9):
        mouse.move(box["x"] + box["width"] * (start + (end - start) * n / 8), y)
    mouse.up()


@pytest.fixture
def seed(tmp_path: Path) -> str:
    return SEED.format(path=str(tmp_path / "lab"))


def test_a_timeline_is_light_dark_narrow_and_high_in_contrast(
    notebook: Callable[..., Any], seed: str
) -> None:
    book = notebook(seed, SHOW)
    book.run_all()
    view = timeline_of(book)

    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        book.theme(theme)
        expect(lane(view, "Ada")).to_be_visible()
        assert faults(book) == []
        book.shot(f"timeline_{theme.split()[1].lower()}")
    expect(view.get_by_role("option")).to_have_count(9)
    view.get_by_role("button", name="All 12 lanes").click()
    expect(view.get_by_role("option")).to_have_count(12)
    expect(view.get_by_role("option", name=re.compile("^<img src=x"))).to_be_visible()
    assert book.page.evaluate("window.pwned") is None
    book.shot("timeline_all_lanes")
    book.theme("JupyterLab Light")
    view.get_by_role("button", name="Fewer lanes").click()
    book.page.emulate_media(forced_colors="active")
    book.page.set_viewport_size({"width": 640, "height": 1000})
    expect(view.locator(".pj-tl-solid").first).to_have_css("fill", "rgb(0, 0, 0)")
    book.shot("timeline_narrow_forced_colors")
    assert view.evaluate("el => el.scrollWidth <= el.clientWidth")
    book.page.emulate_media(forced_colors="none")
    book.page.set_viewport_size({"width": 1200, "height": 1000})
    for width in (260, 340, 407, 520, 700):
        book.page.add_style_tag(content=f".pj-view {{ width: {width}px !important; }}")
        expect(view).to_have_css("width", f"{width}px")
        for _ in range(3):
            book.page.wait_for_function(f"v => ({LABELS})(v)[1]", arg=view.element_handle())
            assert view.evaluate(LABELS)[0] > 0
            view.get_by_role("button", name="Zoom in").click()
        view.get_by_role("button", name="Whole log").click()
        if width == 340:
            book.shot("timeline_narrow")


def test_the_mouse_brushes_picks_zooms_and_the_other_views_follow(
    notebook: Callable[..., Any], seed: str
) -> None:
    book = notebook(seed, BOTH, "timeline", "names")
    book.run_all()
    view, names = timeline_of(book), timeline_of(book, "Names")
    expect(lane(names, "v1.MemoryRecorded")).to_be_visible()

    drag(book, view, 0.2, 0.4)
    expect(view.locator(".pj-tl-brush")).to_have_attribute("data-from", re.compile("^2026-03-0"))
    expect(names.locator(".pj-tl-brush")).to_be_visible()
    expect(lane(names, "v1.MemoryRecorded")).to_have_attribute(
        "aria-label", re.compile(r": \d+ of [\d,]+ events$")
    )
    expect(view.get_by_role("status").first).to_contain_text(
        re.compile(r"2026-03-0\d.* UTC: \d+ events")
    )
    lane(view, "Bea").locator(".pj-tl-name").click()
    expect(lane(view, "Bea")).to_have_attribute("aria-selected", "true")
    expect(names.get_by_text(re.compile(r"^\d+ of [\d,]+ events$"))).to_be_visible()
    book.shot("timeline_brushed")
    book.execute(
        "bea = lab.personas['Bea'].id\n"
        "low, high = brush['occurred_at'].low, brush['occurred_at'].high\n"
        "found = lab.query('SELECT count(*) FROM events WHERE persona_id = $p AND occurred_at >= $a"
        " AND occurred_at < $b', p=bea, a=low, b=high).item()\n"
        "assert timeline.selected.height == found > 0, found\n"
        "again = eval(timeline.python, {'pj': pj, 'lab': lab, 'datetime': __import__('datetime')})\n"
        "assert again.selected.equals(timeline.selected); again.close()\n"
    )

    view.get_by_role("button", name="Zoom in").click()
    expect(view.get_by_role("button", name="Whole log")).to_be_enabled()
    expect(view.get_by_text(re.compile("in the log"))).to_be_visible()
    expect(view.get_by_role("switch", name="Follow")).not_to_be_checked()
    expect(view.get_by_role("listbox")).to_have_attribute(
        "aria-label", re.compile(r"lanes, 2026-03-0\d")
    )
    book.shot("timeline_zoomed")
    view.get_by_role("button", name="Whole log").click()
    expect(view.get_by_role("button", name="Whole log")).to_be_disabled()
    view.get_by_role("button", name="Clear").click()
    expect(view.locator(".pj-tl-brush")).to_have_count(0)
    expect(lane(view, "Bea")).to_have_attribute("aria-selected", "false")


def test_the_keyboard_does_all_of_it_and_no_key_reaches_the_notebook(
    notebook: Callable[..., Any], seed: str
) -> None:
    book = notebook(seed, SHOW)
    book.run_all()
    view = timeline_of(book)
    expect(lane(view, "Ada")).to_be_visible()
    cells, press = len(book.kinds()), book.page.keyboard.press
    view.get_by_role("listbox").focus()

    for key in ("b", "m", "d", "d", "Home", "ArrowRight", "ArrowRight", "Shift+Control+ArrowRight"):
        press(key)
    expect(view.locator(".pj-tl-pending")).to_be_visible()
    said = view.get_by_role("status").first
    expect(said).to_contain_text(re.compile(r"UTC: \d+ events"))
    press("Enter")
    expect(view.locator(".pj-tl-brush:not(.pj-tl-pending)")).to_be_visible()
    press("ArrowDown")
    expect(said).to_contain_text("of Bea")
    press("Space")
    expect(lane(view, "Bea")).to_have_attribute("aria-selected", "true")
    press("+")
    expect(view.get_by_role("button", name="Whole log")).to_be_enabled()
    press("0")
    expect(view.get_by_role("button", name="Whole log")).to_be_disabled()
    press("Escape")
    expect(view.locator(".pj-tl-brush")).to_have_count(0)
    assert len(book.kinds()) == cells
    book.execute("assert [*timeline.selection] == ['persona_id']")


def test_it_moves_with_another_process_and_answers_while_a_cell_runs(
    notebook: Callable[..., Any], seed: str, tmp_path: Path
) -> None:
    book = notebook(seed, SHOW)
    book.run_all()
    view = timeline_of(book)
    expect(lane(view, "Ada")).to_be_visible()
    before = view.locator(".pj-tl").get_attribute("data-version")

    book.evaluate(LONG_CELL)
    drag(book, view, 0.5, 0.7)
    expect(view.get_by_role("button", name=re.compile("Remove the filter"))).to_be_visible()
    from_elsewhere(tmp_path / "lab", LATER)
    expect(lane(view, "Bea")).to_have_attribute("aria-label", re.compile("207 events"))

    assert book.page.evaluate("window.isDone") is False
    assert view.locator(".pj-tl").get_attribute("data-version") != before


def test_it_survives_a_restart_and_reopening_without_a_kernel(
    notebook: Callable[..., Any], seed: str
) -> None:
    book = notebook(seed, SHOW)
    book.run_all()
    view = timeline_of(book)
    expect(lane(view, "Ada")).to_be_visible()
    book.page.wait_for_function(f"{SNAPSHOTS}.includes('Events by persona')")
    book.save()

    book.restart_kernel()
    expect(view.get_by_role("status").last).to_contain_text("not connected")
    expect(lane(view, "Ada")).to_be_visible()
    book.shutdown_kernel()
    book.open()

    static = book.page.locator(".jp-OutputArea-output").filter(has_text="Events by persona")
    expect(static).to_be_visible()
    expect(static).to_contain_text("<img src=x onerror")
    assert book.page.evaluate("window.pwned") is None
    book.shot("timeline_reopened", ".jp-OutputArea-output:has-text('Events by persona')")


def test_a_past_log_is_shown_as_it_was_and_nothing_moves_it(
    notebook: Callable[..., Any], seed: str, tmp_path: Path
) -> None:
    found = notebook(
        seed,
        "past, brush = lab.at('2026-03-09'), pj.Selection()\n"
        "pj.views.EventLog(past, selection=brush)",
        "pj.views.Timeline(past, selection=brush)",
    )
    found.run_all()
    log, timeline = found.page.locator(".pj-view[data-kind=event_log]"), timeline_of(found)
    for view in (log, timeline):
        expect(view.get_by_role("status").last).to_have_text("◇ at 2026-03-09 00:00 UTC")
        expect(view.get_by_role("button", name="Pause")).to_have_count(0)
        expect(view.get_by_role("switch")).to_have_count(0)
    expect(log.get_by_role("row").last).to_contain_text("v1.")
    before = log.locator(".pj-counts").text_content()
    assert before is not None
    from_elsewhere(tmp_path / "lab", LATER)
    found.execute("lab.personas.create('Later')")

    drag(found, timeline, 0.1, 0.4)

    expect(log.locator(".pj-counts")).not_to_have_text(before)
    assert faults(found) == []
    found.shot("past_log", ".pj-view[data-kind=event_log]")
    found.shot("past_timeline", ".pj-view[data-kind=timeline]")


def test_the_log_of_a_past_lab_is_shown_up_to_its_moment_and_does_not_move(
    notebook: Callable[..., Any], seed: str, tmp_path: Path
) -> None:
    book = notebook(seed, PAST, "log")
    book.run_all()
    view, log = timeline_of(book), book.page.locator(".pj-view[data-kind=event_log]")
    expect(log.get_by_role("row").nth(3)).to_be_visible()
    expect(log.locator(".pj-counts")).to_have_text(re.compile(r"^\d+ events$"))
    before = [v.locator(".pj-counts").inner_text() for v in (view, log)]
    assert before[0] == before[1]

    from_elsewhere(tmp_path / "lab", LATER)
    drag(book, view, 0.0, 0.5)
    expect(log.locator(".pj-filter")).to_have_count(1)
    expect(log.locator(".pj-counts")).not_to_have_text(before[1])
    for shown in (view, log):
        expect(shown.get_by_role("status").last).to_have_text(
            re.compile("at 2026-03-10 12:00 UTC$")
        )
    expect(view.get_by_role("switch", name="Follow")).to_have_count(0)
    expect(log.get_by_role("button", name="Pause")).to_have_count(0)
    log.get_by_role("grid").focus()
    for key in ("p", "f", "End", "ArrowUp", "Enter"):
        book.page.keyboard.press(key)
    expect(log.get_by_role("complementary")).to_be_visible()
    expect(log.locator(".pj-log-pill")).to_have_count(0)
    expect(log.locator("[aria-busy=true]")).to_have_count(0)

    assert faults(book) == []
    book.shot("timeline_past")
    book.shot("event_log_past", ".pj-view[data-kind=event_log]")
    log.get_by_role("button", name="Clear").click()
    for shown in (view, log):
        expect(shown.locator(".pj-counts")).to_have_text(before[0])
    book.execute(
        "assert log.frame.height == int(timeline.frame['events'].sum())"
        f" == int({before[1].split()[0]!r}) < lab.position"
    )
