"""Who is where, hour by hour."""

from __future__ import annotations

from random import Random
from typing import Final

from pjais_lab.simulation.town import HOURS, Resident, Town

__all__ = ["plan_day"]

_WEEKEND: Final = 5
_NOON: Final = 12
_OUTGOING: Final = ("pub", "market", "cafe", "park", "harbour", "pub")
_QUIET: Final = ("library", "park", "cafe", "workshop", "library", "farm")
_OPEN_AT_WEEKENDS: Final = frozenset({"cafe", "pub", "farm", "bakery", "park"})


def plan_day(town: Town, weekday: int, rng: Random) -> list[dict[int, list[Resident]]]:
    """For each of ``HOURS``, the residents by the place they are at, in a fixed order.

    Args:
        town: the town.
        weekday: 0 for Monday.
        rng: where chance comes from.
    """
    hours: list[dict[int, list[Resident]]] = [{} for _ in HOURS]
    for resident in town.residents:
        for slot, place in zip(hours, _whereabouts(resident, town, weekday, rng), strict=True):
            present = slot.get(place)
            if present is None:
                slot[place] = [resident]
            else:
                present.append(resident)
    return hours


def _whereabouts(resident: Resident, town: Town, weekday: int, rng: Random) -> list[int]:
    public = town.public[resident.district]
    _, kind, first, last = resident.job
    works = weekday < _WEEKEND or (kind in _OPEN_AT_WEEKENDS and rng.random() < 0.5)
    noon = public["cafe"] if rng.random() < 0.3 else resident.work
    haunts = _OUTGOING if resident.is_restless else _QUIET
    goes_out = 0.25 + resident.traits.extraversion / 180
    free = resident.home
    day: list[int] = []
    for hour in HOURS:
        if works and first <= hour < last:
            day.append(noon if hour == _NOON else resident.work)
            continue
        if hour % 2 == 0 and 8 <= hour < 22:
            out = rng.random() < goes_out
            free = public[haunts[int(rng.random() * len(haunts))]] if out else resident.home
        day.append(free if hour < 22 else resident.home)
    return day
