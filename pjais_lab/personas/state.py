"""What a persona is made of, as values: traits, settings, templates."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Final, Literal, get_args

import msgspec
from msgspec import Meta

from pjais_lab.core.fields import Percent, Slug
from pjais_lab.core.spelling import SpelledMeta

__all__ = [
    "EMOTIONS",
    "TEMPLATES",
    "TRAITS",
    "BigFive",
    "Emotion",
    "MemoryConfiguration",
    "PrivacySettings",
    "Template",
]

Emotion = Literal["joy", "sadness", "anger", "fear", "surprise", "disgust", "neutral"]
EMOTIONS: Final[tuple[str, ...]] = get_args(Emotion)
TRAITS: Final = ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")


class BigFive(msgspec.Struct, frozen=True, forbid_unknown_fields=True, metaclass=SpelledMeta):
    """The five-factor profile, each from 0 to 100 with 50 in the middle.

    Attributes:
        openness: curious and inventive rather than cautious.
        conscientiousness: orderly rather than careless.
        extraversion: outgoing rather than reserved.
        agreeableness: friendly rather than critical.
        neuroticism: easily upset rather than calm.

    >>> BigFive(openness=80).openness
    80
    """

    openness: Percent = 50.0
    conscientiousness: Percent = 50.0
    extraversion: Percent = 50.0
    agreeableness: Percent = 50.0
    neuroticism: Percent = 50.0


class MemoryConfiguration(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, metaclass=SpelledMeta
):
    """How a persona's memory is kept.

    Attributes:
        max_memories: how many it holds, 100 to 10,000.
        importance_threshold: memories below it may be let go, 0 to 100.
        auto_optimize: whether tiers are kept without being asked.
        retention_days: how long a memory is kept, 1 to 365.
        categories: kinds of memory it forms.
        compression: whether cold memories are compressed.
    """

    max_memories: Annotated[int, Meta(ge=100, le=10_000)] = 1000
    importance_threshold: Percent = 50.0
    auto_optimize: bool = True
    retention_days: Annotated[int, Meta(ge=1, le=365)] = 90
    categories: tuple[Slug, ...] = ("conversation", "learning", "preference", "fact")
    compression: bool = True


class PrivacySettings(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, metaclass=SpelledMeta
):
    """What may be done with a persona's data.

    Attributes:
        data_collection: whether new data is kept at all.
        analytics: whether usage may be analysed.
        share_with_researchers: whether it may leave the workspace for research.
        personality_analysis: whether traits may be inferred.
        memory_retention: whether memories outlive a session.
        export_allowed: whether it may be exported.
    """

    data_collection: bool = True
    analytics: bool = False
    share_with_researchers: bool = False
    personality_analysis: bool = True
    memory_retention: bool = True
    export_allowed: bool = True


class Template(msgspec.Struct, frozen=True):
    """A profile to start a persona from.

    Attributes:
        name: what it is called.
        category: professional, creative, analytical or social.
        traits: the profile.
    """

    name: str
    category: Literal["professional", "creative", "analytical", "social", "custom"]
    traits: BigFive


def _template(
    name: str, category: Literal["professional", "creative", "analytical", "social"], *traits: float
) -> tuple[str, Template]:
    return name, Template(name, category, BigFive(*traits))


TEMPLATES: Final = MappingProxyType(
    dict(
        (
            _template("professional-assistant", "professional", 70.0, 90.0, 60.0, 85.0, 20.0),
            _template("creative-companion", "creative", 95.0, 60.0, 75.0, 80.0, 40.0),
            _template("analytical-thinker", "analytical", 80.0, 85.0, 40.0, 70.0, 25.0),
            _template("empathetic-counselor", "social", 75.0, 80.0, 70.0, 95.0, 30.0),
            _template("curious-explorer", "creative", 95.0, 65.0, 80.0, 75.0, 35.0),
            _template("supportive-mentor", "professional", 85.0, 85.0, 65.0, 90.0, 25.0),
        )
    )
)
"""The six built-in templates by name."""
