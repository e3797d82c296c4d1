"""What views of personas ask: who they are, how their moods went, what they remember and do."""

# ruff: noqa: S608 - ids are checked, all else is literals of our own

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from pjais_lab.core.predicate import Predicate, all_of
from pjais_lab.errors import ViewError
from pjais_lab.personas.model import PersonaModel
from pjais_lab.personas.state import TRAITS
from pjais_lab.storage.duck import quote
from pjais_lab.storage.relation import literal_sql

if TYPE_CHECKING:
    from pjais_lab.lab.lab import Lab

__all__ = [
    "EVENT_COLUMNS",
    "LEAST",
    "MEMORY_COLUMNS",
    "MOST",
    "PERSONA",
    "check_number",
    "checked",
    "events_sql",
    "finding",
    "memories_sql",
    "moods_sql",
    "named",
    "persona_of",
    "who",
    "who_sql",
]

EVENT_COLUMNS: Final = frozenset({"occurred_at", "name", "actor", "entity_id", "id"})
MEMORY_COLUMNS: Final = frozenset({"occurred_at", "kind", "tier", "entity_id"})
PERSONA: Final = "$persona"
LEAST: Final = 2
MOST: Final = 6
_MOODS: Final = 300
_FOUND: Final = 20


def who_sql(ids: Iterable[str]) -> str:
    """The SELECT of personas as they are now."""
    return (
        "SELECT id::VARCHAR AS persona_id, * EXCLUDE (id, persona_id, shard) FROM personas"
        f" WHERE id {_whose(ids)} ORDER BY name"
    )


def moods_sql(ids: Iterable[str], where: dict[str, Predicate]) -> str:
    """The SELECT of the last moods of each persona, oldest first."""
    return f"""\
SELECT {_who(ids)}occurred_at AS at, args->>'emotion' AS emotion,
    CAST(args->>'intensity' AS DOUBLE) AS intensity
FROM events WHERE persona_id {_whose(ids)} AND name = 'v1.PersonaMoodChanged'{_and(where)}
QUALIFY row_number() OVER (PARTITION BY persona_id ORDER BY occurred_at DESC, id DESC) <= {_MOODS}
ORDER BY persona_id, occurred_at, id"""


def memories_sql(ids: Iterable[str], where: dict[str, Predicate]) -> str:
    """The SELECT of how many memories each persona has, by kind and tier."""
    return f"""\
SELECT {_who(ids)}kind, tier, count(*) AS memories FROM (
    SELECT persona_id, id AS entity_id, kind, tier, created_at AS occurred_at FROM memories)
WHERE persona_id {_whose(ids)}{_and(where)}
GROUP BY ALL ORDER BY memories DESC, kind, tier{_then(ids)} LIMIT 500"""


def events_sql(ids: Iterable[str], where: dict[str, Predicate], most: int) -> str:
    """The SELECT of the last events of each persona, newest first."""
    return f"""\
SELECT {_who(ids)}id, name, occurred_at AS at, actor,
    left(coalesce(args->>'content', args->>'text', args->>'emotion', args->>'name', ''), 160) AS said
FROM events WHERE persona_id {_whose(ids)}{_and(where)}
QUALIFY row_number() OVER (PARTITION BY persona_id ORDER BY occurred_at DESC, id DESC) <= {most}
ORDER BY persona_id, occurred_at DESC, id DESC"""


def persona_of(row: dict[str, Any]) -> dict[str, Any]:
    """A row of ``personas`` as a page shows it."""
    own = {str(k): v for k, v in _pairs(row["custom_traits"])}
    kept = ("name", "description", "mood", "mood_intensity", "is_active")
    traits = {t: row[t] for t in TRAITS} | own
    return {"is_alive": True, "traits": traits} | {k: row[k] for k in kept}


def who(frame: pl.DataFrame) -> dict[str, Any]:
    """The one persona of a frame, or that it is no more."""
    return persona_of(frame.row(0, named=True)) if frame.height else {"is_alive": False}


def finding(lab: Lab, text: str) -> dict[str, Any]:
    """Personas whose names contain a text: the first ones, and how many there are."""
    where = "contains(lower(name), lower($text))"
    found = lab.query(
        f"SELECT id::VARCHAR AS persona_id, name, is_active FROM personas WHERE {where}"
        f" ORDER BY starts_with(lower(name), lower($text)) DESC, name LIMIT {_FOUND}",
        text=text,
    )
    count = lab.query(f"SELECT count(*) FROM personas WHERE {where}", text=text).item()
    return {"found": found.to_dicts(), "count": count}


def checked(lab: Lab, personas: Sequence[PersonaModel | str], *, least: int = LEAST) -> list[str]:
    """The ids of personas that are there.

    Raises:
        NotFoundError: one is not there.
        ViewError: they are no list, or too few or too many.
    """
    if isinstance(personas, str):
        msg = f"{personas!r} is one persona; two to six can be compared."
        raise ViewError(msg, hint="Give a list of names.")
    found = [p.id if isinstance(p, PersonaModel) else lab.personas.id_of(p) for p in personas]
    if least:
        check_number(found)
    return found


def check_number(ids: Sequence[str]) -> None:
    """Refuse what cannot be compared.

    Raises:
        ViewError: they are too few or too many, or one is there twice.
    """
    if not LEAST <= len(ids) <= MOST:
        msg = f"{len(ids)} personas were to be compared; two to six can be."
        raise ViewError(msg, hint="For one, use pj.views.PersonaCard.")
    if len(set(ids)) < len(ids):
        raise ViewError("One persona was to be compared with itself.", hint="Name it once.")


def named(frame: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame:
    """Rows with the names of their personas."""
    shown = pl.col("persona_id").replace(names).alias("persona")
    return frame.select(shown, pl.exclude("persona_id"))


def _who(ids: Iterable[str]) -> str:
    """Of several personas each row says whose it is."""
    return "" if ids == PERSONA else "persona_id::VARCHAR AS persona_id, "


def _then(ids: Iterable[str]) -> str:
    return "" if ids == PERSONA else ", persona_id"


def _whose(ids: Iterable[str]) -> str:
    """One persona is bound as ``$persona``, so that only its own events matter to a live query."""
    if ids == PERSONA:
        return f"= {PERSONA}"
    return f"IN ({', '.join(map(quote, ids)) or 'NULL'})"


def _and(where: dict[str, Predicate]) -> str:
    found = all_of(list(where.values()))
    return "" if found is None else f" AND ({literal_sql(found)})"


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    """A map column's entries, however polars gives them."""
    if isinstance(value, dict):
        return list(value.items())
    return [(p["key"], p["value"]) for p in value or []]
