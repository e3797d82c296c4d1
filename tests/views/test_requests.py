from __future__ import annotations

import queue
import sys
import threading
import time
from typing import Any

import msgspec
import polars as pl
import pytest

import pjais_lab as pj
from pjais_lab.errors import ViewError
from pjais_lab.views import _runtime
from pjais_lab.views._repeats import OutrunError, Request
from pjais_lab.views._requests import Answers
from tests.views.conftest import Message, Wire
from tests.views.counter import Counter


def test_a_request_is_answered_with_what_the_method_gives(wire: Wire, lab: pj.Lab) -> None:
    wire.ask(Counter(lab), "add", a=2, b=3)

    assert wire.answers().parts == {"value": 5}


def test_frames_are_answered_as_frames_from_another_thread(wire: Wire, lab: pj.Lab) -> None:
    wire.ask(Counter(lab), "rows", count=3)

    answer = wire.answers()
    assert answer.content["many"]
    assert answer.parts["rows"].equals(pl.DataFrame({"i": [0, 1, 2]}))
    assert answer.parts["thread"] != threading.get_ident()


@pytest.mark.parametrize(
    ("op", "args", "sentence"),
    [
        ("ad", {}, "ViewError: Counter answers no request 'ad'. Did you mean 'add'?"),
        ("close", {}, "ViewError: Counter answers no request 'close'."),
        ("__class__", {}, "ViewError: Counter answers no request '__class__'."),
        ("add", {"a": "x"}, "The request 'add' was asked wrongly: Expected `int`, got `str`"),
        ("add", {}, "The request 'add' was asked wrongly: Object missing required field `a`"),
        ("add", {"a": 1, "c": 2}, "Object contains unknown field `c`"),
    ],
)
def test_a_wrong_request_is_answered_with_one_sentence(
    wire: Wire, lab: pj.Lab, op: str, args: dict[str, object], sentence: str
) -> None:
    wire.ask(Counter(lab), op, **args)

    assert sentence in wire.answers().content["error"]


def test_an_error_in_a_method_is_answered_in_its_own_words(wire: Wire, lab: pj.Lab) -> None:
    wire.ask(Counter(lab), "rows", count="many")
    wire.ask(Counter(lab), "rows", req=2, channel="other", count=-(10**30))

    assert "Expected `int`" in wire.answers(1).content["error"]
    assert "Error" in wire.answers(2).content["error"]


def test_what_a_newer_moment_stopped_is_no_failure(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)
    view.refusal = OutrunError("A newer one took its place.")

    wire.ask(view, "refuse_it")

    assert wire.answers().content["superseded"]
    assert "error" not in wire.answers().content


def test_of_the_requests_on_one_channel_only_the_newest_is_answered(
    wire: Wire, lab: pj.Lab
) -> None:
    view = Counter(lab)

    wire.ask(view, "slow", req=1, channel="c", word="first")
    wire.ask(view, "slow", req=2, channel="c", word="second")
    wire.ask(view, "slow", req=3, channel="other", word="third")
    second, third = wire.answers(2), wire.answers(3)
    view.gate.set()

    assert wire.answers(1).content["superseded"]
    assert second.parts == {"value": "second"}
    assert third.parts == {"value": "third"}


def test_what_changes_something_happens_in_the_order_it_was_asked_and_none_is_left_out(
    wire: Wire, lab: pj.Lab
) -> None:
    view = Counter(lab)

    for req, word in enumerate(["first", "second", "third"], 1):
        wire.ask(view, "note", req=req, channel="c", word=word)
    wire.ask(view, "add", req=4, a=1)
    assert wire.answers(4).parts == {"value": 2}
    assert view.noted == []
    view.gate.set()

    wire.answers(3)
    assert view.noted == ["first", "second", "third"]


def test_a_question_whose_answer_was_lost_is_answered_again(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)
    wire.ask(view, "add", a=1)
    wire.answers()

    wire.ask(view, "add", a=1, again=True)

    wire.until(lambda: len(_answers(wire, 1)) == 2)
    assert [m.parts for m in _answers(wire, 1)] == [{"value": 2}] * 2


def test_a_question_that_is_being_worked_on_is_not_begun_again(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)
    wire.ask(view, "slow", word="first")
    wire.ask(view, "slow", word="first", again=True)
    wire.until(lambda: _answers(wire, 1))
    view.gate.set()
    wire.until(lambda: len(_answers(wire, 1)) == 2)
    wire.ask(view, "add", req=2, a=1)
    wire.answers(2)

    working, done = (m.content for m in _answers(wire, 1))
    assert working["working"]
    assert done["parts"]


def test_a_question_whose_thread_was_thrown_out_of_it_is_begun_again() -> None:
    answers, told = Answers(), queue.Queue[dict[str, Any]]()
    question = Request(("page", "view", 1), "rows", ("view", "rows"))

    def thrown_out() -> None:
        raise SystemExit

    answers.ask(question, thrown_out, lambda said, _: told.put(said))
    again = msgspec.structs.replace(question, is_again=True)
    said: dict[str, Any] = {"working": True}
    until = time.monotonic() + 10
    while "working" in said and time.monotonic() < until:
        answers.ask(again, lambda: 7, lambda said, _: told.put(said))
        said = told.get(timeout=10)
    answers.close()

    assert said["parts"] == {"value": {"json": 7}}


def test_what_changed_something_is_never_done_twice(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)
    wire.ask(view, "note", word="second")
    wire.answers()

    wire.ask(view, "note", word="second", again=True)

    wire.until(lambda: len(_answers(wire, 1)) == 2)
    assert [m.parts for m in _answers(wire, 1)] == [{"value": None}] * 2
    assert view.noted == ["second"]


def test_what_failed_to_change_something_says_so_again(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)
    wire.ask(view, "note", word=1)
    wire.answers()

    wire.ask(view, "note", word=1, again=True)

    wire.until(lambda: len(_answers(wire, 1)) == 2)
    first, second = (m.content["error"] for m in _answers(wire, 1))
    assert first == second


def test_what_should_change_something_and_never_came_is_left_to_the_user(
    wire: Wire, lab: pj.Lab
) -> None:
    """It may have been done by hand since, or something else that must come after it."""
    view = Counter(lab)
    wire.ask(view, "note", word="lost", again=True)
    wire.ask(view, "note", word="lost")  # it was only late
    wire.ask(view, "note", req=2, word="next")
    wire.answers(2)

    error = "ViewError: 'note' did not reach the kernel, nothing changed. Do it again."
    assert [m.content.get("error") for m in _answers(wire, 1)] == [error]
    assert view.noted == ["next"]


def test_a_lost_question_takes_no_newer_ones_place(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)
    wire.ask(view, "slow", req=2, channel="c", word="first")
    wire.ask(view, "slow", req=1, channel="c", word="lost", again=True, outrun=True)
    assert wire.answers(1).content["superseded"]
    wire.ask(view, "slow", req=1, channel="c", word="lost")  # it was only late
    view.gate.set()

    assert wire.answers(2).parts == {"value": "first"}
    assert len(_answers(wire, 1)) == 1


def test_views_that_count_by_themselves_are_told_apart(wire: Wire, lab: pj.Lab) -> None:
    """As in marimo, where each view of a page speaks on its own comm."""
    one, other, third = Counter(lab), Counter(lab), Counter(lab)
    wire.ask(one, "slow", word="first", again=True)
    wire.ask(other, "note", word="kept")
    wire.until(lambda: _answers(wire, 1))
    wire.ask(third, "note", word="lost", again=True)
    wire.until(lambda: len(_answers(wire, 1)) == 2)
    one.gate.set()
    wire.until(lambda: len(_answers(wire, 1)) == 3)

    assert other.noted == ["kept"]
    noted, lost, slow = (m.content for m in _answers(wire, 1))
    assert noted["parts"] == {"value": {"json": None}}
    assert "did not reach the kernel" in lost["error"]
    assert slow["parts"] == {"value": {"json": "first"}}


def _answers(wire: Wire, req: int) -> list[Message]:
    said = wire.of(_runtime.runtime(), "answer")
    return [m for m in said if m.content["req"] == req]


def test_a_closed_view_is_gone(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)
    key = view.model_id
    view.close()

    wire.ask(key, "add", a=1)

    said = wire.until(lambda: wire.of(_runtime.runtime(), "gone"))[0]
    assert said.content["view"] == key
    assert said.content["req"] == 1


def test_hello_says_whether_it_was_heard_on_the_main_thread(wire: Wire, lab: pj.Lab) -> None:
    Counter(lab)
    wire.say(t="hello")
    beside = threading.Thread(target=lambda: wire.say(t="hello"))
    beside.start()
    beside.join()

    hellos = wire.of(_runtime.runtime(), "hello")
    assert [m.content["main"] for m in hellos] == [True, False]


@pytest.mark.parametrize(
    "said", [{}, {"t": "ack"}, {"t": "ack", "seq": "x"}, {"t": "attach"}, {"t": 7}]
)
def test_a_message_that_makes_no_sense_is_let_pass(
    wire: Wire, lab: pj.Lab, said: dict[str, object]
) -> None:
    view = Counter(lab)
    wire.say(**said)
    wire.say(**said, view=view.model_id)

    wire.ask(view, "add", a=1)

    assert wire.answers().parts == {"value": 2}


def test_parameters_need_annotations_to_be_checked_against() -> None:
    assert set(Counter.operations.checks) == {
        "add",
        "note",
        "refuse_it",
        "rows",
        "slow",
        "snapshot",
    }
    with pytest.raises(ViewError, match="answers no request"):
        Counter.operations.call(object(), "sections", {})


@pytest.mark.parametrize(("before", "after"), [(0.005, 0.0002), (0.0001, 0.0001)])
def test_a_cell_that_computes_gives_way_to_requests(before: float, after: float) -> None:
    own = sys.getswitchinterval()
    sys.setswitchinterval(before)
    try:
        Answers().close()

        assert sys.getswitchinterval() == pytest.approx(after, abs=2e-6)  # kept in microseconds
    finally:
        sys.setswitchinterval(own)
