"""PersonaCompare: two to six personas side by side."""

from __future__ import annotations

import itertools
import threading
import weakref
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import polars as pl

from pjais_lab.core.predicate import OneOf, Predicate, all_of
from pjais_lab.reactive.selection import Selection
from pjais_lab.storage.relation import literal_sql
from pjais_lab.views import _fallback, _python
from pjais_lab.views._base import NOTHING_YET, View
from pjais_lab.views._personas import (
    EVENT_COLUMNS,
    LEAST,
    MEMORY_COLUMNS,
    MOST,
    check_number,
    checked,
    events_sql,
    finding,
    memories_sql,
    moods_sql,
    named,
    persona_of,
    who_sql,
)
from pjais_lab.views._requests import answer
from pjais_lab.views._rows import narrowing
from pjais_lab.views._weak import calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pjais_lab.lab.lab import Lab
    from pjais_lab.personas.model import PersonaModel

__all__ = ["PersonaCompare"]

_FIRST_ONES: Final = (
    "SELECT id::VARCHAR AS persona_id FROM personas ORDER BY name, persona_id LIMIT 4"
)
_EVENTS: Final = 6
_NUMBERS: Final = itertools.count(1)
_GONE: Final = "a persona that is no more"
_PERSONA: Final = frozenset({"persona_id"})


class PersonaCompare(View):
    """Personas side by side, live: traits on one scale, moods on one axis, memories, last events.

    Args:
        lab: an open lab.
        personas: two to six of them, by name, id or model; those that the selection picks, else the
            first four, if None.
        selection: shared with other views: personas they pick are compared, at most six; what they
            pick of time narrows moods, memories and events.
        title: what is written above it.

    Raises:
        NotFoundError: there is no such persona.
        ViewError: they are too few or too many, or one is named twice.

    Attributes:
        selection: what the views of this selection have picked.
        picks: the name of the predicate that finds the picked personas.
    """

    kind = "persona_compare"

    def __init__(
        self,
        lab: Lab,
        personas: Sequence[PersonaModel | str] | None = None,
        *,
        selection: Selection | None = None,
        title: str | None = None,
    ) -> None:
        super().__init__(title if title is not None else "Personas compared")
        self._lab, self._given_title = lab, title
        self.selection = selection if selection is not None else Selection()
        self.picks = f"personas compared {next(_NUMBERS)}"
        self._turn = threading.Lock()
        self._is_due = self._is_changing = False
        self._ids = [] if personas is None else checked(lab, personas)
        self._given = list(self._ids)
        self._more = 0
        self._picked_by: list[Predicate] = []
        moved = self._moved = calls(self.change)
        self.selection.observe(moved, "predicates")
        first = lab.live(_FIRST_ONES)
        self.follow("first", first)
        self.following.add(first, moved, ["frame"])
        self.change(is_first=True)

    @property
    def sql(self) -> str:
        """The query behind the personas that are compared."""
        return self._now[1].sql

    @property
    def frame(self) -> pl.DataFrame:
        """The personas that are compared, as they are now."""
        ids, query = self._now
        order = pl.DataFrame({"persona_id": ids}, schema={"persona_id": pl.String})
        return order.join(query.frame, on="persona_id", maintain_order="left")

    @property
    def selected(self) -> pl.DataFrame:
        """The picked personas; all that are compared when none is picked."""
        picked = set(self._picked())
        return self.frame.filter(pl.col("persona_id").is_in(picked)) if picked else self.frame

    @property
    def moods(self) -> pl.DataFrame:
        """The courses of the moods, oldest first."""
        return self._queries["moods"].frame

    @property
    def memories(self) -> pl.DataFrame:
        """How many memories each has, by kind and tier."""
        return self._queries["memories"].frame

    @property
    def events(self) -> pl.DataFrame:
        """The last events of each, newest first."""
        return self._queries["events"].frame

    @property
    def python(self) -> str:
        """The call that makes this view as it is now."""
        held = {n: p for n, p in self._filters().items() if n != self.picks}
        items = (f"{name!r}: {_python.predicate(p)}" for name, p in held.items())
        return _python.call(
            "pj.views.PersonaCompare",
            f"lab, {self._ids!r}" if len(self._ids) >= LEAST else "lab",
            selection=f"pj.Selection({{{', '.join(items)}}})" if held else None,
            title=None if self._given_title is None else repr(self._given_title),
        )

    @answer
    def find(self, *, text: str) -> dict[str, Any]:
        """Personas whose names contain a text: the first ones, and how many there are."""
        return finding(self._lab, text)

    @answer
    def show(self, *, ids: list[UUID]) -> None:
        """Compare these, in this order.

        Raises:
            ViewError: they are too few or too many, or one is named twice.
            NotFoundError: there is no such persona.
        """
        found = [str(i) for i in ids]
        new = [i for i in found if i not in self._ids]
        checked(self._lab, new, least=0)
        check_number(found)
        self._ids, self._more = found, 0
        self.change()

    @answer
    def pick(self, *, ids: list[UUID]) -> None:
        """Pick personas of those that are compared, for the other views."""
        found = [str(i) for i in ids][:MOST]
        self.selection[self.picks] = OneOf("persona_id", found) if found else None

    @answer
    def unfilter(self, *, name: str) -> None:
        """Take a filter away."""
        self.selection[name] = None

    def sections(self) -> Iterable[str]:
        """The static view."""
        traits: dict[str, dict[str, Any]] = {}
        people = self.people()
        for one in people:
            for trait, value in one.get("traits", {}).items():
                traits.setdefault(trait, {"trait": trait})[one["name"]] = value
        yield _fallback.table(
            "Traits", pl.DataFrame(list(traits.values()), infer_schema_length=None)
        )
        names = {one["persona_id"]: one["name"] for one in people}
        for one in people:
            mine = self.moods.filter(pl.col("persona_id") == one["persona_id"])
            yield _fallback.course(f"Mood of {one['name']}", mine["intensity"].to_list(), 100.0)
        yield _fallback.table("Memories by kind and tier", named(self.memories, names))
        yield _fallback.table("Last events", named(self.events.drop("id"), names))

    def close(self) -> None:
        """Stop following the personas and the selection; closing twice is fine."""
        if not self._is_shut and self.is_ready:
            self.selection.unobserve(self._moved, "predicates")
        super().close()

    def change(self, *, is_first: bool = False) -> None:
        """Compare whom the selection picks, or who is chosen; from any thread."""
        with self._turn:
            self._is_due = True
            if self._is_changing or self._is_shut:
                return  # who is at it does it once more; nobody waits, least of all the hub
            self._is_changing = True
        try:
            while self._goes_on():
                self._choose(is_first=is_first)
                self._watch()
                self.put_later("state", self._state)
        except BaseException:
            self._is_changing = False
            raise

    def _goes_on(self) -> bool:
        with self._turn:
            self._is_changing, self._is_due = self._is_due, False
            return self._is_changing

    def _choose(self, *, is_first: bool) -> None:
        """Whom the other views pick, when that has changed; the first ones when nobody is."""
        picked = list(narrowing(self.selection, _PERSONA, [self.picks]).values())
        if (
            picked
            and (picked != self._picked_by or not self._ids)
            and not (is_first and self._given)
        ):
            self._ids, self._more = self._who(all_of(picked))
        elif not picked and self._picked_by:
            self._ids, self._more = self._given, 0
        if not picked and not self._given and len(self._ids) < LEAST:
            self._ids = self._queries["first"].frame["persona_id"].to_list()
        self._picked_by = picked

    def _who(self, where: Predicate | None) -> tuple[list[str], int]:
        source = "(SELECT id::VARCHAR AS persona_id, name FROM personas)"
        found = self._lab.query(
            f"SELECT persona_id, count(*) OVER () AS total FROM {source}"  # noqa: S608 - literals
            f" WHERE {literal_sql(where)} ORDER BY name, persona_id LIMIT {MOST}"
        )
        total = int(found["total"][0]) if found.height else 0
        return found["persona_id"].to_list(), total - found.height

    def _watch(self) -> None:
        """Follow what is compared now, and nothing else."""
        of_events = narrowing(self.selection, EVENT_COLUMNS, [self.picks])
        of_moods = narrowing(self.selection, EVENT_COLUMNS - {"name"}, [self.picks])
        of_memories = narrowing(self.selection, MEMORY_COLUMNS, [self.picks])
        wanted = {
            "who": who_sql(self._ids),
            "memories": memories_sql(self._ids, of_memories),
            "moods": moods_sql(self._ids, of_moods),
            "events": events_sql(self._ids, of_events, _EVENTS),
        }
        for name, sql in wanted.items():
            old = self._queries.get(name)
            if old is None or old.sql != sql:
                shape = _people_of(self) if name == "who" else None
                query = self._lab.live(sql)
                if name == "who":
                    self._now = (list(self._ids), query)
                self.follow(name, query, shape, is_main=name == "who")
                if old is not None:
                    old.close()

    def people(self, *, wait: bool = True) -> list[dict[str, Any]]:
        """Who is compared, in order; of one that was erased nothing but its place."""
        ids, query = self._now
        rows = {r["persona_id"]: r for r in query.copy(wait=wait).rows(named=True)}
        gone = {"is_alive": False, "name": _GONE}
        if len(rows) < len(ids):
            self._first = NOTHING_YET  # what the view opened with
        return [{"persona_id": i} | (persona_of(rows[i]) if i in rows else gone) for i in ids]

    def _picked(self) -> list[str]:
        held = self.selection.predicates.get(self.picks)
        return [str(v) for v in held.values] if isinstance(held, OneOf) else []

    def _filters(self) -> dict[str, Predicate]:
        names = EVENT_COLUMNS | MEMORY_COLUMNS | _PERSONA
        return narrowing(self.selection, names, [self.picks])

    def _state(self) -> dict[str, Any]:
        return {
            "people": self.people(),
            "picked": self._picked(),
            "more": self._more,
            "filters": {n: literal_sql(p) for n, p in self._filters().items()},
            "python": self.python,
        }


def _people_of(view: PersonaCompare) -> Callable[[object], list[dict[str, Any]]]:
    """What a page shows of them, without holding the view."""
    me = weakref.WeakMethod(view.people)
    return lambda _frame: [] if (people := me()) is None else people(wait=False)
