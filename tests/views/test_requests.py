from __future__ import annotations

import sys
import threading

import polars as pl
import pytest

import pjais_lab as pj
from pjais_lab.errors import ViewError
from pjais_lab.views import _runtime
from pjais_lab.views._requests import Answers
from tests.views.conftest import Wire
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
    assert set(Counter.operations.checks) == {"add", "note", "rows", "slow", "snapshot"}
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
