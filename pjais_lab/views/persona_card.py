"""PersonaCard: who a persona is, how its mood went, what it remembers, what happened last."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from pjais_lab.core.markup import bars, facts, trouble
from pjais_lab.personas.model import PersonaModel
from pjais_lab.reactive.selection import Selection
from pjais_lab.storage.relation import literal_sql
from pjais_lab.views import _fallback, _python
from pjais_lab.views._base import NOTHING_YET, View
from pjais_lab.views._personas import (
    EVENT_COLUMNS,
    MEMORY_COLUMNS,
    PERSONA,
    events_sql,
    memories_sql,
    moods_sql,
    who,
    who_sql,
)
from pjais_lab.views._requests import answer
from pjais_lab.views._rows import narrowing
from pjais_lab.views._weak import calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pjais_lab.lab.lab import Lab

__all__ = ["PersonaCard"]

_TOP: Final = 100.0
_EVENTS: Final = 8
_GONE: Final = "A persona that is no more"


class PersonaCard(View):
    """One persona, live: traits, the course of its mood, memories by kind and tier, last events.

    Args:
        lab: an open lab.
        persona: whom, by name, id or model.
        selection: shared with other views: what they pick of time narrows moods, memories and
            events; what they pick of kinds, tiers and names of events narrows those.
        title: what is written above it; the persona's name, as it is now, if None.

    Raises:
        NotFoundError: there is no such persona.

    Attributes:
        selection: what the views of this selection have picked.
    """

    kind = "persona_card"

    def __init__(
        self,
        lab: Lab,
        persona: PersonaModel | str,
        *,
        selection: Selection | None = None,
        title: str | None = None,
    ) -> None:
        me = persona.id if isinstance(persona, PersonaModel) else lab.personas.id_of(persona)
        super().__init__(title if title is not None else me)
        self._lab, self._id, self._given_title = lab, me, title
        self.selection = selection if selection is not None else Selection()
        whose = lab.live(who_sql(PERSONA), persona=me)
        self._narrow()
        self.follow("who", whose, _meeting(self))
        moved = self._moved = calls(self.narrow)
        self.selection.observe(moved, "predicates")

    # ------------------------------------------------------------ for the user
    @property
    def sql(self) -> str:
        """The query behind the memories by kind and tier."""
        return self._queries["memories"].sql.replace(PERSONA, f"'{self._id}'")

    @property
    def frame(self) -> pl.DataFrame:
        """Memories by kind and tier."""
        return self._queries["memories"].frame

    @property
    def moods(self) -> pl.DataFrame:
        """The course of the mood, oldest first."""
        return self._queries["moods"].frame

    @property
    def events(self) -> pl.DataFrame:
        """The last events, newest first."""
        return self._queries["events"].frame

    @property
    def selected(self) -> pl.DataFrame:
        """The persona's memories that the selection leaves."""
        held = narrowing(self.selection, MEMORY_COLUMNS)
        where = "".join(f" AND ({literal_sql(p)})" for p in held.values())
        return self._lab.query(
            "SELECT * FROM (SELECT id AS entity_id, * EXCLUDE (id, shard), created_at AS"  # noqa: S608
            f" occurred_at FROM memories) WHERE persona_id = $persona{where} ORDER BY entity_id",
            persona=self._id,
        )

    @property
    def python(self) -> str:
        """The call that makes this card as it is now."""
        held = self._filters()
        items = (f"{name!r}: {_python.predicate(p)}" for name, p in held.items())
        return _python.call(
            "pj.views.PersonaCard",
            f"lab, {self._id!r}",
            selection=f"pj.Selection({{{', '.join(items)}}})" if held else None,
            title=None if self._given_title is None else repr(self._given_title),
        )

    # ------------------------------------------------------------ what the browser asks
    @answer
    def unfilter(self, *, name: str) -> None:
        """Take a filter away."""
        self.selection[name] = None

    # ------------------------------------------------------------ how it works
    def sections(self) -> Iterable[str]:
        """The static view."""
        found = who(self._queries["who"].frame)
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

    def close(self) -> None:
        """Stop following the persona and the selection; closing twice is fine."""
        if not self._is_shut and self.is_ready:
            self.selection.unobserve(self._moved, "predicates")
        super().close()

    def narrow(self) -> None:
        """The selection has changed."""
        if not self._is_shut:
            self._narrow()

    def met(self, frame: pl.DataFrame) -> dict[str, Any]:
        """Take the persona's newest name; of one that was erased none is kept."""
        found = who(frame)
        if not found["is_alive"]:
            self._first = NOTHING_YET  # what the view opened with
        if self._given_title is None:
            self._title = found["name"] if found["is_alive"] else _GONE
            self.put("$title", self._title)
        return found

    def _narrow(self) -> None:
        lab, held = self._lab, self._queries
        of_events = narrowing(self.selection, EVENT_COLUMNS)
        of_moods = narrowing(self.selection, EVENT_COLUMNS - {"name"})
        wanted = {
            "memories": memories_sql(PERSONA, narrowing(self.selection, MEMORY_COLUMNS)),
            "moods": moods_sql(PERSONA, of_moods),
            "events": events_sql(PERSONA, of_events, _EVENTS),
        }
        asked = {
            name: lab.live(sql, persona=self._id)
            for name, sql in wanted.items()
            if name not in held or held[name].sql != sql
        }  # all of them first, so that one round answers them
        for name, query in asked.items():
            old = held.get(name)
            self.follow(name, query, is_main=name == "memories")
            if old is not None:
                old.close()
        filters = {n: literal_sql(p) for n, p in self._filters().items()}
        self.put("state", {"filters": filters, "python": self.python})

    def _filters(self) -> dict[str, Any]:
        """What of the selection narrows something here."""
        return narrowing(self.selection, EVENT_COLUMNS) | narrowing(self.selection, MEMORY_COLUMNS)


def _meeting(card: PersonaCard) -> Callable[[pl.DataFrame], dict[str, Any]]:
    """What a page shows of the persona, without holding the card."""
    me = weakref.ref(card)

    def met(frame: pl.DataFrame) -> dict[str, Any]:
        found = me()
        return who(frame) if found is None else found.met(frame)

    return met
