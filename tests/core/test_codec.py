"""What is stored is what was given; everything else is refused, and the refusal says where."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from pjais_lab.core.codec import decode, encode
from pjais_lab.core.event import Event, event
from pjais_lab.errors import EventDecodeError, RejectedError


@event("v1.Tried")
class Tried(Event):
    """One field of every sort."""

    text: str = ""
    number: float = 0.0
    count: int = 0
    at: datetime | None = None
    mood: Literal["calm", "angry"] = "calm"
    words: tuple[Annotated[str, Meta(pattern=r"^[a-z]+\Z")], ...] = ()
    anything: Any = None


class Mood(Enum):
    CALM = "calm"


def reason(made: Tried) -> str:
    with pytest.raises(RejectedError) as caught:
        encode(made)
    return str(caught.value)


def test_a_list_or_a_set_will_do_for_a_tuple() -> None:
    assert '"words":["a","b"]' in encode(Tried(words=["a", "b"]))  # type: ignore[arg-type]
    assert '"words":["a","b"]' in encode(Tried(words={"b", "a"}))  # type: ignore[arg-type]


def test_a_member_of_an_enumeration_is_its_value() -> None:
    assert '"mood":"calm"' in encode(Tried(mood=Mood.CALM))  # type: ignore[arg-type]


def test_a_time_with_a_zone_comes_back_as_the_same_moment() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)

    assert decode(Tried, encode(Tried(at=at))).at == at


@pytest.mark.parametrize("text", ["\\u0000", "null", "\u2028", "\x01", "\U0001f375"])
def test_odd_but_harmless_text_is_kept(text: str) -> None:
    assert decode(Tried, encode(Tried(text=text))).text == text


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (Tried(text=b"x"), "'text': expected `str`, got `bytes`"),  # type: ignore[arg-type]
        (Tried(text=datetime(2026, 1, 1)), "'text': expected `str`, got `datetime`"),  # type: ignore[arg-type]
        (Tried(number=float("-inf")), "'number': expected a finite number"),
        (Tried(count=True), "'count': expected `int`, got `bool`"),
        (Tried(mood="angri"), "one of calm, angry, got 'angri'. Did you mean 'angry'?"),  # type: ignore[arg-type]
        (Tried(words=("a", "B")), r"'words[1]': expected text that matches ^[a-z]+\\Z, got 'B'"),
        (Tried(anything={"a": [1, float("nan")]}), "'anything.a[1]': expected a finite number"),
        (Tried(anything={"a": {"b\0": 1}}), "'anything.a': expected text without NUL"),
        (Tried(anything={"a": "\ud800"}), "'anything.a': expected text, got half of"),
        (Tried(anything={2: 1}), "'anything': expected text as key, got `int`"),
        (Tried(anything=[{1, 2}, b"x"]), "'anything[1]': expected `str`, got `bytes`"),
        (Tried(anything={"a": object()}), "'anything.a': expected JSON, got `object`"),
    ],
)
def test_what_would_come_back_otherwise_is_refused_with_its_path(made: Tried, said: str) -> None:
    assert said in reason(made)


def test_a_long_value_is_shown_in_short() -> None:
    assert len(reason(Tried(mood="x" * 10_000))) < 200  # type: ignore[arg-type]


@pytest.mark.parametrize("stored", ["", "{", "[]", '{"text":7}', '{"colour":1}', "[" * 5000])
def test_stored_content_that_is_something_else_does_not_decode(stored: str) -> None:
    with pytest.raises(EventDecodeError, match=r"\Av1\.Tried was refused.*\.\Z"):
        decode(Tried, stored)
