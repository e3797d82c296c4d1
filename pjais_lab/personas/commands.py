"""Checked intents about personas; pure functions that give drafts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict, Unpack

import msgspec

from pjais_lab.core.event import Draft, HasId
from pjais_lab.core.spelling import check_keywords, near, spelled
from pjais_lab.errors import NotFoundError, RejectedError
from pjais_lab.personas.events import (
    PersonaActivated,
    PersonaCreated,
    PersonaErased,
    PersonaMoodChanged,
    PersonaRetired,
    PersonaRevised,
)
from pjais_lab.personas.mood import Trigger
from pjais_lab.personas.state import (
    TEMPLATES,
    BigFive,
    Emotion,
    MemoryConfiguration,
    PrivacySettings,
)

__all__ = [
    "Revision",
    "activate_persona",
    "change_mood",
    "create_persona",
    "erase_persona",
    "retire_persona",
    "revise_persona",
]


class Revision(TypedDict, total=False):
    """What can be revised of a persona."""

    name: str
    description: str
    traits: BigFive
    custom_traits: Mapping[str, float | None]
    memory_configuration: MemoryConfiguration
    privacy_settings: PrivacySettings
    behaviour: Mapping[str, Any]
    extra: Mapping[str, Any]


@spelled
def create_persona(
    name: str,
    *,
    description: str = "",
    traits: BigFive | None = None,
    custom_traits: Mapping[str, float] | None = None,
    template: str | None = None,
    memory_configuration: MemoryConfiguration | None = None,
    privacy_settings: PrivacySettings | None = None,
    behaviour: Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
    id: str | None = None,
    at: datetime | None = None,
) -> Draft:
    """A new persona.

    Args:
        name: unique among living personas.
        description: who it is.
        traits: the Big Five; the template's, or 50 each.
        custom_traits: traits of one's own, 0 to 100.
        template: one of ``TEMPLATES``.
        memory_configuration: how its memory is kept.
        privacy_settings: what may be done with its data.
        behaviour: free settings.
        extra: foreign fields.
        id: the id it gets; a new one if None.
        at: when it came into being; now if None.

    Raises:
        NotFoundError: there is no such template.
        RejectedError: the id is not UUID text, or the traits are no BigFive.

    >>> create_persona("Ada", template="curious-explorer").event.openness
    95.0
    """
    profile = BigFive() if template is None else _template_traits(template)
    given = {
        "custom_traits": custom_traits,
        "memory_configuration": memory_configuration,
        "privacy_settings": privacy_settings,
        "behaviour": behaviour,
        "extra": extra,
    }
    fields: dict[str, Any] = {k: _copied(v) for k, v in given.items() if v is not None}
    made = PersonaCreated(
        name=name,
        description=description,
        template=template,
        **_each(profile if traits is None else traits),
        **fields,
    )
    return made.on(entity=id, at=at)


def revise_persona(
    persona: HasId | str, *, at: datetime | None = None, **changes: Unpack[Revision]
) -> Draft:
    """Set some fields of a persona anew.

    Args:
        persona: which, or its id.
        at: when; now if None.
        changes: the fields of ``Revision``. A custom trait set to None is removed.

    Raises:
        RejectedError: the id is not UUID text, the traits are no BigFive, or nothing is changed.

    >>> revise_persona("018bcfe5-6800-7000-8000-00000000000a", name="Bo").event.name
    'Bo'
    """
    check_keywords("revise", changes, Revision.__annotations__)
    fields: dict[str, Any] = {k: _copied(v) for k, v in changes.items()}
    if "traits" in fields:
        fields |= _each(fields.pop("traits"))
    if not fields:
        msg = "The revision changes nothing; expected at least one field."
        raise RejectedError(msg, hint=f"There are: {', '.join(Revision.__annotations__)}.")
    return PersonaRevised(**fields).on(entity=persona, at=at)


def activate_persona(persona: HasId | str, *, at: datetime | None = None) -> Draft:
    """Bring a retired persona back.

    Raises:
        RejectedError: the id is not UUID text.
    """
    return PersonaActivated().on(entity=persona, at=at)


def retire_persona(persona: HasId | str, reason: str = "", *, at: datetime | None = None) -> Draft:
    """Set a persona aside and keep its data.

    Raises:
        RejectedError: the id is not UUID text.
    """
    return PersonaRetired(reason=reason).on(entity=persona, at=at)


@spelled
def change_mood(
    persona: HasId | str,
    emotion: Emotion,
    intensity: float = 50.0,
    *,
    confidence: float = 50.0,
    context: str = "",
    trigger: Trigger | None = None,
    at: datetime | None = None,
) -> Draft:
    """Note how a persona feels.

    Args:
        persona: which, or its id.
        emotion: the primary emotion.
        intensity: 0 to 100.
        confidence: 0 to 100.
        context: what it is about.
        trigger: what sort of thing moved it.
        at: when; now if None.

    Raises:
        RejectedError: the id is not UUID text.
    """
    felt = PersonaMoodChanged(
        emotion=emotion,
        intensity=intensity,
        confidence=confidence,
        context=context,
        trigger=trigger,
    )
    return felt.on(entity=persona, at=at)


def erase_persona(persona: HasId | str, reason: str = "") -> Draft:
    """Remove a persona and everything that belongs to it, for good.

    Raises:
        RejectedError: the id is not UUID text.
    """
    return PersonaErased(reason=reason).on(entity=persona)


def _each(traits: Any) -> dict[str, Any]:
    if not isinstance(traits, BigFive):
        msg = f"The traits are of type {type(traits).__name__}; expected a BigFive."
        raise RejectedError(msg, hint="Write pj.BigFive(openness=80).", traits=traits)
    return msgspec.structs.asdict(traits)


def _copied(value: Any) -> Any:
    """A mapping of one's own, which nobody else can change; the codec judges everything else."""
    return dict(value) if isinstance(value, Mapping) else value


def _template_traits(name: str) -> BigFive:
    found = TEMPLATES.get(name)
    if found is not None:
        return found.traits
    msg = f"There is no persona template {name!r}."
    raise NotFoundError(msg, hint=near(str(name), TEMPLATES), name=name)
