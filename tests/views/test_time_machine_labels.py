from __future__ import annotations

from typing import Any

import pytest

import pjais_lab as pj
from pjais_lab.views.time_machine.labels import WORDS
from tests.views.test_static import HOSTILE, inert


@pj.event("v1.PlantGrown", entity="plant", effect="create")
class PlantGrown(pj.Event):
    pot: str = ""
    note: str = ""
    title: str = ""
    height: int = 0


def _of(field: str, kind: str = "VARCHAR") -> pj.Last:
    return pj.Last(kind, (pj.src(PlantGrown, field),))


PLANTS = {"height": _of("height", "BIGINT"), "pot": _of("pot"), "note": _of("note")}


def labels(lab: pj.Lab, table: str, at: int = 0) -> list[tuple[str, str | None]]:
    found = pj.views.TimeMachine(lab, at=at, against="now", table=table).diff
    return [*found.select("change", "label").unique(maintain_order=True).iter_rows()]


def test_entities_of_each_table_are_named_by_what_people_call_them(
    lab: pj.Lab, ada: pj.PersonaModel, wire: Any
) -> None:
    one = lab.memories.record(ada, "The engine\n\n  weaves " + "patterns " * 20)
    two = lab.memories.record(ada, "Rain.")
    lab.memories.link(one, two, "evidence")
    lab.conversations.start(ada, "On engines")

    said = ("The engine weaves " + "patterns " * 20)[:79] + "…"

    assert labels(lab, "personas") == [("added", "Ada")]
    assert labels(lab, "memories") == [("added", said), ("added", "Rain.")]
    assert labels(lab, "conversations") == [("added", "On engines")]
    assert labels(lab, "links") == [("added", "evidence")]


def test_the_label_is_that_of_the_newer_side_or_of_the_only_one(
    lab: pj.Lab, ada: pj.PersonaModel, wire: Any
) -> None:
    old = lab.memories.record(ada, "Forgotten later.")
    before = lab.position
    lab.personas.revise(ada, name="Ada Lovelace")
    lab.memories.forget(old)

    machine = pj.views.TimeMachine(lab, at=before, against="now")
    found = machine.diff.filter(column="name").row(0, named=True)

    assert {n: str(found[n]) for n in ("entity_id", "label", "old", "new")} == {
        "entity_id": ada.id,
        "label": "Ada Lovelace",
        "old": "Ada",
        "new": "Ada Lovelace",
    }
    assert labels(lab, "memories", before) == [("removed", "Forgotten later.")]
    assert machine.changes(start=0, count=5).columns == machine.diff.columns


@pytest.mark.parametrize(
    ("columns", "grown", "label"),
    [
        (PLANTS, PlantGrown(pot="blue", note="by the door"), "blue"),
        (PLANTS, PlantGrown(pot=" \n", note="by the door"), "by the door"),
        (PLANTS, PlantGrown(height=3), None),
        (PLANTS | {"title": _of("title")}, PlantGrown(pot="blue", title="Fern"), "Fern"),
        (PLANTS | {"title": _of("title")}, PlantGrown(pot="blue"), None),
        ({"height": _of("height", "BIGINT")}, PlantGrown(height=3), None),
        ({"order": _of("pot"), "text": _of("note")}, PlantGrown(pot="x", note="Moss"), "Moss"),
    ],
)  # fmt: skip
def test_a_users_own_table_is_labelled_by_the_same_rule(
    lab: pj.Lab, wire: Any, columns: Any, grown: PlantGrown, label: str | None
) -> None:
    lab.declare(PlantGrown, pj.Table("plants", "plant", columns))
    lab.commit(grown.on())

    assert labels(lab, "plants") == [("added", label)]


def test_names_come_before_contents() -> None:
    assert [w for w in WORDS if w in {"content", "title", "name"}] == ["name", "title", "content"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_is_inert_as_a_label(lab: pj.Lab, wire: Any, text: str) -> None:
    lab.personas.create(text)
    machine = pj.views.TimeMachine(lab, at=0, against="now")

    words = inert(machine.to_html())

    assert machine.diff["label"].item() == " ".join(text.split())
    assert "label" in words
