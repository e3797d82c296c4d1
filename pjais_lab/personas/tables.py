"""The table ``personas``."""

from __future__ import annotations

from typing import Final

from pjais_lab.core.event import Event
from pjais_lab.core.merge import Count, Last, LastMap, Max, src
from pjais_lab.core.table import Table
from pjais_lab.personas.events import (
    PersonaActivated,
    PersonaCreated,
    PersonaErased,
    PersonaMoodChanged,
    PersonaRetired,
    PersonaRevised,
)
from pjais_lab.personas.state import TRAITS

__all__ = ["DECLARATIONS", "PERSONAS"]


def _revisable(kind: str, field: str) -> Last:
    return Last(kind, (src(PersonaCreated, field), src(PersonaRevised, field)))


def _mood(kind: str, at_birth: str | float, field: str) -> Last:
    return Last(kind, (src(PersonaCreated, const=at_birth), src(PersonaMoodChanged, field)))


PERSONAS: Final = Table(
    "personas",
    entity="persona",
    columns={
        "name": _revisable("VARCHAR", "name"),
        "description": _revisable("VARCHAR", "description"),
        **{trait: _revisable("DOUBLE", trait) for trait in TRAITS},
        "custom_traits": LastMap(
            "MAP(VARCHAR, DOUBLE)",
            (src(PersonaCreated, "custom_traits"), src(PersonaRevised, "custom_traits")),
        ),
        "mood": _mood("VARCHAR", "neutral", "emotion"),
        "mood_intensity": _mood("DOUBLE", 50.0, "intensity"),
        "mood_confidence": _mood("DOUBLE", 50.0, "confidence"),
        "mood_context": _mood("VARCHAR", "", "context"),
        "mood_at": Last(
            "TIMESTAMP",
            (src(PersonaCreated, "$occurred_at"), src(PersonaMoodChanged, "$occurred_at")),
        ),
        "mood_changes": Count("BIGINT", (src(PersonaMoodChanged, const=1),)),
        "is_active": Last(
            "BOOLEAN",
            (
                src(PersonaCreated, const=True),
                src(PersonaActivated, const=True),
                src(PersonaRetired, const=False),
            ),
        ),
        "template": Last("VARCHAR", (src(PersonaCreated, "template"),)),
        "memory_configuration": _revisable("JSON", "memory_configuration"),
        "privacy_settings": _revisable("JSON", "privacy_settings"),
        "behaviour": _revisable("JSON", "behaviour"),
        "created_at": Last("TIMESTAMP", (src(PersonaCreated, "$occurred_at"),)),
        "revised_at": Max("TIMESTAMP", (src(PersonaRevised, "$occurred_at"),)),
        "extra": _revisable("JSON", "extra"),
    },
    unique=("name",),
    doc="Living personas: who they are, how they feel, whether they are active.",
)

DECLARATIONS: Final[tuple[type[Event] | Table, ...]] = (
    PersonaCreated,
    PersonaRevised,
    PersonaActivated,
    PersonaRetired,
    PersonaMoodChanged,
    PersonaErased,
    PERSONAS,
)
