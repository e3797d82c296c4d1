"""How news moves a mood: one pure rule, weighted by the Big Five."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from pjais_lab.core.fields import Percent
from pjais_lab.personas.state import BigFive, Emotion

__all__ = ["DECAY", "Feeling", "Trigger", "calm", "react"]

Trigger = Literal[
    "positive", "negative", "achievement", "failure", "surprise", "conflict", "neutral"
]
DECAY: Final = 0.1
"""The share of a feeling's distance from neutral that fades in an hour."""

_SHIFT: Final = 20.0
_REST: Final = 50.0
_Weigh = Callable[[BigFive], float]


class Feeling(msgspec.Struct, frozen=True):
    """A mood at a moment.

    Attributes:
        emotion: its name.
        intensity: 0 to 100; 50 at rest.
    """

    emotion: Emotion = "neutral"
    intensity: Percent = _REST


_WEIGHTS: Final[MappingProxyType[str, _Weigh]] = MappingProxyType(
    {
        "positive": lambda t: 0.8 * (0.6 * t.extraversion + 0.4 * t.openness) / 100,
        "negative": lambda t: 0.7 * (0.8 * t.neuroticism + 0.3 * (100 - t.agreeableness)) / 100,
        "achievement": lambda t: 0.9 * (0.7 * t.extraversion / 100 + 0.3),
        "failure": lambda t: 0.8 * (0.9 * t.neuroticism / 100 + 0.2),
        "surprise": lambda t: 0.6 * (0.8 * t.openness / 100 + 0.3),
        "conflict": lambda t: 0.7 * (0.6 * (100 - t.agreeableness) + 0.4 * t.neuroticism) / 100,
        "neutral": lambda _: 0.1,
    }
)


def react(mood: Feeling, traits: BigFive, trigger: Trigger, intensity: Percent) -> Feeling:
    """The mood after something happened.

    Bad news counts as strongly as good news: what is felt is the size of the shift, and its
    name changes when the shift is above 20.

    Args:
        mood: as it was.
        traits: whose mood it is.
        trigger: what sort of thing happened.
        intensity: how strongly, 0 to 100.

    >>> react(Feeling(), BigFive(extraversion=90, openness=80), "positive", 90)
    Feeling(emotion='joy', intensity=81.0)
    >>> react(Feeling(), BigFive(), "neutral", 30).emotion
    'neutral'
    """
    shift = _WEIGHTS[trigger](traits) * intensity
    felt = _emotion(traits, trigger)
    if felt == "neutral" or shift <= _SHIFT:
        return mood
    base = mood.intensity if felt == mood.emotion else _REST
    return Feeling(felt, round(min(100.0, base + shift / 2), 0))


def calm(mood: Feeling, hours: float) -> Feeling:
    """The mood after some quiet hours; a faint one becomes neutral.

    >>> calm(Feeling("anger", 90.0), 1).intensity
    86.0
    >>> calm(Feeling("anger", 60.0), 12)
    Feeling(emotion='neutral', intensity=50.0)
    """
    if mood.emotion == "neutral":
        return mood
    intensity = round(_REST + (mood.intensity - _REST) * (1 - DECAY) ** hours, 0)
    return Feeling() if intensity < _REST + 5 else Feeling(mood.emotion, intensity)


def _emotion(traits: BigFive, trigger: Trigger) -> Emotion:
    if trigger in {"positive", "achievement"}:
        return "joy"
    if trigger == "negative":
        return "fear" if traits.neuroticism > 60 else "sadness"
    if trigger == "failure":
        return "sadness"
    if trigger == "surprise":
        return "surprise"
    if trigger == "conflict":
        return "anger" if traits.agreeableness < 40 else "fear"
    return "neutral"
