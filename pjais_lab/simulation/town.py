"""The town: who lives there, where, and what for. Built from a seed, always the same."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, count
from random import Random
from typing import Any, Final

import msgspec

from pjais_lab.core.ids import natural_id
from pjais_lab.personas.mood import Feeling
from pjais_lab.personas.state import TEMPLATES, TRAITS, BigFive
from pjais_lab.simulation.names import DISTRICTS, FIRST, JOBS, LAST, PLACES, STREETS

__all__ = [
    "HOURS",
    "Memory",
    "NewId",
    "Place",
    "Resident",
    "Topic",
    "Town",
    "build_town",
    "ids_for",
]

HOURS: Final = range(6, 23)
"""The hours of a day in which something happens."""

_DISTRICT_SIZE: Final = 36
_HOUSEHOLD: Final = 2
_SPREAD: Final = 17.0

Memory = tuple[str, int, str]
"""id, poignancy from 1 to 10, what it is about."""

NewId = Callable[[], str]

_LOW: Final = tuple(f"{n:03x}" for n in range(4096))


def ids_for(*key: str) -> NewId:
    """Ids that follow from a key: UUIDv8 (RFC 9562 §5.8), a hash of it, then a counter.

    Args:
        key: what makes the town this one.

    Returns:
        A function that gives the next id, at the speed of C.

    >>> new_id = ids_for("a", "town")
    >>> new_id()[14:] < new_id()[14:]
    True
    """
    seed = natural_id("simulation", *key)
    head = f"{seed[:14]}8{seed[15:23]}-"
    numbers = (map(f"{head}{high:09x}".__add__, _LOW) for high in count())
    return chain.from_iterable(numbers).__next__


class Topic(msgspec.Struct, frozen=True):
    """Something worth telling.

    Attributes:
        noun: what it is called in passing.
        gist: what is told.
        poignancy: from 1 to 10.
        trigger: how it moves a mood.
        strength: how much, 0 to 100.
        tag: its label.
        number: its number in the town's chronicle.
    """

    noun: str
    gist: str
    poignancy: int
    trigger: Any
    strength: int
    tag: str
    number: int


class Place(msgspec.Struct, frozen=True):
    """A place where people meet.

    Attributes:
        kind: what sort of place.
        name: as people say it.
        number: its index in the town.
    """

    kind: str
    name: str
    number: int


class Resident:
    """A person of the town: fixed facts, and what the days leave behind.

    Only what is needed to go on is kept: recent memories, a few keepsakes, the news they know.
    """

    __slots__ = (
        "district",
        "extra",
        "feeling",
        "felt_hour",
        "first",
        "home",
        "id",
        "is_restless",
        "job",
        "keepsakes",
        "name",
        "news",
        "opening",
        "recent",
        "tension",
        "threshold",
        "traits",
        "work",
    )

    def __init__(self, number: str, name: str, traits: BigFive, home: int) -> None:
        self.id = number
        self.name = name
        self.first = name.split(maxsplit=1)[0]
        self.opening = f'{{"content":"{name}'
        self.traits = traits
        self.home = home
        self.work = home
        self.job = JOBS[0]
        self.district = ""
        self.extra: dict[str, Any] = {}
        self.feeling = Feeling()
        self.felt_hour = 0
        self.is_restless = traits.extraversion > 50
        self.threshold = 60.0 + traits.conscientiousness * 0.6
        self.tension = 0
        self.recent: list[Memory] = []
        self.keepsakes: list[Memory] = []
        self.news: list[tuple[Topic, Memory]] = []

    @property
    def description(self) -> str:
        """One sentence about the person."""
        strongest = max(TRAITS, key=lambda t: float(getattr(self.traits, t)))
        place, job = self.extra["home"], self.job[0]
        return f"{self.name}, {self.extra['age']}, {job}, lives at {place}; known for {strongest}."


class Town(msgspec.Struct, frozen=True):
    """Everything that stands still.

    Attributes:
        residents: the people.
        places: homes and public places by number.
        public: per district, the number of the place of each kind.
        new_id: the source of ids.
    """

    residents: list[Resident]
    places: list[Place]
    public: dict[str, dict[str, int]]
    new_id: NewId


def build_town(personas: int, rng: Random, new_id: NewId) -> Town:
    """Settle a number of people.

    Args:
        personas: how many.
        rng: where chance comes from.
        new_id: where ids come from.
    """
    town = Town([], [], {}, new_id)
    order = _shuffled(len(FIRST) * len(LAST), rng)
    district_count = max(1, round(personas / _DISTRICT_SIZE))
    for n in range(personas):
        district = _district(n * district_count // personas)
        if district not in town.public:
            _found(town, district, rng, is_only=district_count == 1)
        if n % _HOUSEHOLD == 0 or town.residents[-1].district != district:
            street = _pick(rng, STREETS)
            town.places.append(
                Place("home", f"{1 + int(rng.random() * 60)} {street}", len(town.places))
            )
        resident = Resident(new_id(), _name(n, order), _traits(rng), len(town.places) - 1)
        resident.job = _pick(rng, JOBS)
        resident.work = town.public[district][resident.job[1]]
        resident.district = district
        resident.extra = {
            "age": 18 + int(rng.random() * 65),
            "district": district,
            "home": town.places[resident.home].name,
            "occupation": resident.job[0],
        }
        town.residents.append(resident)
    return town


def _found(town: Town, district: str, rng: Random, *, is_only: bool) -> None:
    town.public[district] = {}
    for kind, names in PLACES.items():
        name = _pick(rng, names)
        full = name if is_only else f"{name} in {district}"
        town.public[district][kind] = len(town.places)
        town.places.append(Place(kind, full, len(town.places)))


def _district(number: int) -> str:
    turn, n = divmod(number, len(DISTRICTS))
    return DISTRICTS[n] if turn == 0 else f"{DISTRICTS[n]} {turn + 1}"


def _name(number: int, order: list[int]) -> str:
    turn, n = divmod(number, len(order))
    first, last = divmod(order[n], len(LAST))
    if turn == 0:
        return f"{FIRST[first]} {LAST[last]}"
    later, middle = divmod(turn - 1, len(FIRST))
    suffix = f" {later + 2}" if later else ""
    return f"{FIRST[first]} {FIRST[middle]} {LAST[last]}{suffix}"


def _traits(rng: Random) -> BigFive:
    if rng.random() < 0.2:
        base = _pick(rng, tuple(TEMPLATES.values())).traits
        means = [float(getattr(base, t)) for t in TRAITS]
    else:
        means = [50.0] * len(TRAITS)
    return BigFive(*(_around(m, rng) for m in means))


def _around(mean: float, rng: Random) -> float:
    bell = sum(rng.random() for _ in range(6)) - 3.0
    return float(min(100, max(0, round(mean + bell * _SPREAD * 1.4))))


def _shuffled(n: int, rng: Random) -> list[int]:
    order = list(range(n))
    for i in range(n - 1, 0, -1):
        j = int(rng.random() * (i + 1))
        order[i], order[j] = order[j], order[i]
    return order


def _pick(rng: Random, items: tuple[Any, ...]) -> Any:
    return items[int(rng.random() * len(items))]
