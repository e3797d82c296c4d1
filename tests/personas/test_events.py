from __future__ import annotations

import msgspec
import pytest

from pjais_lab.core.codec import decode, encode
from pjais_lab.core.event import Event
from pjais_lab.errors import NotFoundError, RejectedError
from pjais_lab.personas.commands import create_persona, revise_persona
from pjais_lab.personas.events import PersonaCreated, PersonaMoodChanged, PersonaRevised
from pjais_lab.personas.state import EMOTIONS, TEMPLATES, BigFive, MemoryConfiguration

ADA = "018bcfe5-6800-7000-8000-00000000000a"


def test_a_persona_has_the_originals_defaults() -> None:
    made = PersonaCreated(name="Ada")

    assert {getattr(made, t) for t in msgspec.structs.asdict(BigFive())} == {50.0}
    config = made.memory_configuration
    assert (config.max_memories, config.importance_threshold, config.retention_days) == (
        1000,
        50.0,
        90,
    )
    assert made.privacy_settings.data_collection
    assert not made.privacy_settings.analytics


def test_there_are_seven_emotions() -> None:
    assert EMOTIONS == ("joy", "sadness", "anger", "fear", "surprise", "disgust", "neutral")


@pytest.mark.parametrize(
    "wrong",
    [
        PersonaCreated(name=""),
        PersonaCreated(name="   "),
        PersonaCreated(name="Ada", openness=100.5),
        PersonaCreated(name="Ada", neuroticism=-1),
        PersonaCreated(name="Ada", openness=float("nan")),
        PersonaCreated(name="Ada", custom_traits={"wit": 101}),
        PersonaCreated(name="Ada", memory_configuration=MemoryConfiguration(max_memories=99)),
        PersonaCreated(name="Ada", memory_configuration=MemoryConfiguration(retention_days=366)),
        PersonaMoodChanged(emotion="bored"),  # type: ignore[arg-type]
        PersonaMoodChanged(intensity=101),
    ],
    ids=repr,
)
def test_values_out_of_range_are_refused_in_one_sentence(wrong: Event) -> None:
    with pytest.raises(RejectedError) as caught:
        encode(wrong)

    assert "\n" not in str(caught.value)


def test_a_revision_stores_only_what_was_set() -> None:
    assert encode(PersonaRevised(openness=80.0)) == '{"openness":80.0}'


def test_a_null_removes_a_custom_trait_and_survives_the_codec() -> None:
    text = encode(PersonaRevised(custom_traits={"wit": None}))

    assert decode(PersonaRevised, text).custom_traits == {"wit": None}


def test_revising_traits_sets_all_five() -> None:
    event = revise_persona(ADA, traits=BigFive(openness=80)).event

    assert encode(event).startswith('{"openness":80,"conscientiousness":50.0')


def test_a_template_gives_its_profile_unless_traits_are_given() -> None:
    plain: PersonaCreated = create_persona("Ada", template="analytical-thinker").event  # type: ignore[assignment]
    own: PersonaCreated = create_persona(  # type: ignore[assignment]
        "Ada", template="analytical-thinker", traits=BigFive(openness=1)
    ).event

    assert plain.conscientiousness == TEMPLATES["analytical-thinker"].traits.conscientiousness == 85
    assert (own.openness, own.template) == (1, "analytical-thinker")


def test_an_unknown_template_names_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="Did you mean 'supportive-mentor'"):
        create_persona("Ada", template="suportive-mentor")
