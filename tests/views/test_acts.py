"""Acts of a view, as its author declares them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Literal

import pytest

import pjais_lab as pj
from pjais_lab.errors import RejectedError, ViewError
from pjais_lab.personas.events import PersonaMoodChanged
from pjais_lab.views._acting import ActingView
from pjais_lab.views._acts import Done, Question, Run, act

Size = Literal["small", "large"]


class Shelf(ActingView):
    """Books that are names; acts on them commit a mood each, since any event will do."""

    kind = "lab_status"
    sql = "SELECT 1"

    def __init__(self, lab: pj.Lab, ada: pj.PersonaModel) -> None:
        super().__init__("Shelf")
        self.lab, self.ada = lab, ada
        self.reason: str | None = None
        self.gate = threading.Event()
        self.gate.set()

    def _asks(self, *, names: list[str]) -> Question:
        return Question(f"Burn {len(names)}?", ["They are gone."], "Burn")

    def _refuses(self) -> str | None:
        return self.reason

    def _python(self, *, names: list[str], size: Size, why: str, times: int) -> str:
        return f"burn({names!r}, {size!r}, {why!r}, {times!r})"

    @act("Burn…", asks=_asks, refuses=_refuses, python=_python, destroys=True)
    def burn(
        self,
        run: Run,
        *,
        names: list[str],
        size: Size,
        why: str = "cold",
        times: int = 1,
    ) -> Done:
        drafts = []
        for name in run.each(names):
            assert self.gate.wait(10)
            drafts.append(self.mood(name))
        done = self.lab.commit(*drafts, key=run.key)
        return Done(
            f"Burnt {len(names)} ({size}, {why}, {times}).",
            lambda again: self.unburn(again, done.seq_last),
        )

    def unburn(self, run: Run, seq: int) -> str:
        if self.lab.position != seq:
            raise RejectedError("Somebody was here since.")
        self.lab.commit(self.mood("neutral"), key=run.key)
        return "Unburnt."

    def mood(self, name: str) -> pj.Draft:
        return PersonaMoodChanged(emotion=name, intensity=10.0).on(self.ada)


@pytest.fixture
def shelf(lab: pj.Lab, ada: pj.PersonaModel, wire: Any) -> Shelf:
    made = Shelf(lab, ada)
    wire.show(made, seq=-1)
    return made


def begin(shelf: Shelf, token: str = "t1", **given: Any) -> bool:
    return shelf.start_act(name="burn", given={"size": "small"} | given, token=token)


def ended(wire: Any, view: ActingView) -> dict[str, Any]:
    """What the bar says once nothing runs any more."""

    def last() -> Any:
        for push in reversed(wire.of(view, "push")):
            wire.paint(view, push.content["seq"])
            if "acts" in push.parts:
                state = push.parts["acts"]
                way = {"undo": state["turn"] if state["undo"] else None}
                return state["last"] | way if state["run"] is None and state["last"] else None
        return None

    found: dict[str, Any] = wire.until(last)
    return found


def test_an_act_asks_with_a_field_for_each_argument_that_was_not_given(shelf: Shelf) -> None:
    asked = shelf.ask_act(name="burn", given={"names": ["joy"]})

    assert asked["question"] == {"title": "Burn 1?", "lines": ["They are gone."], "confirm": "Burn"}
    assert asked["destroys"] is True
    fields = {f["name"]: f for f in asked["fields"]}
    assert list(fields) == ["size", "why", "times"]
    assert (fields["size"]["kind"], fields["size"]["options"]) == ("choice", ("small", "large"))
    assert (fields["why"]["kind"], fields["why"]["default"]) == ("text", "cold")
    assert fields["times"]["kind"] == "number"


def test_an_act_is_one_commit_and_says_what_it_did(shelf: Shelf, wire: Any) -> None:
    before = shelf.lab.position

    assert begin(shelf, names=["joy", "anger"])

    assert ended(wire, shelf) | {"undo": ""} == {
        "said": "Burnt 2 (small, cold, 1).",
        "failed": False,
        "undo": "",
        "python": "burn(['joy', 'anger'], 'small', 'cold', 1)",
    }
    assert shelf.lab.position == before + 2
    assert shelf.lab.query("SELECT count(DISTINCT origin_seq - seq) FROM events").item() == 1


def test_the_same_request_twice_acts_once(shelf: Shelf, wire: Any) -> None:
    before = shelf.lab.position

    assert begin(shelf, names=["joy"])
    assert not begin(shelf, names=["joy"])

    ended(wire, shelf)
    assert not begin(shelf, names=["joy"])
    assert shelf.lab.position == before + 1


def test_a_failure_is_the_commands_sentence_and_stores_nothing(shelf: Shelf, wire: Any) -> None:
    before = shelf.lab.position

    begin(shelf, names=["joy", "not a mood"])

    found = ended(wire, shelf)
    assert found["failed"]
    assert "'not a mood'" in found["said"] or "emotion" in found["said"]
    assert "Nothing was changed." in found["said"]
    assert found["undo"] is None
    assert shelf.lab.position == before


def test_an_act_says_how_far_it_is_and_stops_when_cancelled(shelf: Shelf, wire: Any) -> None:
    before = shelf.lab.position
    shelf.gate.clear()
    begin(shelf, names=["joy", "anger"])
    assert shelf._acts_state()["run"] == {"title": "Burn", "done": 0, "of": 2, "can_cancel": True}
    with pytest.raises(ViewError, match="'Burn' is still running"):
        begin(shelf, "t2", names=["joy"])

    shelf.cancel_act()
    shelf.gate.set()

    assert ended(wire, shelf)["said"] == "Burn was cancelled. Nothing was changed."
    assert shelf.lab.position == before


def test_an_undo_is_there_once(shelf: Shelf, wire: Any) -> None:
    begin(shelf, names=["joy"])
    token = ended(wire, shelf)["undo"]

    assert shelf.undo_act(token=token)
    assert not shelf.undo_act(token=token)
    wire.until(lambda: shelf._acts_state()["last"])

    assert shelf._acts_state()["last"]["said"] == "Unburnt."
    assert shelf._acts_state()["undo"] is None
    assert not shelf.undo_act(token=token)
    assert not shelf.undo_act(token=shelf._acts_state()["turn"])


def test_an_undo_that_meets_a_change_says_so_and_changes_nothing(shelf: Shelf, wire: Any) -> None:
    begin(shelf, names=["joy"])
    token = ended(wire, shelf)["undo"]
    shelf.lab.commit(shelf.mood("anger"))
    before = shelf.lab.position

    shelf.undo_act(token=token)
    wire.until(lambda: shelf._acts_state()["last"])

    assert shelf._acts_state()["last"]["said"] == (
        "Somebody was here since. Nothing was changed."
        " “Burnt 1 (small, cold, 1)” can be undone no more."
    )
    assert shelf.lab.position == before


def test_a_dismissed_bar_leaves_the_undo_and_comes_back_with_it(shelf: Shelf, wire: Any) -> None:
    begin(shelf, names=["joy"])
    token = ended(wire, shelf)["undo"]

    shelf.dismiss_act()

    assert shelf._acts_state()["last"] is None
    assert shelf.undo_act(token=token)
    wire.until(lambda: shelf._acts_state()["last"])
    assert shelf._acts_state()["last"]["said"] == "Unburnt."


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda s: s.start_act(name="burnt", given={}, token="a"), "Did you mean 'burn'"),
        (lambda s: begin(s, names=["joy"], size="huge"), "asked for wrongly: Invalid enum value"),
        (lambda s: begin(s, name=["joy"]), "asked for wrongly"),
        (lambda s: s.act_python(name="burn", given={}), "missing required field"),
        (lambda s: s.ask_act(name="burn", given={}), "asked for without 'names'"),
        (lambda s: s.ask_act(name="burn", given={"names": "joy"}), "asked for wrongly"),
    ],
)
def test_a_wrong_request_is_answered_with_a_sentence(
    shelf: Shelf, ask: Callable[[Any], Any], sentence: str
) -> None:
    with pytest.raises(ViewError, match=sentence):
        ask(shelf)


def test_what_cannot_be_done_is_refused_by_the_kernel_with_the_buttons_reason(shelf: Shelf) -> None:
    shelf.reason = "The shelf is locked."

    assert shelf._acts_state()["acts"]["burn"]["refused"] == "The shelf is locked."
    for refused in (
        lambda: begin(shelf, names=["joy"]),
        lambda: shelf.ask_act(name="burn", given={"names": ["joy"]}),
    ):
        with pytest.raises(ViewError, match="The shelf is locked"):
            refused()


def test_an_act_is_copied_as_python(shelf: Shelf) -> None:
    given = {"names": ["joy"], "size": "large"}

    assert shelf.act_python(name="burn", given=given) == "burn(['joy'], 'large', 'cold', 1)"


def test_a_subclass_has_the_acts_of_its_base_and_may_give_them_anew(lab: pj.Lab) -> None:
    class Bonfire(Shelf):
        @act("Sing")
        def sing(self, run: Run, *, loud: bool = False) -> Done:
            return Done(f"Sang {loud}.")

    assert list(Bonfire.acts) == ["burn", "sing"]
    assert [f.kind for f in Bonfire.acts["sing"].fields] == ["flag"]
    assert list(Shelf.acts) == ["burn"]
