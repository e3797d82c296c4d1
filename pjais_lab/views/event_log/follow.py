"""A log that is followed, or a past one: what of it is shown, how many events these are, the last of them."""

from __future__ import annotations

import itertools
import time
import weakref
from typing import TYPE_CHECKING, Any, Final

import msgspec
import polars as pl

from pjais_lab.core.predicate import OneOf, Predicate
from pjais_lab.errors import LabError
from pjais_lab.reactive.live_query import LiveQuery
from pjais_lab.reactive.selection import Selection
from pjais_lab.storage.relation import literal_sql
from pjais_lab.views import _log, _python
from pjais_lab.views._base import View
from pjais_lab.views._transport import QUERY
from pjais_lab.views._weak import calls
from pjais_lab.views.event_log import shown
from pjais_lab.views.event_log.filters import COLUMNS, Asked, condition_of, here
from pjais_lab.views.event_log.places import Places

if TYPE_CHECKING:
    from pjais_lab.views._log import Log

__all__ = ["SHARED", "TAIL", "FollowedLog", "events_sql"]

SHARED: Final = "shared "
"""What the chips of the shared selection begin with."""
_NUMBERS: Final = itertools.count(1)
TAIL: Final = 40
"""How many of the last events travel with every push."""
_PEOPLE: Final = "SELECT id, name FROM personas ORDER BY id"


class FollowedLog(View):
    """What follows a lab's log and tells the browser how it stands.

    Args:
        lab: an open lab, or a past one.
        asked: which events.
        selection: shared with other views; an own one if None.
        title: what is written above it.

    Attributes:
        selection: what is shared.
        picks: the name of the predicate that finds the picked events.
    """

    def __init__(self, lab: Log, asked: Asked, selection: Selection | None, title: str) -> None:
        super().__init__(title)
        self._lab = lab
        self.selection = selection if selection is not None else Selection()
        self.picks = f"events {next(_NUMBERS)}"
        self._asked = asked
        self._event: str | None = None
        self._version = self._order = 0
        self._known: dict[str, str] = {}
        self._seen: pl.DataFrame | None = None
        self._places = self._places_of(self._condition())
        people = self._people = _log.frame_of(lab, _PEOPLE)
        self._told = self._people_now()
        heard = self._heard = _hearer(self)
        if isinstance(people, LiveQuery):
            self.following.add(people, heard, ["version", "error", "frame"])
        self.selection.observe(heard, "predicates")
        self.change()

    @property
    def sql(self) -> str:
        """The query that finds what is shown."""
        return events_sql(condition_of(self._filters().values()))

    @property
    def python(self) -> str:
        """The call that makes this log as it is now."""
        asked, held = self._asked, here(self.selection.predicates, but=self.picks)
        items = (f"{name!r}: {_python.predicate(p)}" for name, p in held.items())
        persona = asked.persona and self._people_now().get(asked.persona, asked.persona)
        return _python.call(
            "pj.views.EventLog",
            _log.argument(self._lab),
            names=repr([*asked.names]) if asked.names else None,
            without=repr([*asked.without]) if asked.without else None,
            persona=repr(persona) if persona else None,
            actor=repr(asked.actor) if asked.actor is not None else None,
            search=repr(asked.search) if asked.search else None,
            selection=f"pj.Selection({{{', '.join(items)}}})" if held else None,
        )

    def close(self) -> None:
        """Stop following; closing twice is fine."""
        if not self._is_shut and self.is_ready:
            self.selection.unobserve(self._heard, "predicates")
            self._people.close()
        super().close()

    def change(self) -> None:
        """What is shown may be something else now; from any thread, at once."""
        with self._guard:
            condition = self._condition()
            if condition != self._places.condition:
                self._places = self._places_of(condition)
                self._order += 1
            self._version += 1
        self._tell()

    def heed(self, what: str) -> None:
        """Something has moved: the log (``version``), a persona's name (``frame``), the selection."""
        failure: Exception | None = None
        try:
            if what == "frame":
                self._look_at_people()
            elif what == "predicates" and self._condition() != self._places.condition:
                self.change()
        except LabError as error:  # a predicate that does not fit: what is shown stays
            failure = error
        self._channel.fail(failure, what)
        self._channel.fail(self._people.failure, "personas")
        self._tell()

    def _look_at_people(self) -> None:
        old, new = self._told, self._people_now()
        self._told = new
        if old.keys() - new.keys():
            self._places.recount()
        if any(new.get(key) != name for key, name in old.items()):
            self.change()

    def _ask_for(self, asked: Asked) -> None:
        self._asked = asked
        self.change()

    def _filters(self) -> dict[str, Predicate]:
        """What filters this log, by the names of its chips."""
        held = here(self.selection.predicates, but=self.picks)
        return self._asked.predicates() | {f"{SHARED}{n}": p for n, p in held.items()}

    def _condition(self) -> str:
        return condition_of(self._filters().values())

    def _places_of(self, condition: str) -> Places:
        return Places(self._lab.query, condition, calls(self._tell))

    def _tell(self) -> None:
        self.put_later("state", self.state)

    def _people_now(self) -> dict[str, str]:
        """Id -> name."""
        frame, known = self._people.frame, self._known
        if frame is not self._seen and frame.width:
            known = dict(zip(map(str, frame["id"]), frame["name"], strict=True))
            self._seen, self._known = frame, known
        return known

    def state(self) -> dict[str, Any]:
        """Where the log is, and its last events; in the thread that sends."""
        begun, version, places = time.perf_counter(), self._version, self._places
        position = self._lab.position
        tail = places.newest(position, TAIL)
        places.follow(tail, position)
        known = places.known
        if known is not None and known[1] > position:  # a page has counted meanwhile
            tail = places.newest(known[1], TAIL)
        elif known is not None:
            tail = tail.filter(pl.col("seq") <= known[1])
        people = self._people_now()
        self.put("tail", shown.rows(tail, people, self._lab.registry))
        self.put(QUERY, {"sql": self.sql, "ms": (time.perf_counter() - begun) * 1000})
        picked = self.selection.predicates.get(self.picks)
        return {
            "version": version,
            "order": f"{self._order}.{places.revision}",
            "moment": _log.said(self._lab),
            "position": position,
            "count": None if known is None else known[0],
            "filters": {n: literal_sql(p, COLUMNS) for n, p in self._filters().items()}
            | self._asked.labels(people),
            "asked": msgspec.to_builtins(self._asked),
            "picked": [str(v) for v in picked.values] if isinstance(picked, OneOf) else [],
            "event": self._event,
            "python": self.python,
        }


def _hearer(log: FollowedLog) -> Any:
    """What observes for a log without holding it."""
    me = weakref.ref(log)

    def heard(change: Any) -> None:
        found = me()
        if found is not None:
            found.heed(change.name)

    return heard


def events_sql(condition: str) -> str:
    """The SELECT of the events that a condition leaves, oldest first."""
    where = "" if condition == "true" else f"\nWHERE {condition}"
    return f"SELECT * FROM events{where}\nORDER BY seq"  # noqa: S608 - literals of our own
