from __future__ import annotations

import weakref
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

import pjais_lab as pj
from pjais_lab.errors import NotFoundError, ViewError
from tests.views.conftest import is_let_go
from tests.views.test_static import HOSTILE, inert

DAY = datetime(2026, 11, 1, 12)
NAMES = ("Ada", "Bea", "Cleo", "Dora", "Eve", "Flo", "Gil")


@pytest.fixture
def town(lab: pj.Lab) -> pj.Lab:
    """Seven personas; the first two have moods and memories of some days."""
    people = [
        lab.personas.create(n, traits=pj.BigFive(openness=10.0 * i)) for i, n in enumerate(NAMES)
    ]
    with lab.batch():
        for who, kinds in zip(people, (("fact", "event"), ("fact",)), strict=False):
            for i, kind in enumerate(kinds * 4):
                lab.memories.record(who, f"Note {i}", kind=kind, at=DAY + timedelta(days=i))
    for who in people[:2]:
        lab.personas.change_mood(who, "joy", 70)
    return lab


def ids(lab: pj.Lab, *names: str) -> list[UUID]:
    return [UUID(lab.personas[n].id) for n in names]


def names(view: pj.views.PersonaCompare) -> list[str]:
    return list(view.frame["name"])


def test_they_stand_in_the_order_given_and_are_asked_for_by_code(town: pj.Lab, wire: Any) -> None:
    view = pj.views.PersonaCompare(town, ["Bea", town.personas["Ada"]])

    assert names(view) == ["Bea", "Ada"]
    assert town.query(view.sql).sort("name").equals(view.frame.sort("name"))
    counts = view.memories.select("persona_id", "kind", "memories").sort("persona_id", "kind")
    ada, bea = (town.personas[n].id for n in ("Ada", "Bea"))
    assert counts.rows() == [(ada, "event", 4), (ada, "fact", 4), (bea, "fact", 4)]
    assert view.moods["emotion"].to_list() == ["joy", "joy"]
    assert view.events.height == 12
    assert [p["traits"]["openness"] for p in view._state()["people"]] == [10, 0]


def test_without_names_the_first_four_are_compared(town: pj.Lab, wire: Any) -> None:
    assert names(pj.views.PersonaCompare(town)) == list(NAMES[:4])


def test_the_selection_says_who_and_when(town: pj.Lab, wire: Any) -> None:
    brush = pj.Selection()
    view = pj.views.PersonaCompare(town, ["Ada", "Bea"], selection=brush)

    brush["who"] = pj.OneOf("persona_id", [town.personas[n].id for n in NAMES])
    brush["when"] = pj.Interval("occurred_at", DAY, DAY + timedelta(days=1))

    assert names(view) == list(NAMES[:6])
    assert view._state()["more"] == 1
    assert view.memories["memories"].sum() == 4
    assert view.moods.is_empty()
    assert set(view.events["name"]) == {"v1.MemoryRecorded"}
    brush.clear()
    assert names(view) == ["Ada", "Bea"]
    assert view.memories["memories"].sum() == 12


def test_what_is_picked_here_is_for_the_others_and_changes_nothing_here(
    town: pj.Lab, wire: Any
) -> None:
    view = pj.views.PersonaCompare(town, ["Ada", "Bea"])

    view.pick(ids=ids(town, "Bea"))

    assert names(view) == ["Ada", "Bea"]
    assert list(view.selected["name"]) == ["Bea"]
    assert view.selection[view.picks] == pj.OneOf("persona_id", [town.personas["Bea"].id])
    view.pick(ids=[])
    assert view.selected.height == 2


def test_personas_are_added_replaced_and_reordered_also_after_the_selection_chose(
    town: pj.Lab, wire: Any
) -> None:
    brush = pj.Selection({"who": pj.OneOf("persona_id", [str(i) for i in ids(town, "Eve", "Flo")])})
    view = pj.views.PersonaCompare(town, selection=brush)
    assert names(view) == ["Eve", "Flo"]

    view.show(ids=ids(town, "Flo", "Gil", "Eve"))
    brush["when"] = pj.Interval("occurred_at", DAY)

    assert names(view) == ["Flo", "Gil", "Eve"]
    brush["who"] = pj.OneOf("persona_id", [str(i) for i in ids(town, "Ada", "Bea")])
    assert names(view) == ["Ada", "Bea"]


def test_names_are_found_by_any_part_and_never_all_are_sent(lab: pj.Lab, wire: Any) -> None:
    with lab.batch():
        for i in range(60):
            lab.personas.create(f"Person {i:02}")
    view = pj.views.PersonaCompare(lab)

    found = view.find(text="PERSON")
    one = view.find(text="n 07")

    assert (found["count"], len(found["found"])) == (60, 20)
    assert [p["name"] for p in one["found"]] == ["Person 07"]
    assert view.find(text="%")["count"] == 0


def test_a_retired_persona_is_shown_as_such_and_of_an_erased_one_no_name_is_left(
    town: pj.Lab, wire: Any
) -> None:
    view = pj.views.PersonaCompare(town, ["Ada", "Bea", "Cleo"])
    town.personas.retire(town.personas["Ada"])
    town.personas.erase(town.personas["Bea"])

    people = view._state()["people"]

    assert [p["is_alive"] for p in people] == [True, False, True]
    assert people[0]["is_active"] is False
    assert people[1]["name"] == "a persona that is no more"
    assert "Bea" not in view.to_html() + str(view.get_state())
    assert names(view) == ["Ada", "Cleo"]


def test_the_python_of_a_comparison_makes_the_same_one(town: pj.Lab, wire: Any) -> None:
    brush = pj.Selection({"when": pj.Interval("occurred_at", DAY)})
    view = pj.views.PersonaCompare(town, ["Bea", "Ada"], selection=brush, title="Two")

    again = eval(view.python, {"pj": pj, "lab": town, "datetime": __import__("datetime")})

    assert (again.python, again.sql) == (view.python, view.sql)
    assert again.events.equals(view.events)


@pytest.mark.parametrize(
    ("personas", "kind", "sentence"),
    [
        (["Ada"], ViewError, "1 personas were to be compared; two to six can be."),
        (NAMES, ViewError, "7 personas were to be compared"),
        (["Ada", "Ada"], ViewError, "compared with itself"),
        ("Ada", ViewError, "is one persona; two to six can be compared"),
        (["Ada", "Zoe"], NotFoundError, "Zoe"),
    ],
)
def test_a_wrong_choice_is_one_sentence(
    town: pj.Lab, wire: Any, personas: Any, kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        pj.views.PersonaCompare(town, personas)


def test_an_empty_lab_can_be_looked_at_and_moves_when_somebody_comes(
    lab: pj.Lab, wire: Any
) -> None:
    view = pj.views.PersonaCompare(lab)
    assert view.frame.is_empty()
    assert view.error is None
    assert "Personas compared" in view.static()
    wire.show(view)

    for name in NAMES:
        lab.personas.create(name)
        wire.paint(view, len(wire.of(view, "push")))

    wire.until(lambda: view.frame.height >= 2 or wire.paint(view, len(wire.of(view, "push"))))
    assert names(view)[:2] == ["Ada", "Bea"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert(lab: pj.Lab, wire: Any, text: str) -> None:
    one, two = lab.personas.create(text, description=text), lab.personas.create("Ada")
    lab.memories.record(one, text, kind="fact")
    lab.personas.change_mood(one, "joy", 60)

    words = inert(pj.views.PersonaCompare(lab, [one, two], title=text).to_html())

    assert words.count("alert(1)") >= 3 * text.count("alert(1)")


def test_nothing_keeps_a_closed_comparison_alive(town: pj.Lab, wire: Any) -> None:
    brush = pj.Selection()
    view = pj.views.PersonaCompare(town, selection=brush)
    brush["when"] = pj.Interval("occurred_at", DAY)
    view.close()
    gone = weakref.ref(view)

    del view

    assert is_let_go(gone)
    assert town.live_nodes == []


def test_the_selection_narrows_a_card_and_its_python_makes_it_again(
    town: pj.Lab, wire: Any
) -> None:
    brush = pj.Selection()
    card = pj.views.PersonaCard(town, "Ada", selection=brush)
    assert card.frame["memories"].sum() == card.selected.height == 8

    brush["when"] = pj.Interval("occurred_at", DAY, DAY + timedelta(days=2))

    assert card.frame["memories"].sum() == card.selected.height == 3
    assert card.moods.is_empty()
    assert card.events.height == 3
    again = eval(card.python, {"pj": pj, "lab": town, "datetime": __import__("datetime")})
    assert again.python == card.python
    assert again.events.equals(card.events)


def test_a_cards_title_follows_the_name_and_forgets_an_erased_one(town: pj.Lab, wire: Any) -> None:
    card, named = (pj.views.PersonaCard(town, "Ada", title=t) for t in (None, "Mine"))
    ada = town.personas["Ada"]

    town.personas.revise(ada, name="Ada Lovelace")
    wire.until(lambda: card._title == "Ada Lovelace")
    town.personas.erase(ada)
    wire.until(lambda: card._title == "A persona that is no more")

    assert "Ada" not in card.to_html() + repr(card) + str(card.get_state())
    assert named._title == "Mine"
    assert "no such persona any more" in card.static()
