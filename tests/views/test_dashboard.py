"""Dashboards: views in rows on one selection, opened, hidden, maximised and closed together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import ipywidgets
import polars as pl
import pytest

import pjais_lab as pj
from pjais_lab.errors import ViewError
from pjais_lab.views import _cells
from pjais_lab.views.dashboard import layout as _layout
from tests.views.conftest import Wire
from tests.views.counter import Counter
from tests.views.test_static import HOSTILE, inert

ROWS = pl.DataFrame({"name": ["Ada", "Bea", "Cyd"], "n": [1, 2, 3]})


class Broken(Counter):
    """Cannot be made."""

    def __init__(self, lab: pj.Lab) -> None:
        super().__init__(lab)
        raise ValueError("no luck today")


def panels_of(dashboard: pj.views.Dashboard) -> dict[str, dict[str, object]]:
    state = dashboard._channel.get("panels")
    return {panel["title"]: panel for row in state["rows"] for panel in row}


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is a kernel of its own."""
    monkeypatch.setattr(_layout, "_KNOWN", {})


@pytest.fixture
def three(lab: pj.Lab) -> list[list[object]]:
    """Two counters that are open and one that is not."""
    one, two = pj.views.panel("One", Counter), pj.views.panel("Two", Counter)
    return [[one, two], [pj.views.panel("Three", Counter, is_shown=False)]]


# ---------------------------------------------------------------- what is in it
def test_views_made_before_stand_in_their_rows_on_the_selection_they_have(wire: Wire) -> None:
    brush = pj.Selection()
    one = pj.views.Table(ROWS, selection=brush, title="One")
    other = pj.views.Table(ROWS, selection=brush, title="Other")

    board = pj.views.Dashboard([[one, other], [pj.views.Table(ROWS, title="One")]])

    assert board.selection is brush
    assert board.titles == ["One", "Other", "One 2"]
    first, _ = board._channel.get("panels")["rows"]
    assert [p["model"] for p in first] == [one.model_id, other.model_id]
    brush["who"] = pj.OneOf("name", ["Ada"])
    assert board.frame.rows() == [("Ada", 1)]
    assert "pj.Selection({'who': pj.OneOf('name', ['Ada'])})" in board.python


def test_a_lab_s_dashboard_shows_what_is_registered_and_a_view_joins_it_in_a_line(
    wire: Wire, lab: pj.Lab
) -> None:
    pj.views.panels.append([pj.views.panel("Mine", Counter, label="My own")])
    try:
        board = lab.dashboard(title="All")
    finally:
        pj.views.panels.pop()

    assert board.titles[-1] == "Mine"
    assert board["Mine"]._title == "My own"
    kinds = {"Timeline", "EventLog", "MemoryTable", "PersonaCompare", "TimeMachine", "LabStatus"}
    assert {type(board[t]).__name__ for t in board.titles} == {*kinds, "Counter"}
    assert all(board[title].error is None for title in board.titles)


def test_a_view_gets_the_shared_selection_if_it_takes_one(wire: Wire, lab: pj.Lab) -> None:
    def table(lab: pj.Lab, selection: pj.Selection) -> pj.views.Table:
        return pj.views.Table(lab.live("FROM personas"), selection=selection)

    board = lab.dashboard(views=[pj.views.panel("Personas", table), Counter])

    assert board["Personas"].selection is board.selection
    assert isinstance(board["Counter"], Counter)


def test_another_widget_can_be_a_panel(wire: Wire, lab: pj.Lab) -> None:
    slider = ipywidgets.IntSlider(3)

    board = pj.views.Dashboard([[slider]])

    assert panels_of(board)["IntSlider"]["model"] == slider.model_id
    assert "IntSlider(value=3)" in inert(board.static())
    with pytest.raises(ViewError, match="no view whose rows could be given"):
        board.sql  # noqa: B018
    board.close()
    assert slider.comm is None


@pytest.mark.parametrize(
    ("views", "said"),
    [
        ([], "was given \\[\\]; expected rows of views"),
        ("Lab", "was given 'Lab'; expected rows of views"),
        ([[]], "was given no view"),
        ([[3]], "cannot show 3; expected a view"),
        (["Tabel"], "There is no panel 'Tabel'. Did you mean 'Table'?"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_sentence(wire: Wire, views: object, said: str) -> None:
    with pytest.raises(ViewError, match=said):
        pj.views.Dashboard(views)  # type: ignore[arg-type]


def test_what_is_no_selection_or_no_title_is_said_in_a_sentence(wire: Wire, lab: pj.Lab) -> None:
    with pytest.raises(ViewError, match="3 is no selection"):
        lab.dashboard(selection=3)  # type: ignore[arg-type]
    with pytest.raises(ViewError, match="no panel 'Lba'. Did you mean 'Lab'?"):
        lab.dashboard(shown="Lba")
    with pytest.raises(TypeError, match=r"dashboard\(\) takes no keyword 'selecton'"):
        lab.dashboard(selecton=pj.Selection())  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("title", "view", "said"),
    [
        ("", Counter, "'' is no title of a panel"),
        ("Mine", 3, "The panel 'Mine' cannot show 3"),
        ("Mine", "Tabel", "pj.views has no view 'Tabel'. Did you mean 'Table'?"),
    ],
)
def test_a_panel_that_can_be_nothing_is_refused(title: str, view: object, said: str) -> None:
    with pytest.raises(ViewError, match=said):
        pj.views.panel(title, view)


# ---------------------------------------------------------------- opening and hiding
def test_a_panel_is_made_when_it_is_first_opened(
    wire: Wire, lab: pj.Lab, three: list[list[object]]
) -> None:
    board = lab.dashboard(views=three)
    wire.show(board)
    before = len(lab.live_nodes)

    wire.ask(board, "place", title="Three", is_shown=True)
    wire.answers()

    assert before == 2
    assert len(lab.live_nodes) == 3
    made = board["Three"]
    wire.until(lambda: wire.of(board, "push"))
    assert panels_of(board)["Three"] == {
        "title": "Three",
        "model": made.model_id,
        "error": None,
        "is_shown": True,
    }


def test_a_panel_that_no_page_shows_sends_nothing(
    wire: Wire, lab: pj.Lab, ada: pj.PersonaModel, three: list[list[object]]
) -> None:
    board = lab.dashboard(views=three)
    wire.show(board["One"])
    lab.memories.record(ada, "The engine hums.")

    wire.until(lambda: wire.of(board["One"], "push"))

    assert wire.of(board["Two"], "push") == []


def test_one_panel_fills_the_dashboard_and_gives_the_others_back(
    wire: Wire, lab: pj.Lab, three: list[list[object]]
) -> None:
    board = lab.dashboard(views=three)

    board.maximise(title="Three")
    assert (board.maximised, board.shown) == ("Three", ["One", "Two", "Three"])
    board.hide("Three")
    assert (board.maximised, board.shown) == (None, ["One", "Two"])
    board.maximise(title="Two")
    board.show("One")

    assert (board.maximised, board.shown) == (None, ["One", "Two"])
    with pytest.raises(ViewError, match="no panel 'Too'. Did you mean 'Two'?"):
        board.show("Too")


def test_this_kernel_remembers_what_was_open_and_the_log_does_not(
    wire: Wire, lab: pj.Lab, three: list[list[object]]
) -> None:
    before = lab.position
    board = lab.dashboard(views=three)
    board.hide("One")
    board.maximise(title="Three")

    again = lab.dashboard(views=three)
    other = lab.dashboard(views=three, title="Other")
    asked = lab.dashboard(views=three, shown=["One"])

    assert (again.shown, again.maximised) == (["Two", "Three"], "Three")
    assert other.shown == ["One", "Two"]
    assert (asked.shown, asked.maximised) == (["One"], None)
    assert lab.position == before


def test_the_python_of_a_dashboard_makes_the_same_one(wire: Wire, lab: pj.Lab) -> None:
    board = lab.dashboard(views=[["Lab"], ["LabStatus"]], shown=["Lab"])
    board.maximise(title="LabStatus")
    board.selection["when"] = pj.Interval("occurred_at", dt.datetime(2026, 11, 1))

    names = {"lab": lab, "pj": pj, "datetime": dt}
    again = eval(board.python, names)

    assert again.python == board.python
    assert again.selection.predicates == board.selection.predicates
    assert (again.titles, again.shown) == (board.titles, board.shown)
    assert lab.dashboard(title="x").python.startswith("lab.dashboard(shown=")


# ---------------------------------------------------------------- the selection
def test_the_selection_is_shown_and_can_be_taken_away(wire: Wire, lab: pj.Lab) -> None:
    board = lab.dashboard(views=[Counter])
    wire.show(board)
    board.selection["who"] = pj.OneOf("name", ["v1.PersonaCreated"])
    board.selection["n"] = pj.Interval("n", 1, 2)

    said = wire.until(lambda: _selection(wire, board, 2))
    assert said["filters"] == {
        "who": "\"name\" IN ('v1.PersonaCreated')",
        "n": '"n" >= 1 AND "n" <= 2',
    }
    wire.ask(board, "drop", name="who")
    wire.answers()
    assert list(board.selection) == ["n"]
    wire.ask(board, "clear", req=2)
    wire.answers(2)

    assert list(board.selection) == []


def _selection(wire: Wire, board: pj.views.Dashboard, count: int) -> dict[str, object] | None:
    board._channel.acknowledge(board._channel.seq)
    said = [m.parts["selection"] for m in wire.of(board, "push") if "selection" in m.parts]
    return next((s for s in said if len(s["filters"]) == count), None)


def test_frame_and_selected_are_the_events_that_the_selection_picks(
    wire: Wire, lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    lab.memories.record(ada, "The engine hums.")
    board = lab.dashboard(views=[Counter])
    assert board.frame["seq"].to_list() == [2, 1]
    assert board.selected.equals(board.frame)

    board.selection["who"] = pj.OneOf("name", ["v1.PersonaCreated"])
    board.selection["other"] = pj.Interval("importance", 3)  # no column of events

    assert board.selected["name"].to_list() == ["v1.PersonaCreated"]
    assert board.frame.equals(lab.query(board.sql))
    assert "importance" not in board.sql


# ---------------------------------------------------------------- trouble
def test_a_view_that_cannot_be_made_says_so_in_its_place(wire: Wire, lab: pj.Lab) -> None:
    board = lab.dashboard(views=[[Broken, Counter]])

    shown = panels_of(board)
    assert shown["Broken"]["error"] == "ValueError: no luck today"
    assert shown["Counter"]["error"] is None
    assert "ValueError: no luck today" in inert(board.to_html())
    with pytest.raises(ViewError, match="'Broken' could not be made: ValueError: no luck today"):
        board["Broken"]


def test_a_view_that_was_closed_is_made_again(
    wire: Wire, lab: pj.Lab, three: list[list[object]]
) -> None:
    board = lab.dashboard(views=three)
    first = board["One"]
    first.close()

    board.show("One")

    assert board["One"] is not first
    assert panels_of(board)["One"]["model"] == board["One"].model_id


def test_closing_closes_every_view_and_query_in_it(
    wire: Wire, lab: pj.Lab, three: list[list[object]]
) -> None:
    board = lab.dashboard(views=three)
    board.show("Three")
    views = [board[t] for t in board.titles]

    board.close()
    board.close()
    board.selection["n"] = pj.Interval("n", 1)

    assert [v.comm for v in views] == [None, None, None]
    assert lab.live_nodes == []


def test_running_the_cell_again_leaves_no_live_query_behind(
    wire: Wire, lab: pj.Lab, three: list[list[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    births = iter([("cell", "1"), ("cell", "2")])
    monkeypatch.setattr(_cells, "here", _here(births))
    old = lab.dashboard(views=three)
    wire.show(old)
    wire.show(old["One"])
    old.show("Three")

    new = lab.dashboard(views=three)
    wire.say(t="bye", view=old["One"].model_id)
    wire.say(t="bye", view=old.model_id)

    assert old.comm is None
    assert new.comm is not None
    assert len(lab.live_nodes) == len([t for t in new.titles if t in new.shown])


def _here(births: Iterator[tuple[str, str]]) -> Callable[[], _cells.Birth]:
    def here() -> _cells.Birth:
        return _cells._PARENT.get() or _cells.Birth(*next(births))

    return here


# ---------------------------------------------------------------- where nothing runs
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_in_every_field(wire: Wire, lab: pj.Lab, text: str) -> None:
    table = pj.views.Table(pl.DataFrame({text or "x": [text]}), title=text)
    board = pj.views.Dashboard([[table]], title=text)
    board.selection[text] = pj.OneOf(text, [text])

    inert(board.to_html())
    inert(board._repr_mimebundle_()[0]["text/html"])


def test_the_static_view_has_every_view_that_can_be_seen(
    wire: Wire, lab: pj.Lab, ada: pj.PersonaModel, three: list[list[object]]
) -> None:
    lab.memories.record(ada, "The engine hums.")
    board = lab.dashboard(views=[*three, pj.views.panel("Ada", "PersonaCard", persona="Ada")])

    words = inert(board.to_html())

    assert words.count("Counter") == 2
    assert "Memories by kind and tier" in words
    assert "not open" in words
    lab.close()
    assert "Memories by kind and tier" in inert(board.to_html())
