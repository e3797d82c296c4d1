from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import pjais_lab as pj
from pjais_lab.errors import NotFoundError
from tests.views.conftest import Wire
from tests.views.counter import SQL, Counter

GONE = {"is_alive": False}


# ---------------------------------------------------------------- asked wrongly
def test_an_unknown_keyword_is_refused_with_the_nearest_known_one(wire: Wire, lab: pj.Lab) -> None:
    with pytest.raises(
        TypeError, match=r"LabStatus\(\) takes no keyword 'titel'. Did you mean 'title'"
    ):
        pj.views.LabStatus(lab, titel="x")
    with pytest.raises(TypeError, match="PersonaCard"):
        pj.views.PersonaCard(lab, "Ada", colour="red")


def test_a_view_of_nobody_is_refused_and_leaves_nothing_behind(wire: Wire, lab: pj.Lab) -> None:
    with pytest.raises(NotFoundError, match="Nobody"):
        pj.views.PersonaCard(lab, "Nobody")

    assert lab.live_nodes == []
    assert [m for m in wire.messages if m.kind == "comm_open"] == []


# ---------------------------------------------------------------- code and view say the same
def test_a_view_gives_its_query_and_its_frame(
    wire: Wire, lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    lab.memories.record(ada, "The engine hums.", kind="fact")
    card, status = pj.views.PersonaCard(lab, ada), pj.views.LabStatus(lab)

    assert lab.query(card.sql).equals(card.frame)
    assert card.frame.rows() == [("fact", "warm", 1)]
    assert lab.query(status.sql).equals(status.frame)
    assert dict(status.frame.rows())["memories"] == 1


def test_a_persona_that_is_erased_is_said_to_be_gone(
    wire: Wire, lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    card = pj.views.PersonaCard(lab, ada)
    wire.show(card)
    assert "There is no such persona any more." not in card.to_html()

    lab.personas.erase(ada)

    wire.until(lambda: any(m.parts.get("who") == GONE for m in wire.of(card, "push")))
    assert "There is no such persona any more." in card.to_html()


# ---------------------------------------------------------------- errors
def test_an_error_is_shown_and_goes_when_it_is_over(
    wire: Wire, lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    view = Counter(lab, refuse=1)
    wire.show(view)

    lab.memories.record(ada, "one")
    text = "ValueError: 1 is a number I refuse"
    said = wire.until(lambda: wire.of(view, "push"))[0]
    assert said.parts["$error"] == view.error == text
    lab.memories.record(ada, "two")
    wire.paint(view, 1)

    said = wire.until(lambda: wire.of(view, "push")[1:])[0]
    assert said.parts["$error"] is None
    assert said.parts["n"] == 2


def test_an_error_of_one_part_stays_when_another_part_is_well(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab, refuse=0)

    view.follow("other", lab.live("SELECT 1 AS x"))

    assert view.error == "ValueError: 0 is a number I refuse"


def test_an_error_of_what_is_made_late_is_shown_and_goes(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)
    wire.show(view)
    view.put_later("late", lambda: 1 // 0)
    wire.until(lambda: view.error)
    assert view.error == "ZeroDivisionError: integer division or modulo by zero"

    view.put_later("late", lambda: 2)
    wire.paint(view, 1)

    wire.until(lambda: view.error is None and wire.of(view, "push")[1:])


def test_a_broken_view_stops_neither_its_neighbours_nor_the_writer(
    wire: Wire, lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    broken, sound = Counter(lab, refuse=1), Counter(lab)
    wire.show(sound)

    lab.memories.record(ada, "one")

    wire.until(lambda: any(m.parts.get("n") == 1 for m in wire.of(sound, "push")))
    assert broken.error is not None
    assert sound.error is None


# ---------------------------------------------------------------- closing
def test_closing_lets_go_of_the_queries_and_of_the_page(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab, label="Mine")
    key = view.model_id

    view.close()
    view.close()

    assert wire.of(key, "comm_close") != []
    assert lab.live_nodes == []
    assert repr(view) == "Counter('Mine', closed)"
    assert set(view._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_a_page_that_closes_the_comm_closes_the_view(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)

    wire.comms[view.model_id].handle_close({"content": {"data": {}}})

    assert lab.live_nodes == []


def test_a_closed_view_is_gone_from_memory(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)
    wire.show(view)
    view.put("n", 1)
    key, gone = view.model_id, threading.Event()
    weakref.finalize(view, gone.set)
    wire.until(lambda: wire.of(key, "push"))

    view.close()
    del view

    for _ in range(100):  # the pusher may just be coming back from it
        gc.collect()
        if gone.wait(0.05):
            break
    assert gone.is_set()


def test_a_hundred_views_leave_nothing_behind(wire: Wire, lab: pj.Lab) -> None:
    Counter(lab).close()
    threads = threading.active_count()

    for _ in range(100):
        pj.views.LabStatus(lab).close()

    gc.collect()
    assert lab.live_nodes == []
    assert threading.active_count() == threads


def test_a_closed_lab_still_shows_the_view_in_its_last_state(wire: Wire, tmp_path: Path) -> None:
    with pj.open(tmp_path / "other", background=False) as lab:
        view = Counter(lab)

    assert "Counter" in view.to_html()
    assert "text/html" in view._repr_mimebundle_()[0]


# ---------------------------------------------------------------- cells
@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    quiet = Config({"HistoryManager": {"enabled": False}})
    made = InteractiveShell.instance(config=quiet)
    yield made
    made.restore_sys_module_state()
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, cell: str, run_id: str) -> None:
    """What ipykernel notes when a cell begins."""
    shell.parent_header = {"metadata": {"cellId": cell}, "header": {"msg_id": run_id}}


def test_a_view_that_no_page_shows_is_closed_when_its_cell_runs_again(
    wire: Wire, lab: pj.Lab, shell: InteractiveShell
) -> None:
    run(shell, "cell", "1")
    first, beside = Counter(lab), Counter(lab)
    run(shell, "other", "2")
    other = Counter(lab)

    run(shell, "cell", "3")
    again = Counter(lab)

    assert [v._is_shut for v in (first, beside, other, again)] == [True, True, False, False]


def test_a_view_still_on_a_page_is_closed_when_the_page_lets_go(
    wire: Wire, lab: pj.Lab, shell: InteractiveShell
) -> None:
    run(shell, "cell", "1")
    first = Counter(lab)
    wire.show(first)
    run(shell, "cell", "2")
    Counter(lab)
    assert not first._is_shut

    wire.say(t="bye", view=first.model_id)

    assert first._is_shut


def test_a_page_that_was_loaded_anew_lets_go_of_what_it_showed_before(
    wire: Wire, lab: pj.Lab, shell: InteractiveShell
) -> None:
    run(shell, "cell", "1")
    first = Counter(lab)
    wire.show(first)
    wire.say(t="hello", page="loaded anew", was="page")
    wire.say(t="attach", page="loaded anew", view=first.model_id, seq=0)
    assert first.is_shown
    run(shell, "cell", "2")
    Counter(lab)

    wire.say(t="bye", page="loaded anew", view=first.model_id)

    assert first._is_shut


def test_a_view_that_is_current_outlives_the_page(
    wire: Wire, lab: pj.Lab, shell: InteractiveShell
) -> None:
    run(shell, "cell", "1")
    view = Counter(lab)
    wire.show(view)

    wire.say(t="bye", view=view.model_id)

    assert not view._is_shut
    assert not view.is_shown


def test_the_display_is_live_and_static_at_once(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)

    data, metadata = view._repr_mimebundle_()

    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == view.model_id
    assert SQL in data["text/html"]
    assert data["text/plain"] == "Counter('Counter')"
    assert metadata == {"pjais_lab": {"model_id": view.model_id}}


def test_a_page_that_saves_the_notebook_sees_to_the_static_form(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)
    wire.say(t="hello", saves=False)
    before = view._repr_mimebundle_()[0]

    wire.say(t="hello", saves=True)

    kept = view._repr_mimebundle_()[0]
    assert "text/html" in before
    assert before.keys() - kept.keys() == {"text/html"}
    view.close()
    assert SQL in view._repr_mimebundle_()["text/html"]
