"""What happens at one place in one hour: people notice, happenings strike, people talk and think."""

from __future__ import annotations

from typing import Final

from pjais_lab.memories.events import link_id
from pjais_lab.personas.state import TRAITS
from pjais_lab.simulation.decks import Decks
from pjais_lab.simulation.moulds import ENDED, RECALLED, SAID, STARTED
from pjais_lab.simulation.pen import MINUTE_US, SECOND_US, Pen
from pjais_lab.simulation.phrases import CHANCE, PLANS, THOUGHTS
from pjais_lab.simulation.talk import HAPPENINGS, NEWS, SMALL_TALK
from pjais_lab.simulation.town import Memory, Place, Resident, Topic

__all__ = ["go_to_bed", "live_hour", "plan"]

_AT_ONCE: Final = 8
_RECENT: Final = 64
_FADING: Final = 32
_HAPPENS: Final = 0.012
_TALKS: Final = 6
_TALK_S: Final = 170


def live_hour(pen: Pen, decks: Decks, place: Place, present: list[Resident], t: int) -> None:
    """Let an hour pass at a place; later parts of the hour may refer to earlier ones.

    Args:
        pen: where it is written.
        decks: the week's everyday memories.
        place: where.
        present: who is there.
        t: when the hour begins, in microseconds.
    """
    _notice(pen, decks, place, present, t)
    rnd = pen.rng.random
    if place.kind != "home" and rnd() < _HAPPENS:
        _strike(pen, place, present, t + 32 * MINUTE_US)
    count = len(present)
    if count > 1:
        for n in range(min(_TALKS, 1 + count // 6)):
            if rnd() < 0.4:
                first = int(rnd() * count)
                second = (first + 1 + int(rnd() * (count - 1))) % count
                start = t + (34 * 60 + n * _TALK_S) * SECOND_US
                _talk(pen, place, (present[first], present[second]), start)
    for who in present:
        if who.tension >= who.threshold:
            _reflect(pen, who, t + 52 * MINUTE_US)


def plan(pen: Pen, who: Resident, place: Place, t: int) -> None:
    """A resident thinks about the day to come."""
    content = str(pen.pick(PLANS)).format(first=who.first, place=place.name)
    memory = (pen.new_id(), 3, "the day to come")
    pen.remember(who, t, memory, content, pen.plan_tails[3][0])


def go_to_bed(pen: Pen, who: Resident, t: int) -> None:
    """Moods wear off, and the oldest dull memories fade."""
    pen.settle_down(who, t)
    if len(who.recent) > _RECENT:
        for memory in who.recent[:_FADING]:
            if memory[1] == 1:
                pen.let_go(who, t + SECOND_US, memory)
        del who.recent[:_FADING]


def _notice(pen: Pen, decks: Decks, place: Place, present: list[Resident], t: int) -> None:
    # The hot loop: half of all events are made here, so it writes its rows itself.
    rnd, number_of, write = pen.rng.random, pen.new_id, pen.rows.append
    noticed, seen, count = decks.noticed[place.number], decks.seen[place.kind], len(present)
    lonely = 1.0 if count == 1 else 0.6
    size, seen_size, (before, after) = len(noticed), len(seen), RECALLED
    for who in present:
        me, remember = who.id, who.recent.append
        at = t + int(rnd() * 240) * SECOND_US
        if len(who.recent) > _FADING and rnd() < 0.5:
            found = _come_to_mind(pen, who)
            write((at, "v1.MemoryRecalled", found[0], me, 1, f"{before}{found[2]}{after}"))
        for _ in range(1 + int(rnd() * 2.6)):
            number = number_of()
            if rnd() < lonely:
                took, poignancy, args, about = noticed[int(rnd() * size)]
            else:
                other = present[int(rnd() * count)]
                took, poignancy, args, about = seen[int(rnd() * seen_size)]
                args, about = other.opening + args, other.name
            at += took
            write((at, "v1.MemoryRecorded", number, me, 1, args))
            remember((number, poignancy, about))
            who.tension += poignancy


def _come_to_mind(pen: Pen, who: Resident) -> Memory:
    rnd = pen.rng.random
    if who.keepsakes and rnd() < 0.3:
        return who.keepsakes[int(rnd() * len(who.keepsakes))]
    recent = who.recent
    n = len(recent)
    one, two = recent[n - 1 - int(rnd() * rnd() * n)], recent[n - 1 - int(rnd() * n)]
    return one if one[1] >= two[1] else two


def _strike(pen: Pen, place: Place, present: list[Resident], t: int) -> None:
    noun, told, poignancy, trigger, strength, tag = pen.pick(HAPPENINGS)
    hero = present[int(pen.rng.random() * len(present))]
    gist = told.format(who=hero.name, place=place.name)
    pen.topics += 1
    topic = Topic(noun, gist, poignancy, trigger, strength, tag, pen.topics)
    content = f"{gist[0].upper()}{gist[1:]}."
    for n, who in enumerate(present[:_AT_ONCE]):
        at = t + n * SECOND_US
        weight = min(10, poignancy + (who is hero))
        memory = (pen.new_id(), weight, noun)
        pen.remember(who, at, memory, content, pen.tail_of_news(tag, weight))
        pen.learn(who, topic, memory)
        pen.feel(who, at + 1, trigger, strength, gist)


def _talk(pen: Pen, place: Place, pair: tuple[Resident, Resident], t: int) -> None:
    rnd, (a, b) = pen.rng.random, pair
    known = a.news[int(rnd() * len(a.news))] if a.news and rnd() < 0.7 else None
    if known is None:
        noun, script = pen.pick(SMALL_TALK)
        gist = ""
    else:
        noun, gist, script = known[0].noun, known[0].gist, pen.pick(NEWS)
        pen.recall(a, t, known[1], noun)
    names = {"a": a.first, "b": b.first, "noun": noun, "gist": gist, "place": place.name}
    number = pen.new_id()
    c, d, e, f = STARTED
    args = f"{c}{noun}{d}{a.id}{e}{b.id}{f}"
    pen.rows.append((t, "v1.ConversationStarted", number, a.id, 1, args))
    for k, line in enumerate(script):
        t += (4 + int(rnd() * 20)) * SECOND_US
        who = pair[k % 2]
        c, d, e, f, g = SAID[k]
        text = line.format_map(names)
        args = f"{c}{number}{d}{text}{e}{who.name}{f}{who.id}{g}"
        pen.rows.append((t, "v1.MessageAdded", pen.new_id(), who.id, 1, args))
    args = f"{ENDED[0]}{a.first} and {b.first} spoke of {noun}.{ENDED[1]}"
    pen.rows.append((t + SECOND_US, "v1.ConversationEnded", number, a.id, 1, args))
    _take_away(pen, pair, (noun, number, t + 2 * SECOND_US), known)


def _take_away(
    pen: Pen,
    pair: tuple[Resident, Resident],
    talk: tuple[str, str, int],
    known: tuple[Topic, Memory] | None,
) -> None:
    (a, b), (noun, number, t) = pair, talk
    poignancy = 2 + int(pen.rng.random() * 3)
    tail, end = pen.chat_tails[poignancy]
    said, tail = f"about {noun}.", f"{tail}{number}{end}"
    memory = (pen.new_id(), poignancy, b.name)
    pen.remember(a, t, memory, f"Spoke with {b.name} {said}", tail)
    if known is None or any(topic.number == known[0].number for topic, _ in b.news):
        memory = (pen.new_id(), poignancy, a.name)
        pen.remember(b, t, memory, f"Spoke with {a.name} {said}", tail)
        return
    topic = known[0]
    weight = max(3, topic.poignancy - 1)
    tail, end = pen.chat_tails[weight]
    memory = (pen.new_id(), weight, noun)
    content = f"Heard from {a.name} that {topic.gist}."
    pen.remember(b, t, memory, content, f"{tail}{number}{end}")
    pen.learn(b, topic, memory)
    pen.feel(b, t + 1, topic.trigger, topic.strength * 0.7, topic.gist)


def _reflect(pen: Pen, who: Resident, t: int) -> None:
    rnd = pen.rng.random
    who.tension = 0
    evidence = sorted(who.recent[-40:], key=_poignancy)[-2 - int(rnd() * 3) :]
    if who.keepsakes and who.keepsakes[-1] not in evidence:
        evidence.append(who.keepsakes[-1])
    top = max(evidence, key=_poignancy)
    noun = top[2] if top[1] > 2 else str(pen.pick(CHANCE))
    for n, memory in enumerate(evidence):
        pen.recall(who, t + n * SECOND_US, memory, noun)
    one, two = TRAITS[int(rnd() * 5)], TRAITS[int(rnd() * 5)]
    trait = max(one, two, key=lambda name: float(getattr(who.traits, name)))
    content = str(pen.pick(THOUGHTS[trait])).format(first=who.first, noun=noun)
    poignancy = 5 + int(rnd() * 4)
    thought = (pen.new_id(), poignancy, noun)
    at = t + MINUTE_US
    pen.remember(who, at, thought, content, pen.thought_tails[poignancy][0])
    who.tension = 0
    for memory in evidence:
        number = link_id(thought[0], memory[0], "evidence")
        pen.link(who, at + 1, number, thought[0], memory)
    if rnd() < 0.3:
        pen.feel(who, at + 2, "negative" if trait == "neuroticism" else "positive", 70, content)


def _poignancy(memory: Memory) -> int:
    return memory[1]
