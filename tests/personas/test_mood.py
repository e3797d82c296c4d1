from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjais_lab.personas.mood import Feeling, Trigger, calm, react
from pjais_lab.personas.state import EMOTIONS, BigFive

PERCENT = st.floats(0, 100)
TRIGGERS: tuple[Trigger, ...] = (
    "positive",
    "negative",
    "achievement",
    "failure",
    "surprise",
    "conflict",
    "neutral",
)


@pytest.mark.parametrize(
    ("trigger", "traits", "emotion"),
    [
        ("positive", BigFive(extraversion=90), "joy"),
        ("negative", BigFive(neuroticism=90), "fear"),
        ("negative", BigFive(neuroticism=55), "sadness"),
        ("failure", BigFive(neuroticism=80), "sadness"),
        ("surprise", BigFive(openness=90), "surprise"),
        ("conflict", BigFive(agreeableness=10), "anger"),
        ("conflict", BigFive(agreeableness=45, neuroticism=80), "fear"),
    ],
)
def test_what_happened_and_who_one_is_decide_the_emotion(
    trigger: Trigger, traits: BigFive, emotion: str
) -> None:
    assert react(Feeling(), traits, trigger, 90).emotion == emotion


def test_bad_news_is_felt_where_the_original_never_felt_it() -> None:
    felt = react(Feeling("joy", 90.0), BigFive(neuroticism=90), "negative", 90)

    assert felt.emotion == "fear"


def test_a_trifle_changes_nothing() -> None:
    mood = Feeling("joy", 70.0)

    assert react(mood, BigFive(), "negative", 10) == mood


@given(PERCENT, PERCENT, PERCENT, PERCENT, PERCENT, st.sampled_from(TRIGGERS), PERCENT)
def test_a_feeling_stays_in_its_range(
    o: float, c: float, e: float, a: float, n: float, trigger: Trigger, strength: float
) -> None:
    felt = react(Feeling("joy", 100.0), BigFive(o, c, e, a, n), trigger, strength)

    assert 50 <= felt.intensity <= 100
    assert felt.emotion in EMOTIONS


@given(st.floats(50, 100), st.floats(0, 1000), st.floats(0, 1000))
def test_feelings_only_fade(intensity: float, one: float, more: float) -> None:
    mood = Feeling("anger", intensity)

    assert calm(mood, one + more).intensity <= calm(mood, one).intensity
