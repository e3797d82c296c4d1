"""What a page is told of its picks, as long as others are still on their way."""

from __future__ import annotations

from typing import Any

import pytest

import pjais_lab as pj
from pjais_lab.errors import ViewError
from pjais_lab.views.memory_table.view import MemoryTable
from tests.views.conftest import Wire


@pytest.fixture
def ids(lab: pj.Lab) -> list[str]:
    ada = lab.personas.create("Ada")
    return [lab.memories.record(ada, f"Note {i}.").id for i in range(3)]


def told(wire: Wire, table: MemoryTable, **wanted: Any) -> dict[str, Any]:
    """The newest word of the picks, once it says this."""

    def newest() -> dict[str, Any] | None:
        pushes = [m for m in wire.of(table, "push") if "picked" in m.content["parts"]]
        said = pushes[-1].parts["picked"] if pushes else {}
        return said if wanted.items() <= said.items() else None

    return wire.until(newest)


def test_a_page_is_told_which_of_its_picks_are_taken_into_account(
    wire: Wire, lab: pj.Lab, ids: list[str]
) -> None:
    table = MemoryTable(lab)
    wire.show(table, seq=-1)
    wire.ask(table, "pick", req=1, keys=ids[:1], turn=["page", 1])
    wire.ask(table, "pick", req=2, keys=ids[:2], turn=["page", 2])
    first = told(wire, table, heard={"page": 2})
    wire.paint(table, table._channel.seq)
    wire.ask(table, "pick", req=3, keys=[ids[2]], turn=["other", 7])
    second = told(wire, table, heard={"page": 2, "other": 7})
    wire.paint(table, table._channel.seq)
    table.pick(keys=[])

    assert first["keys"] == ids[:2]
    assert second["keys"] == [ids[2]]
    assert told(wire, table, keys=[])["heard"] == {"page": 2, "other": 7}


def test_the_same_pick_again_is_told_and_a_refused_one_is_not(
    wire: Wire, lab: pj.Lab, ids: list[str]
) -> None:
    table = MemoryTable(lab)
    table.pick(keys=ids, turn=("page", 1))
    with pytest.raises(ViewError, match=r"at most 10,000 can be"):
        table.pick(keys=[], span=(0, 20_000), turn=("page", 2))
    table.pick(keys=ids, turn=("page", 3))
    wire.show(table, seq=-1)

    assert told(wire, table, heard={"page": 3})["keys"] == ids


def test_only_the_pages_heard_last_are_kept(wire: Wire, lab: pj.Lab, ids: list[str]) -> None:
    table = MemoryTable(lab)
    for number in range(100):
        table.pick(keys=ids[:1], turn=(f"page {number}", 1))
    wire.show(table, seq=-1)

    assert list(told(wire, table, keys=ids[:1])["heard"])[-1] == "page 99"
    assert len(told(wire, table)["heard"]) < 30
