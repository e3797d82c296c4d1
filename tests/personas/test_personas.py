from __future__ import annotations

from datetime import UTC, datetime

import pytest

import pjais_lab as pj
from pjais_lab.errors import NotFoundError, RejectedError
from pjais_lab.personas.events import PersonaCreated, PersonaRevised


def test_a_persona_is_found_by_name_and_by_id(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    assert lab.personas["Ada"].id == lab.personas[ada.id].id == ada.id
    assert "Ada" in lab.personas
    assert "Bob" not in lab.personas


def test_an_id_is_found_without_anything_that_follows_it(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    live = len(lab.live_nodes)

    assert lab.personas.id_of("Ada") == lab.personas.id_of(ada.id) == ada.id
    assert len(lab.live_nodes) == live
    with pytest.raises(NotFoundError, match="Did you mean 'Ada'"):
        lab.personas.id_of("Adda")


def test_an_unknown_name_gets_a_hint(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    with pytest.raises(NotFoundError, match=f"Did you mean {ada.name!r}"):
        lab.personas["Adda"]


def test_a_persona_begins_active_and_neutral(lab: pj.Lab) -> None:
    at = datetime(2026, 3, 1, 8, tzinfo=UTC)
    ada = lab.personas.create("Ada", traits=pj.BigFive(openness=80), at=at)

    assert (ada.is_active, ada.mood.emotion, ada.mood.intensity) == (True, "neutral", 50.0)
    assert ada.big_five == pj.BigFive(openness=80.0)
    assert ada.created_at == datetime(2026, 3, 1, 8)


def test_revising_one_field_keeps_the_others(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    lab.personas.revise(ada, description="mathematician", custom_traits={"wit": 90, "luck": 10})
    lab.personas.revise(ada, custom_traits={"luck": None})

    assert (ada.name, ada.description) == ("Ada", "mathematician")
    assert ada.custom_traits == {"wit": 90.0}


def test_traits_revised_apart_both_stand(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    lab.commit(
        PersonaRevised(openness=80).on(entity=ada), PersonaRevised(neuroticism=10).on(entity=ada)
    )

    assert ada.big_five == pj.BigFive(openness=80.0, neuroticism=10.0)


def test_a_retired_persona_stays_and_can_come_back(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    lab.personas.retire(ada, "tired")
    assert ada.is_active is False

    lab.personas.activate(ada)
    assert ada.is_active is True


def test_mood_changes_are_counted_and_the_last_one_shows(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    lab.personas.change_mood(ada, "joy", 80, context="note G")
    lab.personas.change_mood(ada, "anger", 60, context="the printer")

    assert (ada.mood.emotion, ada.mood.intensity, ada.mood.context) == (
        "anger",
        60.0,
        "the printer",
    )
    assert lab.query("SELECT mood_changes FROM personas").item() == 2


def test_a_taken_name_is_refused_whatever_the_way(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    before = lab.position

    with pytest.raises(RejectedError, match="already has the name 'Ada'"):
        lab.commit(PersonaCreated(name=ada.name))

    assert lab.position == before


def test_an_erased_personas_name_is_free_again(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    lab.personas.erase(ada)

    assert lab.personas.create("Ada").id != ada.id
    assert len(lab.personas) == 1
