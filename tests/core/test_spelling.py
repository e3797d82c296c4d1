from __future__ import annotations

import pytest

import pjais_lab as pj
from pjais_lab.core.spelling import check_keywords, near, spelled, spelled_methods
from pjais_lab.memories.events import MemoryRecorded


@spelled
def brew(leaf: str, *, minutes: int = 3) -> str:
    """Tea."""
    return f"{leaf} for {minutes}"


@spelled_methods
class Kettle:
    def pour(self, cups: int = 1) -> int:
        return cups

    def fill(self, **what: int) -> dict[str, int]:
        return what


def test_a_known_keyword_goes_through() -> None:
    assert brew("green", minutes=2) == "green for 2"
    assert brew.__doc__ == "Tea."


def test_an_unknown_keyword_names_the_nearest() -> None:
    with pytest.raises(
        TypeError, match=r"brew\(\) takes no keyword 'minuts'. Did you mean 'minutes'"
    ):
        brew("green", minuts=2)  # type: ignore[call-arg]


def test_methods_are_told_by_their_name_and_free_keywords_stay_free() -> None:
    assert Kettle().fill(anything=3) == {"anything": 3}
    with pytest.raises(TypeError, match=r"pour\(\) takes no keyword 'cup'. Did you mean 'cups'"):
        Kettle().pour(cup=2)  # type: ignore[call-arg]


def test_other_type_errors_stay_as_they_are() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'leaf'"):
        brew()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Missing required argument 'content'"):
        MemoryRecorded()  # type: ignore[call-arg]


def test_an_events_constructor_names_the_nearest_field() -> None:
    with pytest.raises(TypeError, match="Did you mean 'importance'"):
        MemoryRecorded("x", importence=1)  # type: ignore[call-arg]


def test_values_keep_their_signature_and_order() -> None:
    assert pj.BigFive(80).openness == 80


def test_nothing_near_lists_what_there_is_if_that_is_short() -> None:
    assert near("zzz", ["a", "b"]) == "Known are: a, b."
    assert near("zzz", map(str, range(99))) == ""


def test_what_is_known_passes() -> None:
    check_keywords("brew", ["leaf"], ["leaf", "minutes"])
