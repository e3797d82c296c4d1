from __future__ import annotations

import datetime as dt
import weakref
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

import pjais_lab as pj
from pjais_lab.errors import LabError, ViewError
from tests.views.conftest import is_let_go

START = dt.datetime(2026, 3, 1)
HOSTILE = "<img src=x onerror=alert(1)>\u202e"
DAY_MS = 86_400_000.0


def ms(at: dt.datetime) -> float:
    return at.replace(tzinfo=dt.UTC).timestamp() * 1000


@pytest.fixture
def town(lab: pj.Lab) -> pj.Lab:
    """Ada lives thirty days, Bea ten; each has a note a day."""
    people = {"Ada": 30, "Bea": 10, HOSTILE: 1}
    for name, days in people.items():
        one = lab.personas.create(name, at=START)
        with lab.batch():
            for day in range(days):
                at = START + dt.timedelta(days=day, hours=5)
                lab.memories.record(one, f"Day {day}.", at=at)
    return lab


def shown(view: pj.views.Timeline) -> dict[str, Any]:
    """What the browser has been told, once it is up to date."""
    view._settle()
    state = dict(view._channel.get("state"))
    return state | (state["shown"] or {})


def lanes(view: pj.views.Timeline) -> list[tuple[str, int, int]]:
    return [(lane["label"], lane["count"], lane["total"]) for lane in shown(view)["lanes"]]


def test_lanes_are_personas_by_name_the_busiest_first(town: pj.Lab, wire: Any) -> None:
    timeline = pj.views.Timeline(town)

    found = shown(timeline)

    assert lanes(timeline) == [("Ada", 31, 31), ("Bea", 11, 11), (HOSTILE, 2, 2)]
    assert found["events"] == town.position
    assert found["by"] == "cube"
    assert [sum(lane["every"]) for lane in found["lanes"]] == [31, 11, 2]
    assert len({len(lane["every"]) for lane in found["lanes"]}) == 1
    assert found["first"] <= ms(START) < found["first"] + found["step"]


@pytest.mark.parametrize("by", ["persona", "name", "actor"])
def test_what_is_shown_is_what_its_query_answers(town: pj.Lab, wire: Any, by: Any) -> None:
    brush = pj.Selection({"text": pj.Contains("day 1", ["args"])})
    timeline = pj.views.Timeline(town, by=by, selection=brush)

    frame = timeline.frame
    found = shown(timeline)

    assert frame["events"].sum() == sum(lane["count"] for lane in found["lanes"]) > 0
    buckets = frame.group_by("from").agg(pl.col("events").sum())
    per_bucket = {ms(at): n for at, n in buckets.iter_rows()}
    drawn = [sum(n) for n in zip(*(lane["some"] for lane in found["lanes"]), strict=True)]
    assert {found["first"] + i * found["step"]: n for i, n in enumerate(drawn) if n} == per_bucket


def test_a_brush_is_an_interval_and_its_events_a_frame(town: pj.Lab, wire: Any) -> None:
    timeline = pj.views.Timeline(town)

    timeline.brush(low=ms(START) + 2 * DAY_MS, high=ms(START) + 5 * DAY_MS)

    low, high = START + dt.timedelta(days=2), START + dt.timedelta(days=5)
    assert timeline.selection["occurred_at"] == pj.Interval("occurred_at", low, high, "left")
    assert timeline.selected.height == 6
    assert shown(timeline)["brush"] == [ms(low), ms(high)]
    assert lanes(timeline)[0] == ("Ada", 31, 31)
    timeline.brush()
    assert "occurred_at" not in timeline.selection


def test_a_picked_lane_is_a_predicate_that_filters_the_others(town: pj.Lab, wire: Any) -> None:
    timeline = pj.views.Timeline(town)
    names = pj.views.Timeline(town, by="name", selection=timeline.selection)
    bea = town.personas["Bea"].id

    timeline.pick(lanes=[bea])

    assert timeline.selection["persona_id"] == pj.OneOf("persona_id", [bea])
    assert lanes(names) == [("v1.MemoryRecorded", 10, 41), ("v1.PersonaCreated", 1, 3)]
    assert lanes(timeline)[1] == ("Bea", 11, 11)
    assert shown(timeline)["picked"] == [bea]
    names.pick(lanes=["v1.PersonaCreated"])
    assert timeline.selected["entity_id"].to_list() == [bea]
    assert lanes(timeline)[0] == ("Ada", 1, 31)
    timeline.clear()
    assert [*timeline.selection] == ["name"]


def test_predicates_of_columns_that_events_lack_filter_nothing(town: pj.Lab, wire: Any) -> None:
    brush = pj.Selection({"mood": pj.OneOf("mood", ["joy"])})

    assert lanes(pj.views.Timeline(town, selection=brush))[0] == ("Ada", 31, 31)


def test_zooming_shows_finer_buckets_and_following_moves_on(town: pj.Lab, wire: Any) -> None:
    timeline = pj.views.Timeline(town)
    whole = shown(timeline)

    timeline.zoom(low=ms(START), high=ms(START) + DAY_MS)
    part = shown(timeline)

    assert part["step"] < whole["step"]
    assert part["isZoomed"]
    assert part["follow"] is False
    assert part["first"] == ms(START)
    assert part["events"] == whole["events"]
    timeline.follow_end(on=True)
    late = START + dt.timedelta(days=40)
    town.memories.record(town.personas["Ada"], "Late.", at=late)
    found = shown(timeline)
    assert found["first"] <= ms(late) < found["first"] + found["step"] * found["buckets"]
    timeline.follow_end(on=False)
    town.memories.record(town.personas["Ada"], "Later.", at=late + dt.timedelta(days=9))
    assert shown(timeline)["first"] == found["first"]
    timeline.zoom()
    assert shown(timeline)["isZoomed"] is False


def test_what_is_zoomed_into_is_shown_coarsely_until_it_is_counted(
    town: pj.Lab, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeline = pj.views.Timeline(town)
    shown(timeline)
    put: list[Any] = []
    monkeypatch.setattr(timeline, "put", lambda name, value: put.append((name, value)))

    timeline.zoom(low=ms(START), high=ms(START) + 2 * DAY_MS)
    timeline.recount()
    timeline.zoom(low=ms(START), high=ms(START) + DAY_MS * 1.9)
    timeline.recount()

    steps = [value["shown"]["step"] for name, value in put if name == "state"]
    counts = [sum(n["count"] for n in v["shown"]["lanes"]) for name, v in put if name == "state"]
    assert len(steps) >= 3
    assert steps[0] > steps[1] == steps[-1]
    assert counts[0] >= counts[1] > 0


def test_new_events_and_an_erasure_are_shown(town: pj.Lab, wire: Any) -> None:
    timeline = pj.views.Timeline(town)
    assert len(lanes(timeline)) == 3

    eve = town.personas.create("Eve", at=START)
    assert ("Eve", 1, 1) in lanes(timeline)
    town.personas.erase(eve)

    assert "Eve" not in [label for label, _, _ in lanes(timeline)]
    assert shown(timeline)["events"] == town.query("SELECT count(*) FROM events").item()


def test_changes_reach_the_browser_by_themselves(town: pj.Lab, wire: Any) -> None:
    timeline = pj.views.Timeline(town)
    wire.show(timeline, seq=-1)

    def told() -> int | None:
        pushes = wire.of(timeline, "push")
        states = [p.parts["state"] for p in pushes if "state" in p.content["parts"]]
        if pushes:
            wire.say(t="ack", view=timeline.model_id, seq=pushes[-1].content["seq"])
        return states[-1]["shown"]["events"] if states else None

    wire.until(lambda: told() == town.position)
    town.personas.create("Zed", at=START)
    wire.until(lambda: told() == town.position)


def test_the_python_of_a_timeline_makes_the_same_timeline(town: pj.Lab, wire: Any) -> None:
    timeline = pj.views.Timeline(town, by="name", follow=False)
    timeline.brush(low=ms(START), high=ms(START) + DAY_MS)
    timeline.pick(lanes=["v1.MemoryRecorded"])
    timeline.zoom(low=ms(START), high=ms(START) + 7 * DAY_MS)

    again = eval(timeline.python, {"pj": pj, "lab": town, "datetime": dt})

    assert shown(again)["python"] == shown(timeline)["python"] == timeline.python
    assert (again.sql, again.selected.height) == (timeline.sql, timeline.selected.height)
    assert again.frame.equals(timeline.frame)


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda t, lab: t.brush(low=5.0, high=5.0), "is no stretch of time"),
        (lambda t, lab: t.zoom(low=9.0, high=5.0), "is no stretch of time"),
        (lambda t, lab: pj.views.Timeline(lab, by="mood"), "by='mood' of a timeline; expected"),
        (lambda t, lab: pj.views.Timeline(lab, between=(START, START)), "is no stretch of time"),
        (lambda t, lab: t.brush(low=-1e300, high=1e300), "no moment"),
        (lambda t, lab: t.zoom(low=float("nan"), high=1.0), "no moment"),
    ],
)
def test_a_wrong_request_is_answered_with_a_sentence(
    town: pj.Lab, wire: Any, ask: Callable[[Any, Any], Any], sentence: str
) -> None:
    timeline = pj.views.Timeline(town)

    with pytest.raises(LabError, match=sentence) as refused:
        ask(timeline, town)

    assert isinstance(refused.value, ViewError)
    assert not [*timeline.selection]


def test_a_predicate_that_does_not_fit_is_told_under_the_view(town: pj.Lab, wire: Any) -> None:
    timeline = pj.views.Timeline(town)
    timeline.selection["who"] = pj.OneOf("persona_id", ["nobody"])

    timeline.recount()
    assert "no value of the column 'persona_id'" in str(timeline.error)
    timeline.selection.clear()
    timeline.recount()

    assert timeline.error is None


def test_the_static_timeline_is_inert_and_an_empty_one_says_nothing(
    town: pj.Lab, wire: Any, tmp_path: Any
) -> None:
    static = pj.views.Timeline(town, title=HOSTILE).static()

    assert "<img" not in static
    assert "\u202e" not in static
    assert "Ada" in static
    assert len(static) < 30_000
    with pj.open(tmp_path / "other", background=False) as empty:
        timeline = pj.views.Timeline(empty)
        assert shown(timeline)["shown"] is None
        assert timeline.frame.is_empty()
        timeline.close()


def test_a_closed_timeline_is_let_go(town: pj.Lab, wire: Any) -> None:
    brush = pj.Selection()
    timeline = pj.views.Timeline(town, selection=brush)
    shown(timeline)
    timeline.close()
    timeline.close()
    gone = weakref.ref(timeline)

    del timeline

    assert is_let_go(gone)
    assert town.live_nodes == []
