"""A panel that nobody sees costs no query, and is up to date as soon as it is shown again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import pjais_lab as pj
from pjais_lab.reactive.live_query import LiveQuery
from pjais_lab.views.dashboard import layout as _layout
from tests.views.conftest import Wire
from tests.views.counter import Counter

KINDS = ("Timeline", "Events", "Memories", "Personas", "Time machine", "Lab", "Ada", "Table")
COMMITS = 20
_REQUESTS = itertools.count(1)


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_layout, "_KNOWN", {})


@pytest.fixture
def board(wire: Wire, lab: pj.Lab, ada: pj.PersonaModel) -> Iterator[pj.views.Dashboard]:
    """Every kind of view in a panel of its own, and all that they read: moods, memories, people."""
    lab.personas.create("Bea")

    def table(lab: pj.Lab, selection: pj.Selection) -> pj.views.Table:
        return pj.views.Table(lab.live("SELECT name, seq FROM events"), selection=selection)

    panels = [*KINDS[:6], pj.views.panel("Ada", "PersonaCard", persona=ada.id)]
    made = lab.dashboard(views=[*panels, pj.views.panel("Table", table)], shown=KINDS, title="All")
    wire.show(made)
    for title in KINDS:
        wire.show(made[title])
    yield made
    made.close()


def act(lab: pj.Lab, times: int = COMMITS) -> None:
    """Commits that concern every table the views read."""
    ada = lab.personas["Ada"]
    for n in range(times):
        with lab.batch():
            lab.memories.record(ada, f"Note {n}.")
            lab.personas.change_mood(ada, "joy", float(n))
            lab.personas.create(f"P {n}")
        settle(lab)


def settle(lab: pj.Lab) -> None:
    assert lab._parts.hub.settle(10)


def runs(view: Any) -> dict[str, int]:
    """How often each live query of a view was run."""
    held = [*vars(view).values(), *view._queries.values()]
    return {q.label: q.peek("runs") for q in held if isinstance(q, LiveQuery)}


def all_runs(lab: pj.Lab) -> dict[str, int]:
    return {q.label: q.peek("runs") for q in lab.live_nodes if isinstance(q, LiveQuery)}


def hide(wire: Wire, board: pj.views.Dashboard, title: str) -> None:
    """As a page does: it lets go of the view in the panel."""
    wire.ask(board, "place", req=next(_REQUESTS), title=title, is_shown=False)
    wire.say(t="bye", view=board[title].model_id)


@pytest.mark.parametrize("title", KINDS)
def test_what_lives_in_a_hidden_panel_is_not_run_and_is_there_when_it_is_shown_again(
    wire: Wire, lab: pj.Lab, board: pj.views.Dashboard, title: str
) -> None:
    view = board[title]
    settle(lab)
    hide(wire, board, title)
    before = runs(view)
    assert before

    act(lab)

    assert runs(view) == before
    wire.show(view, seq=-1)
    wire.until(lambda: is_shown(wire, lab, view))


def is_shown(wire: Wire, lab: pj.Lab, view: Any) -> bool:
    """Whether all that was sent, put together, is what the kernel tells of a view."""
    view._channel.acknowledge(view._channel.seq)
    told: dict[str, Any] = {}
    for message in wire.of(view, "push"):
        told |= message.parts
    try:
        return _shows(view, told, lab)
    except KeyError:  # not all of it was sent yet
        return False


def _shows(view: Any, told: dict[str, Any], lab: pj.Lab) -> bool:
    ends: dict[str, Callable[[], bool]] = {
        "timeline": lambda: _sum(told["state"]) == lab.position,
        "event_log": lambda: told["state"]["position"] == lab.position,
        "memory_table": lambda: told["state"]["count"] == COMMITS,
        "persona_compare": lambda: told["memories"].rows() == view.memories.rows() != [],
        "time_machine": lambda: told["now"] == lab.position,
        "lab_status": lambda: told["tables"].rows() == view.frame.rows() and _at(told, lab),
        "persona_card": lambda: told["memories"]["memories"].sum() == COMMITS,
        "table": lambda: told["state"]["rows"] == lab.position,
    }
    return ends[view.kind]()


def _sum(state: dict[str, Any]) -> int:
    return sum(sum(lane["every"]) for lane in state["shown"]["lanes"])


def _at(told: dict[str, Any], lab: pj.Lab) -> bool:
    return bool(told["position"] == lab.position)


def test_a_dashboard_all_of_whose_panels_are_hidden_runs_nothing_at_all(
    wire: Wire, lab: pj.Lab, board: pj.views.Dashboard
) -> None:
    for title in KINDS:
        hide(wire, board, title)
    settle(lab)
    before = all_runs(lab)

    act(lab)
    board.static()

    assert all_runs(lab) == before
    live = board["Lab"].live
    assert set(live.filter(live["runs"].is_not_null())["state"]) == {"rests"}


def test_code_that_asks_a_hidden_panel_gets_what_is_there_now(
    wire: Wire, lab: pj.Lab, board: pj.views.Dashboard
) -> None:
    hide(wire, board, "Ada")
    act(lab, 3)

    assert board["Ada"].frame["memories"].sum() == 3
    assert board["Ada"].following.is_resting


def test_a_panel_that_is_made_or_hidden_where_no_page_is_rests_until_it_is_shown(
    wire: Wire, lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    one, two = pj.views.panel("One", Counter), pj.views.panel("Two", Counter, is_shown=False)
    board = lab.dashboard(views=[one, two])
    assert board["Two"].following.is_resting
    board.hide("One")
    settle(lab)
    before = lab._parts.hub.runs

    lab.memories.record(ada, "The engine hums.")
    settle(lab)
    assert lab._parts.hub.runs == before
    board.show("One")

    wire.until(lambda: board["One"]._channel.get("n") == 1)
    assert board["Two"]._channel.get("n") == 0


def test_what_another_panel_fills_the_dashboard_over_rests(
    wire: Wire, lab: pj.Lab, board: pj.views.Dashboard
) -> None:
    board.maximise(title="Table")
    for title in KINDS[:-1]:
        wire.say(t="bye", view=board[title].model_id)
    resting = [t for t in KINDS if board[t].following.is_resting]
    assert resting == [*KINDS[:-1]]

    board.maximise(title=None)

    assert not any(board[t].following.is_resting for t in KINDS)


def test_a_live_query_that_a_view_elsewhere_shows_too_goes_on(
    wire: Wire, lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    rows = lab.live("SELECT content FROM memories")
    hidden, seen = pj.views.Table(rows, title="Hidden"), pj.views.Table(rows, title="Seen")
    board = pj.views.Dashboard([[hidden, seen]])
    wire.show(seen)
    board.hide("Hidden")

    lab.memories.record(ada, "The engine hums.")

    wire.until(lambda: wire.of(seen, "push"))
    assert not rows.is_asleep
    board.hide("Seen")
    wire.say(t="bye", view=seen.model_id)
    assert rows.is_asleep
    board.close()
    assert not rows.is_asleep
    assert not rows.is_closed


def test_a_view_whose_page_is_closed_rests_and_goes_on_with_the_next_page(
    wire: Wire, lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    view = Counter(lab)
    wire.show(view)
    wire.say(t="bye", view=view.model_id)
    before = view.query.peek("runs")
    lab.memories.record(ada, "The engine hums.")
    settle(lab)
    assert view.query.peek("runs") == before

    wire.say(t="attach", view=view.model_id, seq=-1, page="other")

    wire.until(lambda: [m for m in wire.of(view, "push") if m.parts.get("n") == 1])


def test_a_panel_shown_again_before_its_last_push_was_painted_gets_everything_at_once(
    wire: Wire, lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    view = Counter(lab)
    wire.show(view)
    lab.memories.record(ada, "The engine hums.")
    wire.until(lambda: wire.of(view, "push"))
    wire.say(t="bye", view=view.model_id)  # nothing was painted

    wire.show(view, seq=0)

    shown = wire.until(lambda: wire.of(view, "push")[1:], 0.9)[0]
    assert shown.parts["n"] == 1
