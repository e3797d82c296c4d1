"""EventLog: the log as it grows or was, filtered, held, followed; each event whole, with cause and effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from pjais_lab.core.markup import facts
from pjais_lab.core.predicate import OneOf
from pjais_lab.errors import ViewError
from pjais_lab.views import _fallback, _log
from pjais_lab.views._requests import answer
from pjais_lab.views.event_log import detail, shown
from pjais_lab.views.event_log.filters import Asked, checked_names, condition_of
from pjais_lab.views.event_log.follow import SHARED, TAIL, FollowedLog, events_sql

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from pjais_lab.personas.model import PersonaModel
    from pjais_lab.reactive.selection import Selection
    from pjais_lab.views._log import Log

__all__ = ["EventLog"]

_MOST_ROWS: Final = 500
_MOST_PICKED: Final = 1_000
_MOST_FRAME: Final = 1_000_000
_STATIC: Final = 12


class EventLog(FollowedLog):
    """A lab's log, live, the newest event last; however long it is.

    The newest stands at the bottom, as in every log: an event is read after what led to it, and
    what is added moves nothing that is already there. The log of a past lab ends at its moment.

    Args:
        lab: an open lab, or a past one (``lab.at(…)``).
        selection: shared with other views. Their predicates on columns of ``events`` filter this
            log; the events picked here become a predicate on ``id``.
        names: only events of these names, or event classes.
        without: no events of these names.
        persona: only those of one persona: its name, id or model.
        actor: only those of one actor, ``user:…``, ``plugin:…``, ``import:…``.
        search: only those with this text in their content, name or actor.
        title: what is written above it.

    Raises:
        ViewError: that is no lab, or there is no such event.
        NotFoundError: there is no such persona.

    Attributes:
        selection: what is shared.
        picks: the name of the predicate that finds the picked events.
    """

    kind = "event_log"

    def __init__(
        self,
        lab: Log,
        *,
        selection: Selection | None = None,
        names: Any = (),
        without: Any = (),
        persona: PersonaModel | str | None = None,
        actor: str | None = None,
        search: str = "",
        title: str | None = None,
    ) -> None:
        _log.checked(lab, "An EventLog")
        asked = Asked(
            _names(lab, names, "names"),
            _names(lab, without, "without"),
            None if persona is None else shown.persona_id(lab, persona),
            actor,
            search,
        )
        super().__init__(lab, asked, selection, title if title is not None else "Events")

    # ------------------------------------------------------------ for the user
    @property
    def frame(self) -> pl.DataFrame:
        """What is shown: all events that the filters leave, oldest first.

        Raises:
            ViewError: they are more than a million.
        """
        count = self._places.count(self._lab.position)
        if count > _MOST_FRAME:
            msg = f"{count:,} events are shown here; a frame holds at most {_MOST_FRAME:,} of them."
            raise ViewError(msg, hint="Filter them, or write lab.query(…) for what you need.")
        return self._lab.query(self.sql)

    @property
    def selected(self) -> pl.DataFrame:
        """The picked events; all that are shown when none is picked.

        Raises:
            ViewError: none is picked, and they are more than a million.
        """
        picked = self.selection.predicates.get(self.picks)
        if picked is None:
            return self.frame
        return self._lab.query(events_sql(condition_of([picked])))

    @property
    def event(self) -> dict[str, Any] | None:
        """The event that was picked last, ``args`` as Python values; None when none is."""
        if self._event is None:
            return None
        row = detail.event_of(self._lab.query, self._event)
        return row | {"args": None if row["args"] is None else msgspec.json.decode(row["args"])}

    # ------------------------------------------------------------ what the browser asks
    @answer
    def count(self) -> int:
        """Count the events that are shown."""
        count = self._places.count(self._lab.position)
        self._tell()
        return count

    @answer
    def rows(self, *, start: int, count: int) -> pl.DataFrame:
        """Some events by their places, oldest first."""
        places = self._places
        before = places.revision
        found = places.page(start, min(count, _MOST_ROWS), self._lab.position)
        if places.revision != before:
            self.change()
        return shown.rows(found, self._people_now(), self._lab.registry)

    @answer
    def find(self, *, event: str) -> dict[str, Any]:
        """Where an event stands, and whether the filters leave it."""
        row = detail.event_of(self._lab.query, event)
        place = self._places.place(int(row["seq"]), self._lab.position)
        at = self._places.page(place, 1, self._lab.position)
        is_shown = not at.is_empty() and at.item(0, "seq") == row["seq"]
        return {"place": place, "is_shown": is_shown}

    @answer
    def pick(self, *, events: list[str]) -> None:
        """Pick events; the last one is the one that is looked at.

        Raises:
            ViewError: they are too many.
        """
        if len(events) > _MOST_PICKED:
            msg = f"{len(events):,} events were to be picked; at most {_MOST_PICKED:,} can be."
            raise ViewError(msg, hint="Filter them instead.")
        self._event = events[-1] if events else None
        self.selection[self.picks] = OneOf("id", events) if events else None
        self._tell()

    @answer
    def look(self, *, event: str) -> dict[str, Any]:
        """An event whole: envelope and content."""
        row, registry = detail.event_of(self._lab.query, event), self._lab.registry
        return shown.envelope(row, self._people_now(), registry) | detail.content(row, registry)

    @answer
    def around(self, *, event: str) -> dict[str, Any]:
        """What an event hangs together with."""
        ask = self._lab.query
        return detail.relations(ask, detail.event_of(ask, event))

    @answer
    def facets(self) -> dict[str, Any]:
        """How many events there are of each name, persona and actor."""
        return shown.facets(self._lab.query, self._filters(), self._people_now())

    @answer
    def filter(self, *, by: str, values: list[str]) -> None:
        """Filter by ``names``, ``without``, ``persona``, ``actor`` or ``search``; by none when empty.

        Raises:
            ViewError: events cannot be filtered by that.
        """
        one = values[-1] if values else None
        changes: dict[str, Any] = {
            "names": {"names": tuple(values)},
            "without": {"without": tuple(values)},
            "persona": {"persona": one},
            "actor": {"actor": one},
            "search": {"search": one or ""},
        }
        if by not in changes:
            msg = f"Events cannot be filtered by {by!r}; expected one of {', '.join(changes)}."
            raise ViewError(msg)
        self._ask_for(msgspec.structs.replace(self._asked, **changes[by]))

    @answer
    def remove(self, *, chip: str) -> None:
        """Take one filter away: one of this log, or one of the shared selection."""
        if chip in self._asked.predicates():
            self.filter(by=chip, values=[])
        else:
            self.selection[chip.removeprefix(SHARED)] = None

    @answer
    def clear(self) -> None:
        """Take away filters and picks."""
        self._event = None
        self.selection.clear()
        self._ask_for(Asked())

    # ------------------------------------------------------------ how it works
    def sections(self) -> Iterable[str]:
        """The static view: the last events."""
        moment = _log.said(self._lab)
        if moment is not None:
            yield facts([("the log", moment)])
        known, places = self._places.known, self._places
        if known is None:
            found = places.newest(self._lab.position, TAIL).tail(_STATIC)
        else:
            found = places.page(known[0] - _STATIC, _STATIC, known[1])
        last = shown.rows(found, self._people_now(), self._lab.registry)
        columns = ["seq", "occurred_at", "name", "persona", "said"]
        yield _fallback.table("", last.select(columns))


def _names(lab: Log, given: Any, what: str) -> tuple[str, ...]:
    return checked_names(given, lab.registry, lambda: _log.unknown_names(lab), what)
