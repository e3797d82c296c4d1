"""What can happen to a persona."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from pjais_lab.core.event import Event, event
from pjais_lab.core.fields import Label, Percent, Slug
from pjais_lab.personas.mood import Trigger
from pjais_lab.personas.state import Emotion, MemoryConfiguration, PrivacySettings

__all__ = [
    "PersonaActivated",
    "PersonaCreated",
    "PersonaErased",
    "PersonaMoodChanged",
    "PersonaRetired",
    "PersonaRevised",
]


@event("v1.PersonaCreated", entity="persona", effect="create")
class PersonaCreated(Event):
    """A persona came into being, active and in a neutral mood.

    Attributes:
        name: unique among living personas.
        description: who it is, in prose.
        openness: Big Five, as are the next four.
        conscientiousness: orderly rather than careless.
        extraversion: outgoing rather than reserved.
        agreeableness: friendly rather than critical.
        neuroticism: easily upset rather than calm.
        custom_traits: traits of one's own, 0 to 100.
        template: the template it started from.
        memory_configuration: how its memory is kept.
        privacy_settings: what may be done with its data.
        behaviour: free settings.
        extra: fields of a foreign format that have no place here.
    """

    name: Label
    description: str = ""
    openness: Percent = 50.0
    conscientiousness: Percent = 50.0
    extraversion: Percent = 50.0
    agreeableness: Percent = 50.0
    neuroticism: Percent = 50.0
    custom_traits: dict[str, Percent] = {}
    template: Slug | None = None
    memory_configuration: MemoryConfiguration = MemoryConfiguration()
    privacy_settings: PrivacySettings = PrivacySettings()
    behaviour: dict[str, Any] = {}
    extra: dict[str, Any] = {}


@event("v1.PersonaRevised", entity="persona")
class PersonaRevised(Event):
    """Some of a persona's fields were set anew; the others keep their values.

    Attributes:
        name: unique among living personas.
        description: who it is, in prose.
        openness: Big Five, as are the next four.
        conscientiousness: orderly rather than careless.
        extraversion: outgoing rather than reserved.
        agreeableness: friendly rather than critical.
        neuroticism: easily upset rather than calm.
        custom_traits: traits to set; null removes one.
        memory_configuration: how its memory is kept, as a whole.
        privacy_settings: what may be done with its data, as a whole.
        behaviour: free settings, as a whole.
        extra: foreign fields, as a whole.
    """

    name: Label | UnsetType = UNSET
    description: str | UnsetType = UNSET
    openness: Percent | UnsetType = UNSET
    conscientiousness: Percent | UnsetType = UNSET
    extraversion: Percent | UnsetType = UNSET
    agreeableness: Percent | UnsetType = UNSET
    neuroticism: Percent | UnsetType = UNSET
    custom_traits: dict[str, Percent | None] | UnsetType = UNSET
    memory_configuration: MemoryConfiguration | UnsetType = UNSET
    privacy_settings: PrivacySettings | UnsetType = UNSET
    behaviour: dict[str, Any] | UnsetType = UNSET
    extra: dict[str, Any] | UnsetType = UNSET


@event("v1.PersonaActivated", entity="persona")
class PersonaActivated(Event):
    """A retired persona was brought back."""


@event("v1.PersonaRetired", entity="persona")
class PersonaRetired(Event):
    """A persona was set aside; its data stays.

    Attributes:
        reason: why.
    """

    reason: str = ""


@event("v1.PersonaMoodChanged", entity="persona")
class PersonaMoodChanged(Event):
    """A persona feels otherwise than before.

    Attributes:
        emotion: the primary emotion.
        intensity: how strong, 0 to 100.
        confidence: how sure the observer is, 0 to 100.
        context: what it is about.
        trigger: what sort of thing moved it.
    """

    emotion: Emotion = "neutral"
    intensity: Percent = 50.0
    confidence: Percent = 50.0
    context: str = ""
    trigger: Trigger | None = None


@event("v1.PersonaErased", entity="persona", effect="erase")
class PersonaErased(Event):
    """A persona and all its data are removed for good, everywhere; its id never returns.

    Attributes:
        reason: why, without personal data: this stays.
    """

    reason: str = ""
