"""A registry with every merge, over every kind of field."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from msgspec import UNSET, UnsetType

from pjais_lab.core.event import Event, event
from pjais_lab.core.merge import (
    Any_,
    Count,
    First,
    Last,
    LastMap,
    LastSet,
    Max,
    Min,
    Sum,
    Union,
    src,
)
from pjais_lab.core.registry import Registry
from pjais_lab.core.table import Table

__all__ = ["ANIMALS", "MERGES", "ZOO"]


@event("v1.AnimalArrived", entity="animal", effect="create")
class AnimalArrived(Event):
    """It came."""

    name: str
    weight: float
    legs: int
    price: Decimal
    born: datetime
    nickname: str | None = None
    is_tame: bool = False
    foods: list[str] = []
    prizes: list[int] = []
    scores: dict[str, float] = {}
    notes: Any = None


@event("v1.AnimalChanged", entity="animal")
class AnimalChanged(Event):
    """Some of its fields are new."""

    name: str | UnsetType = UNSET
    weight: float | UnsetType = UNSET
    legs: int | UnsetType = UNSET
    nickname: str | UnsetType | None = UNSET
    is_tame: bool | UnsetType = UNSET
    food: str | UnsetType = UNSET
    dislikes: list[str] | UnsetType = UNSET
    seen_at: datetime | UnsetType | None = UNSET
    scores: dict[str, float | None] | UnsetType | None = UNSET
    notes: Any | UnsetType = UNSET


@event("v1.AnimalFed", entity="animal")
class AnimalFed(Event):
    """It ate; nothing but the fact matters."""


@event("v1.AnimalLeft", entity="animal", effect="delete")
class AnimalLeft(Event):
    """It went."""

    legs: int = 4


_BOTH: Final = {
    name: (src(AnimalArrived, name), src(AnimalChanged, name))
    for name in ("name", "weight", "legs", "nickname", "is_tame", "scores", "notes")
}

ANIMALS: Final = Table(
    "animals",
    entity="animal",
    columns={
        "name": Last("VARCHAR", _BOTH["name"]),
        "nickname": Last("VARCHAR", _BOTH["nickname"]),
        "weight": Last("DOUBLE", _BOTH["weight"]),
        "first_name": First("VARCHAR", _BOTH["name"]),
        "first_nickname": First("VARCHAR", _BOTH["nickname"]),
        "first_legs": First("BIGINT", (src(AnimalArrived, "legs"), src(AnimalLeft, "legs"))),
        "arrived_legs": Last("BIGINT", (src(AnimalArrived, "legs"),)),
        "arrived_notes": Last("JSON", (src(AnimalArrived, "notes"),)),
        "born": Last("TIMESTAMP", (src(AnimalArrived, "born"),)),
        "prizes": Last("BIGINT[]", (src(AnimalArrived, "prizes"),)),
        "notes": Last("JSON", _BOTH["notes"]),
        "is_present": Last(
            "BOOLEAN", (src(AnimalArrived, const=True), src(AnimalLeft, const=False))
        ),
        "fed_by": Last("VARCHAR", (src(AnimalFed, "$actor"),)),
        "min_weight": Min("DOUBLE", _BOTH["weight"]),
        "max_nickname": Max("VARCHAR", _BOTH["nickname"]),
        "min_seen_at": Min("TIMESTAMP", (src(AnimalChanged, "seen_at"),)),
        "last_fed_at": Max("TIMESTAMP", (src(AnimalFed, "$occurred_at"),)),
        "legs": Sum("BIGINT", _BOTH["legs"]),
        "spent": Sum("DECIMAL(18, 2)", (src(AnimalArrived, "price"),)),
        "meals": Count("BIGINT", (src(AnimalFed, const=1),)),
        "changes": Count("INTEGER", (src(AnimalChanged, "nickname"),)),
        "was_tame": Any_("BOOLEAN", _BOTH["is_tame"]),
        "eaten": Union("VARCHAR[]", (src(AnimalArrived, "foods"), src(AnimalChanged, "food"))),
        "numbers": Union("BIGINT[]", (src(AnimalArrived, "prizes"), src(AnimalLeft, "legs"))),
        "likes": LastSet(
            "VARCHAR[]",
            (src(AnimalArrived, "foods"), src(AnimalChanged, "food")),
            removals=(src(AnimalChanged, "dislikes"),),
        ),
        "scores": LastMap("MAP(VARCHAR, DOUBLE)", _BOTH["scores"]),
    },
)
MERGES: Final = ANIMALS.columns
ZOO: Final = Registry().add(AnimalArrived, AnimalChanged, AnimalFed, AnimalLeft, ANIMALS)
