from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

import pjais_lab as pj
from pjais_lab.errors import ClosedError, LabError, NotFoundError, ViewError
from pjais_lab.personas.events import PersonaMoodChanged

DAY = datetime(2026, 11, 1, 12)


@pytest.fixture
def town(lab: pj.Lab) -> pj.Lab:
    """Ada, who is renamed later, and Bea, who comes later; a day of each."""
    ada = lab.personas.create("Ada", at=DAY)
    for n in range(6):
        lab.memories.record(ada, f"Note {n}", at=DAY.replace(hour=13 + n))
    later = DAY.replace(day=2)
    bea = lab.personas.create("Bea", at=later)
    lab.personas.revise(ada, name="Ada Lovelace")
    lab.memories.record(bea, "Late note", at=later.replace(hour=20))
    return lab


@pytest.fixture
def past(town: pj.Lab) -> pj.PastLab:
    return town.at("2026-11-01 15:00")


def feel(lab: pj.Lab, who: pj.PersonaModel, cause: str | None = None) -> pj.Record:
    event = PersonaMoodChanged(emotion="joy", intensity=80.0, confidence=50.0, context="")
    return lab.commit(event.on(who), cause=cause).records[0]


def test_the_log_of_a_past_lab_ends_at_its_moment_and_names_people_as_they_were(
    town: pj.Lab, past: pj.PastLab, wire: Any
) -> None:
    log = pj.views.EventLog(past)
    town.memories.record(town.personas["Bea"], "Came into the past later", at=DAY)

    rows = log.rows(start=0, count=10)

    assert past.position == log.count() == rows.height == log.frame.height == 4
    assert rows["seq"].to_list() == [1, 2, 3, 4]
    assert {*rows["persona"]} == {"Ada"}
    assert log.state()["moment"] == "at 2026-11-01 15:00 UTC"
    assert [*log.facets()["names"]] == [
        ["v1.MemoryRecorded", "v1.MemoryRecorded", 3],
        ["v1.PersonaCreated", "v1.PersonaCreated", 1],
    ]
    assert "at 2026-11-01 15:00 UTC" in log.static()
    assert log.error is None


def test_a_past_log_is_filtered_picked_and_searched_as_any_other(
    past: pj.PastLab, wire: Any
) -> None:
    brush = pj.Selection()
    log = pj.views.EventLog(past, persona="Ada", names="v1.MemoryRecorded", selection=brush)

    log.filter(by="search", values=["Note 1"])
    found = log.frame
    log.pick(events=[str(found["id"][0])])

    assert found["seq"].to_list() == [3]
    assert log.sql.startswith("SELECT * FROM events\nWHERE ")
    assert log.selected.equals(found)
    assert log.event is not None
    assert log.event["args"]["content"] == "Note 1"
    assert pj.views.Timeline(past, selection=brush).selected.height == 1


def test_causes_and_effects_end_at_the_moment(lab: pj.Lab, ada: pj.PersonaModel, wire: Any) -> None:
    root = feel(lab, ada)
    middle = feel(lab, ada, cause=root.id)
    leaf = feel(lab, ada, cause=middle.id)
    log = pj.views.EventLog(lab.at(middle.seq))

    around = log.around(event=middle.id)

    assert [e["id"] for e in around["causes"]] == [root.id]
    assert around["effects"] == []
    assert [e["seq"] for e in around["entity"]] == [1, root.seq]
    with pytest.raises(ViewError, match="The log has no event"):
        log.look(event=leaf.id)


@pytest.mark.parametrize("by", ["persona", "name", "actor"])
def test_a_timeline_of_a_past_lab_counts_what_had_happened(
    town: pj.Lab, past: pj.PastLab, wire: Any, by: Any
) -> None:
    timeline = pj.views.Timeline(past, by=by)
    town.memories.record(town.personas["Bea"], "Came into the past later", at=DAY)

    frame = timeline.frame
    state = timeline._state(1)

    assert frame["events"].sum() == 4
    assert state["shown"]["events"] == sum(lane["total"] for lane in state["shown"]["lanes"]) == 4
    assert by != "persona" or [lane["label"] for lane in state["shown"]["lanes"]] == ["Ada"]
    assert (state["moment"], state["follow"]) == ("at 2026-11-01 15:00 UTC", False)
    timeline.zoom(low=state["shown"]["first"], high=state["shown"]["first"] + 3_600_000)
    timeline.follow_end(on=True)
    timeline.zoom()
    timeline.recount()
    assert timeline._state(2)["follow"] is False
    assert "at 2026-11-01 15:00 UTC" in timeline.static()
    assert timeline.error is None


@pytest.mark.parametrize(
    ("at", "clock", "opened"),
    [
        (3, "world", "lab.at(3)"),
        ("2026-11-01 14:30:00.000250", "world", "lab.at('2026-11-01 14:30:00.000250')"),
        ("2126-01-01", "commit", "lab.at('2126-01-01 00:00:00', clock='commit')"),
    ],
)
def test_the_python_of_a_past_view_opens_the_same_past(
    town: pj.Lab, wire: Any, at: Any, clock: Any, opened: str
) -> None:
    past = town.at(at, clock=clock)
    views: list[Any] = [
        pj.views.EventLog(past, names="v1.MemoryRecorded"),
        pj.views.Timeline(past, by="name", between=(DAY, DAY.replace(hour=23))),
    ]

    for view in views:
        again = eval(view.python, {"pj": pj, "lab": town, "datetime": __import__("datetime")})

        assert opened in view.python
        assert again.frame.equals(view.frame)
        assert (again.python, again.sql) == (view.python, view.sql)


def test_before_the_first_event_there_is_nothing_and_it_is_said(town: pj.Lab, wire: Any) -> None:
    past = town.at("1999-01-01")

    log, timeline = pj.views.EventLog(past), pj.views.Timeline(past)

    assert past.position == log.count() == log.frame.height == timeline.frame.height == 0
    assert timeline._state(1)["shown"] is None
    assert log.state()["moment"] == "at 1999-01-01 00:00 UTC"
    assert (log.error, timeline.error) == (None, None)


def test_an_erased_persona_is_gone_from_a_past_log_that_is_shown(
    town: pj.Lab, past: pj.PastLab, wire: Any
) -> None:
    log = pj.views.EventLog(past)
    log.rows(start=0, count=10)
    town.personas.erase(town.personas["Ada Lovelace"])

    shown = pj.views.EventLog(past).rows(start=0, count=10)

    assert "Note" not in " ".join(shown["said"])
    assert {*shown["mark"]} <= {"erased"}


def test_a_closed_past_is_told_under_its_views(past: pj.PastLab, wire: Any) -> None:
    log, timeline = pj.views.EventLog(past), pj.views.Timeline(past)
    timeline.recount()

    past.close()
    timeline.change()
    timeline.recount()

    assert "This past lab is closed" in str(timeline.error)
    assert "This past lab is closed" in log.static()
    with pytest.raises(ClosedError, match="Ask lab.at"):
        log.rows(start=0, count=1)


@pytest.mark.parametrize(
    ("ask", "kind", "sentence"),
    [
        (lambda past: pj.views.EventLog("x"), ViewError, "An EventLog shows the log of an open lab"),
        (lambda past: pj.views.Timeline(past.query("SELECT 1")), ViewError, "or of a past one; got"),
        (lambda past: pj.views.EventLog(past, persona="Adda"), NotFoundError, "Did you mean 'Ada'"),
        (lambda past: pj.views.EventLog(past, persona="Bea"), NotFoundError, "There was no persona"),
        (lambda past: pj.views.EventLog(past, names="v1.Unheard"), ViewError, "no event 'v1.Unhea"),
        (lambda past: pj.views.Timeline(past, follow=True), ViewError, "at 2026-11-01 15:00 UTC cannot"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_of_the_past_is_one_sentence(
    past: pj.PastLab,
    wire: Any,
    ask: Callable[[pj.PastLab], object],
    kind: type[LabError],
    sentence: str,
) -> None:
    with pytest.raises(kind, match=re.escape(sentence)):
        ask(past)
