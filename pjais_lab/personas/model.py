"""A persona as traits that follow the log."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Final

import msgspec

from pjais_lab.core.markup import bars, card, count, cut, line, trouble
from pjais_lab.personas.state import TRAITS, BigFive
from pjais_lab.reactive.model import EntityModel
from pjais_lab.reactive.node import Fed

__all__ = ["Mood", "PersonaModel"]

_OWN_SHOWN: Final = 8


class Mood(msgspec.Struct, frozen=True):
    """How a persona feels.

    Attributes:
        emotion: the primary emotion.
        intensity: 0 to 100.
        confidence: 0 to 100.
        context: what it is about.
        at: since when, UTC.
    """

    emotion: str
    intensity: float
    confidence: float
    context: str
    at: datetime


class PersonaModel(EntityModel):
    """A persona; its traits can be observed and linked, and change when any process commits."""

    table: ClassVar[str] = "personas"
    write_hint = "Use lab.personas.revise() or change_mood()."

    name = Fed[str]("", help="Unique among living personas.")
    description = Fed[str]("", help="Who it is, in prose.")
    big_five = Fed[BigFive](BigFive(), help="The Big Five, 0 to 100 each.")
    custom_traits = Fed[dict[str, float]](None, help="Traits of one's own, 0 to 100.")
    mood = Fed[Mood](None, help="How it feels now.")
    is_active = Fed[bool](True, help="Whether it has not been retired.")  # noqa: FBT003
    created_at = Fed[datetime](None, help="When it came into being, UTC.")

    def read(self, row: dict[str, Any]) -> dict[str, Any]:
        """Trait -> value, from a row of ``personas``."""
        if not row:
            return {}
        values = super().read(row)
        pairs = row["custom_traits"] or []
        return values | {
            "big_five": BigFive(*[row[t] for t in TRAITS]),
            "custom_traits": {p["key"]: p["value"] for p in pairs}
            if isinstance(pairs, list)
            else pairs,
            "mood": Mood(
                row["mood"],
                row["mood_intensity"],
                row["mood_confidence"],
                row["mood_context"],
                row["mood_at"],
            ),
        }

    def __repr__(self) -> str:
        """Name and id."""
        gone = "" if self.exists else ", gone"
        closed = ", closed" if self.is_closed else ""
        return f"PersonaModel({cut(repr(self.name))}, {self.id}{gone}{closed})"

    def _repr_html_(self) -> str:
        """Who it is and how it feels, as it is now; every text in it is inert."""
        parts = self._known() if self.exists else [trouble("Gone: erased, or never there.")]
        foot = line(
            None if self.is_active else "retired",
            "closed: follows the log no longer" if self.is_closed else None,
            _when("created", self.created_at),
            self.id,
        )
        return card("Persona", self.name, trouble(self.error), *parts, foot)

    def _known(self) -> list[str]:
        """What the log says of it; nothing when it could not be read."""
        if _when("created", self.created_at) is None:
            return []
        own = [(n, v) for n, v in (self.custom_traits or {}).items() if n not in TRAITS]
        more = len(own) - _OWN_SHOWN
        return [
            line(self.description) if self.description else "",
            bars([*((t, getattr(self.big_five, t)) for t in TRAITS), *own[:_OWN_SHOWN]]),
            line(f"{count(more, 'more trait')} in .custom_traits") if more > 0 else "",
            _felt(self.mood),
        ]


def _felt(mood: Mood | None) -> str:
    if mood is None or not mood.emotion:
        return ""
    felt = f"feels {mood.emotion}, {mood.intensity:g} of 100"
    return line(felt, mood.context or None, _when("since", mood.at))


def _when(word: str, at: datetime | None) -> str | None:
    return None if at is None else f"{word} {at:%Y-%m-%d %H:%M}"
