"""Acts undone one by one, the newest first, and redone."""

from __future__ import annotations

import random
from typing import Any

import pytest

import pjais_lab as pj
from pjais_lab.errors import BusyError, RejectedError, ViewError
from pjais_lab.personas.events import PersonaMoodChanged
from pjais_lab.views._acting import ActingView
from pjais_lab.views._acts import Done, Question, Run, act
from pjais_lab.views.memory_table.view import MemoryTable
from tests.views.test_memory_table import Town, bar, do, everything, undo

MOOD = "SELECT mood FROM personas"
SINCE = "SELECT seq FROM events WHERE seq > $after AND name = 'v1.PersonaMoodChanged'"


class Moods(ActingView):
    """One persona's mood, set by acts of several kinds."""

    kind = "lab_status"
    sql = "SELECT 1"

    def __init__(self, lab: pj.Lab, ada: pj.PersonaModel) -> None:
        super().__init__("Moods")
        self.lab, self.ada = lab, ada
        self.trouble: Exception | None = None
        self.unknown: str | None = None

    def _asks(self, *, emotion: str) -> Question | None:
        if emotion == self.unknown:
            msg = f"There is no {emotion} any more."
            raise ViewError(msg)
        return None

    @act("Feel", asks=_asks)
    def feel(self, run: Run, *, emotion: str) -> Done:
        (old,) = self.lab.query(MOOD)["mood"]
        done = run.commit(self.lab, self.mood(emotion))
        return Done(f"Felt {emotion}.", lambda again: self.back(again, done.seq_last, old))

    @act("Feel for good")
    def feel_for_good(self, run: Run, *, emotion: str) -> Done:
        run.commit(self.lab, self.mood(emotion))
        return Done(f"Felt {emotion} for good.")

    @act("Feel by a commit that the view does not know")
    def feel_alone(self, run: Run, *, emotion: str) -> Done:
        done = self.lab.commit(self.mood(emotion), key=run.key)
        return Done(f"Felt {emotion}.", lambda again: self.back(again, done.seq_last, "neutral"))

    def back(self, run: Run, seq: int, emotion: str) -> str:
        if self.trouble is not None:
            raise self.trouble

        def decide(store: Any) -> list[pj.Draft]:
            if any(map(run.stands, store.query(SINCE, after=seq)["seq"])):
                msg = "She felt otherwise since."
                raise RejectedError(msg)
            return [self.mood(emotion)]

        run.commit(self.lab, decide)
        return f"Felt {emotion} again."

    def mood(self, emotion: str) -> pj.Draft:
        return PersonaMoodChanged(emotion=emotion, intensity=10.0).on(self.ada)


@pytest.fixture
def moods(lab: pj.Lab, ada: pj.PersonaModel, wire: Any) -> Moods:
    return Moods(lab, ada)


def feel(moods: Moods, *emotions: str, name: str = "feel") -> str:
    for emotion in emotions:
        token = f"{emotion} {moods.lab.position}"
        assert moods.start_act(name=name, given={"emotion": emotion}, token=token)
        said = bar(moods)["said"]
    return str(said)


def back(moods: ActingView) -> str:
    assert moods.undo_act(token=moods._acts_state()["turn"])
    return str(bar(moods)["said"])


def again(moods: ActingView) -> str:
    assert moods.redo_act(token=moods._acts_state()["turn"])
    return str(bar(moods)["said"])


def offered(moods: ActingView) -> tuple[str | None, str | None]:
    """What Undo and Redo would do."""
    state = moods._acts_state()
    undo, redo = state["undo"], state["redo"]
    return undo and undo["said"], redo and redo["said"]


def mood(moods: Moods) -> str:
    return str(moods.lab.query(MOOD).item())


def test_acts_are_undone_one_by_one_and_redone_in_their_order(moods: Moods) -> None:
    feel(moods, "joy", "anger", "fear")
    keys = moods.lab.position

    assert offered(moods) == ("Felt fear", None)
    assert [back(moods) for _ in range(3)] == [
        f"Felt {m} again." for m in ("anger", "joy", "neutral")
    ]
    assert offered(moods) == (None, "Felt joy")
    assert mood(moods) == "neutral"
    assert [again(moods) for _ in range(3)] == ["Felt joy.", "Felt anger.", "Felt fear."]
    assert offered(moods) == ("Felt fear", None)
    assert moods.lab.position == keys + 6
    assert [back(moods), back(moods), mood(moods)] == [
        "Felt anger again.",
        "Felt joy again.",
        "joy",
    ]


def test_undo_and_redo_are_begun_once_and_only_while_they_are_offered(moods: Moods) -> None:
    feel(moods, "joy", "anger")
    turn = moods._acts_state()["turn"]

    assert not moods.redo_act(token=turn)
    assert moods.undo_act(token=turn)
    bar(moods)
    assert not moods.undo_act(token=turn)
    assert not moods.redo_act(token=turn)
    assert not moods.undo_act(token="")
    assert mood(moods) == "joy"


def test_a_new_act_forgets_what_could_be_redone_and_one_that_failed_does_not(moods: Moods) -> None:
    feel(moods, "joy", "anger")
    back(moods)

    assert "Nothing was changed." in feel(moods, "not a mood")
    assert offered(moods) == ("Felt joy", "Felt anger")
    feel(moods, "fear")
    assert offered(moods) == ("Felt fear", None)


def test_an_act_for_good_is_not_offered_and_older_undos_decide_for_themselves(
    moods: Moods,
) -> None:
    feel(moods, "joy", "anger")
    back(moods)
    feel(moods, "fear", name="feel_for_good")

    assert offered(moods) == ("Felt joy", None)
    assert back(moods) == (
        "She felt otherwise since. Nothing was changed. “Felt joy” can be undone no more."
    )
    assert (offered(moods), mood(moods)) == ((None, None), "fear")


def test_a_refused_undo_is_left_out_and_the_one_before_it_is_next(moods: Moods) -> None:
    feel(moods, "joy", "anger", "fear")
    back(moods)
    moods.trouble = ViewError("It is not so any more.", hint="Look again.")

    said = back(moods)

    assert said == (
        "It is not so any more. Nothing was changed. Look again."
        " “Felt anger” can be undone no more."
    )
    assert bar(moods)["failed"]
    assert offered(moods) == ("Felt joy", "Felt fear")
    moods.trouble = None
    assert back(moods).startswith("She felt otherwise since.")  # the anger stands
    assert offered(moods) == (None, "Felt fear")


def test_an_undo_that_met_a_passing_trouble_can_be_tried_again(moods: Moods) -> None:
    feel(moods, "joy")

    for trouble in (BusyError("Somebody else writes."), OSError("no space")):
        moods.trouble = trouble
        assert back(moods).endswith("Nothing was changed.")
        assert offered(moods) == ("Felt joy", None)
    moods.trouble = None
    assert back(moods) == "Felt neutral again."


def test_what_somebody_else_did_meanwhile_is_a_change_for_every_older_act(moods: Moods) -> None:
    feel(moods, "joy", "anger")
    back(moods)
    moods.lab.commit(moods.mood("fear"))

    assert back(moods).startswith("She felt otherwise since.")
    assert mood(moods) == "fear"


def test_a_commit_that_the_view_does_not_know_is_a_change_as_well(moods: Moods) -> None:
    feel(moods, "joy")
    feel(moods, "anger", name="feel_alone")

    assert back(moods) == "Felt neutral again."
    assert back(moods).startswith("She felt otherwise since.")


def test_the_last_fifty_can_be_undone(moods: Moods) -> None:
    feel(moods, *(["joy", "anger"] * 26))

    count = 0
    while offered(moods)[0]:
        back(moods)
        count += 1

    assert (count, mood(moods)) == (50, "anger")


def test_undoing_and_redoing_for_long_keeps_no_more_than_one_place(moods: Moods) -> None:
    feel(moods, "joy", "anger")
    for _ in range(20):
        back(moods)
        again(moods)
    back(moods)

    assert moods._history.undo is not None
    assert len(moods._history.undo.settled) == 1
    assert back(moods) == "Felt neutral again."


def test_what_cannot_be_done_again_says_why_and_is_refused(moods: Moods) -> None:
    feel(moods, "joy")
    back(moods)
    moods.unknown = "joy"

    state = moods._acts_state()

    assert state["redo"] == {"said": "Felt joy", "refused": "There is no joy any more."}
    with pytest.raises(ViewError, match="There is no joy any more"):
        moods.redo_act(token=state["turn"])
    moods.unknown = None
    assert again(moods) == "Felt joy."


def test_a_redo_that_is_refused_is_left_out(moods: Moods) -> None:
    feel(moods, "joy", "anger")
    back(moods)
    back(moods)
    moods.lab.close()

    assert again(moods).startswith("This lab is closed.")
    assert offered(moods) == (None, "Felt joy")  # which may pass
    doing = moods._history.redoing(moods._history.redo, lambda _: Done("x"))  # type: ignore[arg-type]
    said = doing.ended(Run("k", "Redo", str), RejectedError("No."))["said"]
    assert said == "No. Nothing was changed. “Felt joy” can be redone no more."
    assert offered(moods) == (None, "Felt anger")


@pytest.fixture
def table(lab: pj.Lab, wire: Any) -> MemoryTable:
    return MemoryTable(Town(lab).lab)


def test_acts_on_the_same_memories_are_undone_and_redone_exactly(table: MemoryTable) -> None:
    one, two, three = table.frame["entity_id"].to_list()[:3]
    acts: list[dict[str, Any]] = [
        {"name": "retier", "ids": [one, two], "tier": "cold"},
        {"name": "link", "source": one, "target": two, "relation": "similar"},
        {"name": "retier", "ids": [two, three], "tier": "warm"},
        {"name": "unlink", "source": one, "target": two, "relation": "similar"},
        {"name": "forget", "ids": [one, three]},
    ]
    states = [everything(table.lab)]
    for given in acts:
        do(table, **given)
        states.append(everything(table.lab))

    for _ in range(2):
        for state in states[-2::-1]:
            back(table)
            assert everything(table.lab) == state
        assert offered(table) == (None, "Moved 2 memories to cold")
        for state in states[1:]:
            again(table)
            assert everything(table.lab) == state
        assert offered(table) == ("Forgot 2 memories", None)


def test_a_random_user_finds_every_state_again(table: MemoryTable) -> None:
    dice = random.Random(7)
    ids = table.frame["entity_id"].to_list()
    done, undone = [everything(table.lab)], []
    for n in range(60):
        kind = dice.choice(["undo", "redo", "retier", "forget", "link"])
        if kind == "undo" and len(done) > 1:
            assert "no more" not in back(table)
            undone.append(done.pop())
        elif kind == "redo" and undone:
            again(table)
            done.append(undone.pop())
        elif kind in {"retier", "forget", "link"}:
            given = _given(dice, kind, ids)
            if table.start_act(name=kind, given=given, token=f"t{n}") and not bar(table)["failed"]:
                done.append(everything(table.lab))
                undone.clear()
        assert everything(table.lab) == done[-1]
    assert len(done) > 3


def _given(dice: random.Random, kind: str, ids: list[str]) -> dict[str, Any]:
    some = dice.sample(ids, 2)
    if kind == "link":
        return {"source": some[0], "target": some[1], "strength": dice.choice([0.25, 0.5])}
    return {"ids": some} | (
        {"tier": dice.choice(["hot", "warm", "cold"])} if kind == "retier" else {}
    )


@pytest.mark.parametrize("is_same", [True, False])
def test_after_a_refused_undo_older_acts_on_other_memories_can_still_be_undone(
    table: MemoryTable, *, is_same: bool
) -> None:
    one, two = table.frame["entity_id"].to_list()[:2]
    do(table, "retier", ids=[one], tier="cold")
    done = do(table, "forget", ids=[one if is_same else two])
    table.lab.memories.restore(one if is_same else two)

    assert undo(table, done).endswith("“Forgot 1 memory” can be undone no more.")
    said = back(table)

    assert said.startswith("1 of 1 changed since" if is_same else "Moved 1 memory back.")


def test_a_redo_says_at_once_when_its_memories_are_there_no_more(
    table: MemoryTable, wire: Any
) -> None:
    wire.show(table, seq=-1)
    (one, *_) = table.frame["entity_id"].to_list()
    undo(table, do(table, "retier", ids=[one], tier="cold"))
    wire.until(lambda: _redo(wire, table) == {"said": "Moved 1 memory to cold", "refused": None})

    table.lab.memories.forget(one)

    refused = "1 of 1 picked memories are there no more."
    wire.until(lambda: (_redo(wire, table) or {}).get("refused") == refused)


def _redo(wire: Any, view: ActingView) -> Any:
    for push in reversed(wire.of(view, "push")):
        wire.paint(view, push.content["seq"])
        if "acts" in push.parts:
            return push.parts["acts"]["redo"]
    return None
