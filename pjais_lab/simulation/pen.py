"""The pen: writes single events of the chronicle into rows."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Any, Final

from pjais_lab.core.codec import encode
from pjais_lab.personas.events import PersonaCreated, PersonaMoodChanged
from pjais_lab.personas.mood import Trigger, calm, react
from pjais_lab.simulation.batch import Row
from pjais_lab.simulation.moulds import (
    COLDER,
    FORGOTTEN,
    HOTTER,
    LINKED,
    RECALLED,
    RECORDED,
    WARMER,
    tails,
)
from pjais_lab.simulation.town import Memory, Resident, Town

__all__ = ["HOUR_US", "MINUTE_US", "SECOND_US", "Pen"]

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
_KEEPSAKE: Final = 6
_KEEPSAKES: Final = 16
_NEWS: Final = 6


class Pen:
    """Rows of the hour at hand, and what is needed to write more of them.

    Args:
        town: whose chronicle it is.
        rng: where chance comes from.
    """

    def __init__(self, town: Town, rng: Random) -> None:
        self.rows: list[Row] = []
        self.rng = rng
        self.new_id = town.new_id
        self.topics = 0
        self.chat_tails: list[tuple[str, ...]] = []
        self.thought_tails: list[tuple[str, ...]] = []
        self.plan_tails: list[tuple[str, ...]] = []
        self.news_tails: dict[str, list[tuple[str, ...]]] = {}
        self._expires_at = datetime.min  # noqa: DTZ901 - set by each week's turn

    def turn_to(self, expires_at: datetime) -> None:
        """Begin a week, whose minor memories may be let go at ``expires_at``."""
        self._expires_at = expires_at
        self.chat_tails = tails("chat", ("chat",), expires_at, has_source=True)
        self.thought_tails = tails("thought", ("reflection",), expires_at)
        self.plan_tails = tails("thought", ("plan",), expires_at)
        self.news_tails = {}

    def pick(self, items: tuple[Any, ...]) -> Any:
        """One of them."""
        return items[int(self.rng.random() * len(items))]

    def settle(self, who: Resident, t: int) -> None:
        """A resident becomes a persona."""
        made = PersonaCreated(
            name=who.name,
            description=who.description,
            openness=who.traits.openness,
            conscientiousness=who.traits.conscientiousness,
            extraversion=who.traits.extraversion,
            agreeableness=who.traits.agreeableness,
            neuroticism=who.traits.neuroticism,
            extra=who.extra,
        )
        self.rows.append((t, "v1.PersonaCreated", who.id, who.id, 1, encode(made)))

    def remember(self, who: Resident, t: int, memory: Memory, content: str, tail: str) -> None:
        """A resident records a memory; what matters is kept at hand."""
        number, poignancy, _ = memory
        self.rows.append((t, "v1.MemoryRecorded", number, who.id, 1, RECORDED + content + tail))
        who.recent.append(memory)
        who.tension += poignancy
        if poignancy >= _KEEPSAKE:
            self._keep(who, t, memory)

    def _keep(self, who: Resident, t: int, memory: Memory) -> None:
        who.keepsakes.append(memory)
        if len(who.keepsakes) > _KEEPSAKES:
            least = min(range(_KEEPSAKES), key=lambda i: who.keepsakes[i][1])
            gone = who.keepsakes.pop(least)
            self.rows.append((t, "v1.MemoryRetiered", gone[0], who.id, 1, WARMER))

    def learn(self, who: Resident, topic: Any, memory: Memory) -> None:
        """A resident has something to tell."""
        who.news.append((topic, memory))
        if len(who.news) > _NEWS:
            del who.news[0]

    def recall(self, who: Resident, t: int, memory: Memory, query: str) -> None:
        """A resident uses a memory again; what matters and is used becomes hot."""
        before, after = RECALLED
        self.rows.append((t, "v1.MemoryRecalled", memory[0], who.id, 1, f"{before}{query}{after}"))
        if memory[1] >= _KEEPSAKE and self.rng.random() < 0.2:
            self.rows.append((t + 1, "v1.MemoryRetiered", memory[0], who.id, 1, HOTTER))

    def link(self, who: Resident, t: int, number: str, thought: str, evidence: Memory) -> None:
        """A thought rests on a memory."""
        a, b, c = LINKED[evidence[1]]
        args = f"{a}{thought}{b}{evidence[0]}{c}"
        self.rows.append((t, "v1.MemoryLinked", number, who.id, 1, args))

    def let_go(self, who: Resident, t: int, memory: Memory) -> None:
        """A dull old memory grows cold, or fades altogether."""
        chance = self.rng.random()
        if chance < 0.08:
            self.rows.append((t, "v1.MemoryForgotten", memory[0], who.id, 2, FORGOTTEN))
        elif chance < 0.30:
            self.rows.append((t, "v1.MemoryRetiered", memory[0], who.id, 1, COLDER))

    def feel(self, who: Resident, t: int, trigger: Trigger, strength: float, why: str) -> None:
        """Something moves a resident, more or less."""
        hour = t // HOUR_US
        rested = calm(who.feeling, hour - who.felt_hour)
        felt = react(rested, who.traits, trigger, strength)
        if felt == rested:
            return
        who.feeling, who.felt_hour = felt, hour
        self._note_mood(who, t, why, trigger)

    def settle_down(self, who: Resident, t: int) -> None:
        """A mood has worn off over some hours."""
        if who.feeling.emotion == "neutral":
            return
        rested = calm(who.feeling, t // HOUR_US - who.felt_hour)
        if rested.emotion == "neutral":
            who.feeling, who.felt_hour = rested, t // HOUR_US
            self._note_mood(who, t, "a quiet while", None)

    def _note_mood(self, who: Resident, t: int, why: str, trigger: Trigger | None) -> None:
        changed = PersonaMoodChanged(
            emotion=who.feeling.emotion,
            intensity=who.feeling.intensity,
            confidence=float(60 + int(self.rng.random() * 40)),
            context=why,
            trigger=trigger,
        )
        self.rows.append((t, "v1.PersonaMoodChanged", who.id, who.id, 1, encode(changed)))

    def tail_of_news(self, tag: str, poignancy: int) -> str:
        """What follows the content of a memory of something that happened."""
        found = self.news_tails.get(tag)
        if found is None:
            found = self.news_tails[tag] = tails("event", (tag, "news"), self._expires_at)
        return found[poignancy][0]
