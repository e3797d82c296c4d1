from __future__ import annotations

import hashlib
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
import pytest

from pjais_lab.core.codec import decode, encode
from pjais_lab.core.event import micros, moment
from pjais_lab.core.ids import is_id
from pjais_lab.errors import RejectedError
from pjais_lab.lab.registry import built_in
from pjais_lab.simulation import START, Columns, generate

REGISTRY = built_in()
Row = tuple[str, str, str, int, int, str]


def rows(batches: Iterator[Columns]) -> Iterator[Row]:
    for b in batches:
        yield from zip(
            b.name, b.entity_id, b.persona_id, b.epoch, b.occurred_at, b.args, strict=True
        )


@pytest.fixture(scope="module")
def town() -> list[Row]:
    return list(rows(generate(25, 8, seed=3)))


def contents(town: list[Row], name: str) -> list[dict[str, Any]]:
    return [msgspec.json.decode(r[5]) for r in town if r[0] == name]


def test_the_same_arguments_give_the_same_town_in_another_process(town: list[Row]) -> None:
    code = (
        "import hashlib\nfrom pjais_lab.simulation import generate\nh = hashlib.sha256()\n"
        "for b in generate(25, 8, seed=3):\n"
        "    for row in zip(b.name, b.entity_id, b.persona_id, b.epoch, b.occurred_at, b.args):\n"
        "        h.update(repr(row).encode())\n"
        "print(h.hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    here = hashlib.sha256(b"".join(repr(r).encode() for r in town)).hexdigest()
    assert done.stdout.strip() == here


@pytest.mark.parametrize("other", [{"seed": 4}, {"start": date(2026, 10, 12)}, {"personas": 24}])
def test_another_argument_gives_another_town(town: list[Row], other: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"personas": 25, "days": 1, "seed": 3} | other
    there = {r[1] for r in rows(generate(**arguments))}

    assert not there & {r[1] for r in town}


def test_more_days_continue_the_same_story(town: list[Row]) -> None:
    shorter = list(rows(generate(25, 3, seed=3)))

    assert town[: len(shorter)] == shorter
    assert len(shorter) < len(town)


def test_the_size_of_batches_changes_nothing_else(town: list[Row]) -> None:
    batches = list(generate(25, 8, seed=3, batch=777))

    assert {len(b) for b in batches[1:-1]} == {777}
    assert list(rows(iter(batches))) == town


def test_the_people_come_first_and_alone() -> None:
    first = next(generate(25, 1))

    assert first.name == ["v1.PersonaCreated"] * 25
    assert first.entity_id == first.persona_id


def test_content_is_byte_for_byte_what_the_codec_writes(town: list[Row]) -> None:
    for name, *_, args in town:
        assert encode(decode(REGISTRY.event(name), args)) == args


def test_events_are_in_the_order_of_town_time(town: list[Row]) -> None:
    times = [r[4] for r in town]

    assert times == sorted(times)
    assert moment(times[0]).date() == START
    assert (moment(times[-1]).date() - START).days == 7


def test_entities_are_created_before_anything_else_happens_to_them(town: list[Row]) -> None:
    alive: set[str] = set()
    for name, entity, persona, epoch, _, args in town:
        spec = REGISTRY.event(name).__event__
        is_new = spec.effect in {"create", "put"}
        assert (entity in alive) is not is_new, name
        assert epoch == (2 if spec.effect == "delete" else 1)
        assert persona in alive or is_new
        content = msgspec.json.decode(args)
        for field in spec.refs:
            value = content[field] or []
            assert {value} <= alive if isinstance(value, str) else set(value) <= alive
        (alive.discard if spec.effect == "delete" else alive.add)(entity)


def test_every_id_is_canonical_and_links_have_theirs_by_nature(town: list[Row]) -> None:
    links = [r for r in town if r[0] == "v1.MemoryLinked"]

    assert all(is_id(r[1]) and is_id(r[2]) for r in town)
    assert links
    for name, entity, *_, args in links:
        assert decode(REGISTRY.event(name), args).on().entity_id == entity


def test_names_are_unique_even_in_a_city() -> None:
    names = [msgspec.json.decode(a)["name"] for b in generate(12_000, 0) for a in b.args]

    assert len(set(names)) == 12_000


def test_most_memories_are_dull_and_few_matter(town: list[Row]) -> None:
    raw = Counter(c["importance_raw"] for c in contents(town, "v1.MemoryRecorded"))
    total = sum(raw.values())

    assert raw[1] / total > 0.4
    assert 0.02 < sum(n for p, n in raw.items() if p >= 6) / total < 0.25
    assert set(raw) <= set(range(1, 11))


def test_memories_that_matter_are_recalled_more_often(town: list[Row]) -> None:
    poignancy = {
        r[1]: msgspec.json.decode(r[5])["importance_raw"]
        for r in town
        if r[0] == "v1.MemoryRecorded"
    }
    recalls = Counter(r[1] for r in town if r[0] == "v1.MemoryRecalled")

    def mean(low: int, high: int) -> float:
        some = [i for i, p in poignancy.items() if low <= p <= high]
        return sum(recalls[i] for i in some) / len(some)

    assert mean(7, 10) > 3 * mean(1, 2)


def test_thoughts_rest_on_memories_of_the_same_mind(town: list[Row]) -> None:
    owner = {r[1]: r[2] for r in town if r[0] == "v1.MemoryRecorded"}
    kinds = {r[1]: msgspec.json.decode(r[5])["kind"] for r in town if r[0] == "v1.MemoryRecorded"}

    for link in contents(town, "v1.MemoryLinked"):
        assert kinds[link["source_id"]] == "thought"
        assert owner[link["source_id"]] == owner[link["target_id"]]


def test_people_who_speak_are_in_the_conversation_and_take_turns(town: list[Row]) -> None:
    members = {
        r[1]: msgspec.json.decode(r[5])["participants"]
        for r in town
        if r[0] == "v1.ConversationStarted"
    }
    messages = contents(town, "v1.MessageAdded")

    assert len(messages) > 2 * len(members)
    for m in messages:
        assert m["speaker_id"] == members[m["conversation_id"]][m["position"] % 2]


def test_news_travels_by_word_of_mouth(town: list[Row]) -> None:
    heard = [c for c in contents(town, "v1.MemoryRecorded") if c["content"].startswith("Heard")]

    assert len(heard) > 20
    assert all(c["kind"] == "chat" and c["source"] for c in heard)


def test_moods_rise_and_wear_off(town: list[Row]) -> None:
    felt = Counter(c["emotion"] for c in contents(town, "v1.PersonaMoodChanged"))

    assert felt["neutral"] > 10
    assert len(felt) >= 4


def test_sentences_have_no_blanks_left(town: list[Row]) -> None:
    texts = [
        c["content"] for n in ("v1.MemoryRecorded", "v1.MessageAdded") for c in contents(town, n)
    ]

    assert not [t for t in texts if "{" in t or "@@" in t or "  " in t]


def test_a_mind_repeats_itself_less_than_the_published_town_does(town: list[Row]) -> None:
    minds: dict[str, list[str]] = {}
    for name, _, persona, _, _, args in town:
        if name == "v1.MemoryRecorded":
            minds.setdefault(persona, []).append(msgspec.json.decode(args)["content"])
    repeated = [1 - len(set(texts)) / len(texts) for texts in minds.values()]

    # Generative Agents' Smallville run: 0.70 of each mind's memories repeat another word for word.
    assert max(repeated) < 0.70


def test_a_town_starts_on_the_day_it_is_told() -> None:
    first = next(generate(1, 1, start=date(2027, 2, 3)))

    assert first.occurred_at == [micros(moment(first.occurred_at[0]))]
    assert moment(first.occurred_at[0]).date() == date(2027, 2, 3)


def test_memory_does_not_grow_with_the_days() -> None:
    def peak(days: int) -> int:
        tracemalloc.start()
        try:
            for _ in generate(12, days, batch=1000):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(7)  # first-use caches

    assert peak(42) < 1.3 * peak(14)


@pytest.mark.parametrize("wrong", [{"personas": 0}, {"days": -1}, {"batch": 0}])
def test_impossible_towns_are_refused(wrong: dict[str, int]) -> None:
    arguments: dict[str, Any] = {"personas": 3, "days": 1} | wrong

    with pytest.raises(RejectedError, match=f"{next(iter(wrong))}="):
        next(generate(**arguments))
