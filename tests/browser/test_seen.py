"""The comparison behind the random use finds what it is there to find."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.seen import differences

SEEN: dict[str, Any] = {
    "cell": 3,
    "kind": "table",
    "panel": None,
    "panels": [],
    "counts": ["1 of 2 rows", "1 picked"],
    "errors": [],
    "chip": "● live",
    "rowcount": 3,
    "rows": [[3, {"id": "1,000", "at": "2026-11-26"}]],
    "tables": {},
}
TOLD: dict[str, Any] = {
    "error": None,
    "height": 1,
    "picked": 1,
    "rows": {"0": {"id": "1,000", "at": None}},
    "frame": [],
}
THEN: dict[str, Any] = {
    "kind": "time_machine",
    "counts": ["now", "7 events until then"],
    "tables": {"Rows of each table at the moment": [["memories", "2", ""]]},
}


def test_what_agrees_is_no_difference() -> None:
    assert differences(SEEN, TOLD) == []
    refused = SEEN | {"errors": ["ViewError: There is no row 7 any more."]}
    assert differences(refused, TOLD) == []
    then = TOLD | {"until": 7, "there": [["memories", "2"]]}
    assert differences(SEEN | THEN, then) == []
    two = [["memories", "2", "+1", "·", "~2", ""]]
    compared = SEEN | THEN | {"tables": {"Rows of each table at the moment": two}}
    assert differences(compared, then | {"differs": {"memories": [1, 0, 2]}}) == []
    panels = SEEN | {"kind": "dashboard", "panels": ["Events"]}
    assert differences(panels, TOLD | {"panels": ["Events"]}) == []


def test_a_view_in_a_panel_is_told_with_its_panel() -> None:
    found = differences(SEEN | {"panel": "Memories"}, TOLD | {"height": 2})

    assert found
    assert all(f.startswith("cell 3 (table, panel Memories) ") for f in found)


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ({}, {"height": 2}),
        ({}, {"picked": 2}),
        ({}, {"rows": {"0": {"id": "1,001", "at": None}}}),
        ({}, {"rows": {}}),
        ({}, {"error": "QueryError: no such table"}),
        ({"rows": []}, {}),
        ({"rowcount": 4}, {}),
        ({"rows": [[3, {"id": "", "at": "2026-11-26"}]]}, {}),
        ({"errors": ["TypeError: x is undefined"]}, {}),
        ({"errors": ["Error: The kernel did not answer 'rows'."]}, {}),
        ({"chip": "◐ kernel busy"}, {}),
        (
            {"kind": "event_log", "rows": [[2, {"event": "PersonaCreated"}]]},
            {"rows": {"0": {"name": "v1.X"}}},
        ),
        ({"kind": "lab_status", "tables": {"Rows of each table": [["memories", "1"]]}}, {}),
        ({"kind": "persona_card"}, {"frame": [["event", "warm", "1"]]}),
        ({"kind": "persona_compare"}, {"memories": [["fact", "1", "0"]]}),
        ({"kind": "timeline"}, {"events": 2}),
        ({"kind": "dashboard"}, {"panels": ["Events"]}),
        (THEN, {"until": 8, "there": [["memories", "2"]]}),
        (THEN, {"until": 7, "there": [["memories", "1"]]}),
        (THEN, {"until": 7, "there": [["memories", "2"]], "differs": {"memories": [1, 0, 0]}}),
        (THEN | {"rows": []}, {"until": 7, "there": [["memories", "2"]]}),
    ],
)
def test_what_differs_is_told_with_its_cell(seen: dict[str, Any], told: dict[str, Any]) -> None:
    found = differences(SEEN | seen, TOLD | told)

    assert found
    assert all(f.startswith("cell 3 (") for f in found)
