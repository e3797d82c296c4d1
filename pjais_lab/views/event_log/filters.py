"""What an event log is filtered by: what was asked of it, and what the shared selection holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pjais_lab.core.predicate import AnyOf, Contains, Not, OneOf, Predicate, all_of, columns_of
from pjais_lab.core.spelling import near
from pjais_lab.errors import ViewError
from pjais_lab.storage.relation import Column, literal_sql
from pjais_lab.views.event_log.text import json_text

if TYPE_CHECKING:
    from pjais_lab.core.registry import Registry

__all__ = ["COLUMNS", "Asked", "checked_names", "condition_of", "here"]

COLUMNS: Final[dict[str, Column]] = {
    c.name: c
    for c in (
        Column("seq", "BIGINT", "exact", 0),
        Column("id", "UUID", "text"),
        Column("name", "VARCHAR", "text"),
        Column("entity_id", "UUID", "text"),
        Column("persona_id", "UUID", "text"),
        Column("shard", "USMALLINT", "integer", 0),
        Column("epoch", "INTEGER", "integer", 0),
        Column("occurred_at", "TIMESTAMP", "timestamp"),
        Column("committed_at", "TIMESTAMP", "timestamp"),
        Column("origin", "VARCHAR", "text"),
        Column("origin_seq", "BIGINT", "exact", 0),
        Column("actor", "VARCHAR", "text"),
        Column("cause", "UUID", "text"),
        Column("args", "JSON", "json"),
    )
}
"""The table ``events``."""


class Asked(msgspec.Struct, frozen=True):
    """What was asked of one log; it filters no other view.

    Attributes:
        names: only events of these names; of any when empty.
        without: no events of these names.
        persona: only those of this persona, by id.
        actor: only those of this actor.
        search: a text in the content, the name or the actor.
    """

    names: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    persona: str | None = None
    actor: str | None = None
    search: str = ""

    def predicates(self) -> dict[str, Predicate]:
        """One for each that is set, by its name."""
        made: dict[str, Predicate] = {}
        if self.names:
            made["names"] = OneOf("name", self.names)
        if self.without:
            made["without"] = Not(OneOf("name", self.without))
        if self.persona is not None:
            made["persona"] = OneOf("persona_id", [self.persona])
        if self.actor is not None:
            made["actor"] = OneOf("actor", [self.actor])
        if self.search:
            made["search"] = _said(self.search)
        return made

    def labels(self, people: Mapping[str, str]) -> dict[str, str]:
        """The same in words, for the chips.

        Args:
            people: id -> name.
        """
        persona = self.persona and people.get(self.persona, self.persona)
        said = {
            "names": f"event {', '.join(self.names)}",
            "without": f"without {', '.join(self.without)}",
            "persona": f"persona {persona}",
            "actor": f"actor {self.actor}",
            "search": f"contains {self.search}",
        }
        return {name: said[name] for name in self.predicates()}


def _said(text: str) -> Predicate:
    """A text, which within JSON may be written otherwise."""
    within = json_text(text)
    if within == text:
        return Contains(text, ["name", "actor", "args"])
    return AnyOf([Contains(text, ["name", "actor"]), Contains(within, ["args"])])


def here(
    held: Mapping[str, Predicate], *, but: str, only: Iterable[str] = COLUMNS
) -> dict[str, Predicate]:
    """The predicates of a selection that are about events.

    Args:
        held: by name.
        but: the name of the view's own one.
        only: the columns there are.
    """
    names = frozenset(only)
    return {n: p for n, p in held.items() if n != but and columns_of(p) <= names}


def condition_of(predicates: Iterable[Predicate]) -> str:
    """All of them as SQL over ``events``; ``true`` when there are none.

    Raises:
        QueryError: a value does not fit its column.
    """
    return literal_sql(all_of([*predicates]), COLUMNS)


def checked_names(
    given: Any, registry: Registry, in_log: Callable[[], Iterable[str]], what: str
) -> tuple[str, ...]:
    """Names of events, each known.

    Args:
        given: one name or several, or event classes.
        registry: what is declared.
        in_log: gives names that the log has though nobody declares them; asked only if needed.
        what: the keyword, for the message.

    Raises:
        ViewError: there is no such event.
    """
    some = [given] if isinstance(given, (str, type)) else given
    if not isinstance(some, Iterable):
        msg = f"{what}={given!r} is no list of event names."
        raise ViewError(msg, hint="Write names=['v1.PersonaCreated'].")
    names = tuple(dict.fromkeys(_name(one) for one in some))
    strange = [n for n in names if n not in registry.events and n not in registry.upcasters]
    known = set(in_log()) if strange else set[str]()
    wrong = next((n for n in strange if n not in known), None)
    if wrong is not None:
        msg = f"There is no event {wrong!r}, declared or in the log."
        raise ViewError(msg, hint=near(wrong, registry.events) or None, name=wrong)
    return names


def _name(given: Any) -> str:
    spec = getattr(given, "__event__", None)
    return str(spec.name) if spec is not None else str(given)
