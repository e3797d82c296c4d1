"""Events as a page gets them, and how many there are of each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from pjais_lab.core.ids import is_id
from pjais_lab.personas.model import PersonaModel
from pjais_lab.views import _log
from pjais_lab.views.event_log.detail import mark_of
from pjais_lab.views.event_log.filters import condition_of
from pjais_lab.views.event_log.text import in_one_line

if TYPE_CHECKING:
    from pjais_lab.core.predicate import Predicate
    from pjais_lab.core.registry import Registry
    from pjais_lab.views._log import Log

__all__ = ["envelope", "facets", "persona_id", "rows"]

_FACETS: Final = {"names": "name", "persona": "persona_id", "actor": "actor"}
_MOST: Final = 30
_SCHEMA: Final = {"mark": pl.String, "persona": pl.String, "said": pl.String}
Ask = Callable[[str], pl.DataFrame]


def persona_id(lab: Log, persona: PersonaModel | str) -> str:
    """The id of a persona, which may be gone if it is given by its id.

    Raises:
        NotFoundError: there is none of that name.
    """
    if isinstance(persona, PersonaModel):
        return persona.id
    return persona if is_id(persona) else _log.persona_id(lab, persona)


def rows(found: pl.DataFrame, people: Mapping[str, str], registry: Registry) -> pl.DataFrame:
    """Events with the names of their personas, what is odd about them, and what they say.

    Args:
        found: from ``Places``.
        people: id -> name.
        registry: what is declared.
    """
    marks = {name: mark_of(registry, name) for name in found["name"].unique().to_list()}
    args = found["args"].to_list()
    names = zip(found["name"].to_list(), args, strict=True)
    added = {
        "mark": ["erased" if a is None else marks[n] for n, a in names],
        "persona": [people.get(str(p)) for p in found["persona_id"].to_list()],
        "said": [in_one_line(a) for a in args],
    }
    extra = pl.DataFrame(added, schema=_SCHEMA)
    return found.drop("args").hstack(extra)


def envelope(
    row: Mapping[str, Any], people: Mapping[str, str], registry: Registry
) -> dict[str, Any]:
    """All that is stored of an event but its content, as text."""
    spec = registry.events.get(registry.newest(str(row["name"])))
    said = {k: None if v is None else str(v) for k, v in row.items() if k != "args"}
    return said | {
        "persona": people.get(str(row["persona_id"])),
        "entity": None if spec is None else spec.__event__.entity,
    }


def facets(
    ask: Ask, predicates: Mapping[str, Predicate], people: Mapping[str, str]
) -> dict[str, list[list[Any]]]:
    """Value, label and events of the most frequent names, personas and actors.

    Each is counted under all the other filters, so that one sees what choosing another would give.

    Args:
        ask: answers SQL.
        predicates: what filters, by its name.
        people: id -> name.
    """
    found: dict[str, list[list[Any]]] = {}
    for what, column in _FACETS.items():
        own = {what, "without"} if what == "names" else {what}
        where = condition_of(p for name, p in predicates.items() if name not in own)
        sql = (
            f"SELECT {column} AS value, count(*) AS n FROM events WHERE ({where})"  # noqa: S608 - all ours
            f" AND {column} IS NOT NULL GROUP BY value ORDER BY n DESC, value LIMIT {_MOST}"
        )
        found[what] = [[str(v), people.get(str(v), str(v)), n] for v, n in ask(sql).rows()]
    return found
