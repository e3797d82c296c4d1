"""Decks: everyday memories written in advance, a week's worth for each place, then drawn from."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Final

import msgspec

from pjais_lab.simulation.moulds import RECORDED, tails
from pjais_lab.simulation.names import PLACES
from pjais_lab.simulation.phrases import DOINGS, NOTICED, TOUCHES
from pjais_lab.simulation.town import Town

__all__ = ["Card", "Decks", "deal"]

Card = tuple[int, int, str, str]
"""Time it takes in microseconds, poignancy, content or its end as JSON, what it is about."""

# Poignancy of everyday memories: most are dull, few are not.
_DULL: Final = (1,) * 62 + (2,) * 20 + (3,) * 10 + (4,) * 5 + (5,) * 2 + (6,)
_SIZE: Final = 64
_LARGE: Final = 192
_SECOND_US: Final = 1_000_000


class Decks(msgspec.Struct, frozen=True):
    """All decks of a week.

    Attributes:
        noticed: per place number, things noticed there.
        seen: per kind of place, what somebody else was seen doing there, to follow a name.
    """

    noticed: list[list[Card]]
    seen: dict[str, list[Card]]


def deal(town: Town, expires_at: datetime, rng: Random) -> Decks:
    """Write a week's decks.

    Args:
        town: whose places.
        expires_at: when minor memories may be let go.
        rng: where chance comes from.
    """
    endings = {kind: tails("event", (kind,), expires_at) for kind in ("home", *PLACES)}
    seen = {
        kind: [_card(rng, "", _pick(rng, DOINGS), ends) for _ in range(_LARGE)]
        for kind, ends in endings.items()
    }
    home = [_noticed(rng, "home", "home", endings["home"]) for _ in range(_LARGE)]
    noticed = [
        home
        if place.kind == "home"
        else [_noticed(rng, place.kind, place.name, endings[place.kind]) for _ in range(_SIZE)]
        for place in town.places
    ]
    return Decks(noticed, seen)


def _noticed(rng: Random, kind: str, name: str, ends: list[tuple[str, ...]]) -> Card:
    sentence = _pick(rng, NOTICED[kind]).replace("{place}", name) + _pick(rng, TOUCHES)
    took, poignancy, content, _ = _card(rng, RECORDED, sentence, ends)
    return (took, poignancy, content, name)


def _card(rng: Random, before: str, sentence: str, ends: list[tuple[str, ...]]) -> Card:
    poignancy = _DULL[int(rng.random() * len(_DULL))]
    took = (60 + int(rng.random() * 400)) * _SECOND_US
    return (took, poignancy, f"{before}{sentence}{ends[poignancy][0]}", "")


def _pick(rng: Random, items: tuple[str, ...]) -> str:
    return items[int(rng.random() * len(items))]
