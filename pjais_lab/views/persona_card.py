"""PersonaCard: who a persona is, how its mood went, what it remembers, what happened last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from pjais_lab.core.markup import bars, facts, trouble
from pjais_lab.personas.model import PersonaModel
from pjais_lab.personas.state import TRAITS
from pjais_lab.views import _fallback
from pjais_lab.views._base import View

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pjais_lab.lab.lab import Lab

__all__ = ["PersonaCard"]

_TOP: Final = 100.0
_WHO: Final = "SELECT * FROM personas WHERE id = $persona"
_MOODS: Final = """\
SELECT occurred_at AS at, args->>'emotion' AS emotion,
    CAST(args->>'intensity' AS DOUBLE) AS intensity
FROM (
    SELECT id, occurred_at, args FROM events
    WHERE persona_id = $persona AND name = 'v1.PersonaMoodChanged'
    ORDER BY occurred_at DESC, id DESC LIMIT 300
) ORDER BY occurred_at, id"""
_MEMORIES: Final = """\
SELECT kind, tier, count(*) AS memories FROM memories
WHERE persona_id = $persona GROUP BY kind, tier ORDER BY memories DESC, kind, tier LIMIT 12"""
_EVENTS: Final = """\
SELECT id, name, occurred_at AS at, actor,
    left(coalesce(args->>'content', args->>'text', args->>'emotion', args->>'name', ''), 160) AS said
FROM events WHERE persona_id = $persona ORDER BY occurred_at DESC, id DESC LIMIT 8"""


class PersonaCard(View):
    """One persona, live: traits, the course of its mood, memories by kind and tier, last events.

    Args:
        lab: an open lab.
        persona: whom, by name, id or model.

    Raises:
        NotFoundError: there is no such persona.
    """

    kind = "persona_card"

    def __init__(self, lab: Lab, persona: PersonaModel | str) -> None:
        model = persona if isinstance(persona, PersonaModel) else lab.personas[persona]
        super().__init__(model.name or model.id)
        self._id = model.id
        self._memories = lab.live(_MEMORIES, persona=model.id)
        self._moods = lab.live(_MOODS, persona=model.id)
        self._events = lab.live(_EVENTS, persona=model.id)
        self._who = lab.live(_WHO, persona=model.id)
        self.follow("who", self._who, who)
        self.follow("memories", self._memories, is_main=True)
        self.follow("moods", self._moods)
        self.follow("events", self._events)

    @property
    def sql(self) -> str:
        """The query behind the memories by kind and tier."""
        return _MEMORIES.replace("$persona", f"'{self._id}'")

    @property
    def frame(self) -> pl.DataFrame:
        """Memories by kind and tier."""
        return self._memories.frame

    @property
    def moods(self) -> pl.DataFrame:
        """The course of the mood, oldest first."""
        return self._moods.frame

    @property
    def events(self) -> pl.DataFrame:
        """The last events, newest first."""
        return self._events.frame

    def sections(self) -> Iterable[str]:
        """The static view."""
        found = who(self._who.frame)
        if not found["is_alive"]:
            yield trouble("There is no such persona any more.")
            return
        mood = f"{found['mood']} {found['mood_intensity']:g}"
        known = {"mood": mood, "description": found["description"]}
        yield facts((k, v) for k, v in known.items() if v)
        yield _fallback.part("Traits", bars(found["traits"].items(), _TOP))
        yield _fallback.table("Memories by kind and tier", self.frame)
        yield _fallback.course("Mood", self.moods["intensity"].to_list(), _TOP)
        yield _fallback.table("Last events", self.events.drop("id"))


def who(frame: pl.DataFrame) -> dict[str, Any]:
    """A row of ``personas`` as the card shows it."""
    if frame.is_empty():
        return {"is_alive": False}
    row = frame.row(0, named=True)
    own = {str(k): v for k, v in _pairs(row["custom_traits"])}
    kept = ("description", "mood", "mood_intensity", "is_active")
    traits = {t: row[t] for t in TRAITS} | own
    return {"is_alive": True, "traits": traits} | {k: row[k] for k in kept}


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    """A map column's entries, however polars gives them."""
    if isinstance(value, dict):
        return list(value.items())
    return [(p["key"], p["value"]) for p in value or []]
