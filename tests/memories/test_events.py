from __future__ import annotations

import uuid

import pytest

from pjais_lab.core.codec import encode
from pjais_lab.core.event import Event
from pjais_lab.core.ids import natural_id
from pjais_lab.errors import RejectedError
from pjais_lab.memories.commands import link_memories, record_memory, revise_memory
from pjais_lab.memories.events import (
    MemoryLinked,
    MemoryRecorded,
    MemoryRetiered,
    MemoryRevised,
    link_id,
)
from pjais_lab.memories.state import scale_importance

ONE, TWO = natural_id("one"), natural_id("two")


@pytest.mark.parametrize(
    "wrong",
    [
        MemoryRecorded(""),
        MemoryRecorded("x", importance=7),
        MemoryRecorded("x", importance=-0.1),
        MemoryRecorded("x", importance=float("nan")),
        MemoryRecorded("x", kind="Not a word"),
        MemoryRecorded("x", content_type="smell"),  # type: ignore[arg-type]
        MemoryRecorded("x", tier="lukewarm"),  # type: ignore[arg-type]
        MemoryRecorded("x", tags=("",)),
        MemoryRecorded("x", importance_scale="ten"),
        MemoryRetiered("tepid"),  # type: ignore[arg-type]
        MemoryLinked(ONE, "not-an-id"),
        MemoryLinked(ONE, TWO, "loves"),  # type: ignore[arg-type]
        MemoryLinked(ONE, TWO, strength=1.1),
    ],
    ids=repr,
)
def test_values_out_of_range_are_refused_in_one_sentence(wrong: Event) -> None:
    with pytest.raises(RejectedError) as caught:
        encode(wrong)

    assert "\n" not in str(caught.value)


def test_unset_and_null_differ_in_a_revision() -> None:
    assert encode(MemoryRevised(expires_at=None)) == '{"expires_at":null}'


@pytest.mark.parametrize(
    ("raw", "scale", "importance"),
    [(1, "1-10", 0.0), (10, "1-10", 1.0), (50, "0-100", 0.5), (0.3, "0-1", 0.3)],
)
def test_every_scale_of_importance_ends_at_0_and_1(
    raw: float, scale: str, importance: float
) -> None:
    assert scale_importance(raw, scale) == pytest.approx(importance)


@pytest.mark.parametrize(("raw", "scale"), [(11, "1-10"), (0, "1-10"), (5, "10-1"), (5, "ten")])
def test_importance_off_its_scale_is_refused(raw: float, scale: str) -> None:
    with pytest.raises(RejectedError, match="scale"):
        scale_importance(raw, scale)


def test_raw_importance_is_kept_beside_its_scale() -> None:
    event: MemoryRecorded = record_memory(ONE, "x", importance=7, scale="1-10").event  # type: ignore[assignment]

    assert (event.importance_raw, event.importance_scale) == (7, "1-10")
    assert event.importance == pytest.approx(6 / 9)


def test_the_same_link_has_the_same_id_and_the_way_back_another() -> None:
    there = link_memories(ONE, TWO, "causal", strength=0.3).entity_id

    assert there == link_id(ONE, TWO, "causal")
    assert there != link_memories(TWO, ONE, "causal").entity_id


def test_a_scale_without_an_importance_is_refused() -> None:
    with pytest.raises(RejectedError, match="no importance"):
        revise_memory(ONE, scale="1-10")


@pytest.mark.parametrize("parts", [("a",), ("link", ONE, TWO, "evidence"), ("naïve", "日本")])
def test_natural_ids_are_uuids_of_version_5(parts: tuple[str, ...]) -> None:
    namespace = uuid.UUID("5b1f6e0a-3c57-5d0e-9a55-706a6169736c")

    assert natural_id(*parts) == str(uuid.uuid5(namespace, "\x1f".join(parts)))
