"""Models: one entity as traits that follow the log and cannot be written."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from traitlets import HasTraits, TraitError, Unicode, dlink, link

import pjais_lab as pj
from pjais_lab.reactive.hub import Hub

Runs = Callable[[Callable[[], Any]], int]


class Field(HasTraits):
    """What a widget is to a model."""

    value = Unicode()


def test_a_model_shows_what_a_command_changed(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    assert (ada.name, ada.exists, ada.is_active) == ("Ada", True, True)

    lab.personas.revise(ada, name="Augusta", description="a countess")
    lab.personas.retire(ada)

    assert (ada.name, ada.description, ada.is_active) == ("Augusta", "a countess", False)
    assert ada.version == lab.position


def test_only_traits_that_changed_are_told(lab: pj.Lab, hub: Hub, ada: pj.PersonaModel) -> None:
    assert ada.name == "Ada"
    told: list[tuple[str, Any, Any]] = []
    ada.observe(lambda change: told.append((change.name, change.old, change.new)))

    lab.personas.revise(ada, name="Augusta")
    lab.memories.record(ada, "nothing about her row")
    assert hub.settle(10)

    assert told == [("name", "Ada", "Augusta")]


def test_setting_a_trait_names_the_command_to_use(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    position = lab.position

    with pytest.raises(TraitError, match=r"lab\.personas\.revise") as caught:
        ada.name = "Augusta"

    assert isinstance(caught.value, TypeError)
    assert (ada.name, lab.position) == ("Ada", position)


def test_an_echo_of_the_same_value_is_no_event(lab: pj.Lab, hub: Hub, ada: pj.PersonaModel) -> None:
    field = Field()
    bound = link((ada, "name"), (field, "value"))
    position = lab.position

    ada.name = "Ada"
    assert (field.value, lab.position) == ("Ada", position)

    lab.personas.revise(ada, name="Augusta")
    assert hub.settle(10)
    assert (field.value, lab.position) == ("Augusta", position + 1)
    bound.unlink()


def test_a_widget_may_follow_a_model(lab: pj.Lab, hub: Hub, ada: pj.PersonaModel) -> None:
    field = Field()
    dlink((ada, "name"), (field, "value"))

    lab.personas.revise(ada, name="Augusta")
    assert hub.settle(10)

    assert field.value == "Augusta"


def test_an_erased_persona_keeps_its_last_traits_and_says_that_it_is_gone(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    assert ada.name == "Ada"
    gone = threading.Event()
    ada.observe(lambda change: change.new or gone.set(), "exists")

    lab.personas.erase(ada)

    assert gone.wait(10)
    assert (ada.exists, ada.name) == (False, "Ada")


def test_a_model_of_nobody_does_not_exist(lab: pj.Lab, hub: Hub) -> None:
    nobody = pj.PersonaModel(hub, "018bcfe5-6800-7000-8000-00000000000a")

    assert nobody.exists is False


def test_models_of_one_table_cost_one_query_a_round(lab: pj.Lab, runs: Runs) -> None:
    people = [lab.personas.create(f"Persona {i}") for i in range(20)]
    assert [p.name for p in people] == [f"Persona {i}" for i in range(20)]

    def rename() -> None:
        with lab.batch():
            for person in people:
                lab.personas.revise(person, description="changed")

    assert runs(rename) == 1
    assert {p.description for p in people} == {"changed"}


def test_a_commit_about_another_entity_does_not_read_a_model_again(
    lab: pj.Lab, ada: pj.PersonaModel, runs: Runs
) -> None:
    other = lab.personas.create("Bob")
    assert (ada.name, other.name) == ("Ada", "Bob")

    assert runs(lambda: lab.memories.record(ada, "not about the row")) == 0


def test_a_computed_value_follows_a_model(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    greeting = pj.computed(lambda persona: f"Hello {persona.name}", ada)
    assert greeting.value == "Hello Ada"

    lab.personas.revise(ada, name="Augusta")

    assert greeting.value == "Hello Augusta"


def test_mood_and_big_five_are_told_as_whole_values(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    assert ada.mood is not None
    told: list[str] = []
    ada.observe(lambda change: told.append(change.new.emotion), "mood")

    lab.personas.change_mood(ada, "joy", 80.0)
    assert hub.settle(10)

    assert told == ["joy"]
    assert (ada.mood.emotion, ada.mood.intensity) == ("joy", 80.0)
