from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pjais_lab.conversations.events import ConversationStarted, MessageAdded
from pjais_lab.core.codec import encode
from pjais_lab.core.event import moment
from pjais_lab.errors import FormatError
from pjais_lab.formats.generative_agents import FORMAT
from pjais_lab.formats.report import Notes
from pjais_lab.formats.sniff import Row
from pjais_lab.memories.events import MemoryLinked, MemoryRecorded
from pjais_lab.personas.events import PersonaCreated
from tests.formats.conftest import MakeRun, node


def read(path: Path, notes: Notes | None = None) -> list[Row]:
    return list(FORMAT.read(path, notes or Notes()))


def memories(rows: list[Row]) -> list[MemoryRecorded]:
    return [r.draft.event for r in rows if isinstance(r.draft.event, MemoryRecorded)]


def test_the_shared_run_holds_what_was_counted_by_hand(smallville: Path) -> None:
    notes = Notes()

    rows = read(smallville, notes)

    assert Counter(r.kind for r in rows) == {
        "persona": 3,
        "memory": 2105,
        "link": 1224,
        "conversation": 16,
        "message": 174,
    }
    assert notes.skipped == []


def test_the_one_bare_string_of_the_shared_run_is_warned_about_once(smallville: Path) -> None:
    notes = Notes()

    read(smallville, notes)

    assert len(notes.warnings) == 1
    assert "node_881" in notes.warnings[0]
    assert "bare string" in notes.warnings[0]


def test_one_personas_folder_gives_the_same_ids_as_the_whole_run(smallville: Path) -> None:
    whole = {r.draft.entity_id for r in read(smallville)}

    alone = {r.draft.entity_id for r in read(smallville / "Klaus Mueller")}

    assert len(alone) > 593
    assert alone < whole


def test_every_row_of_the_shared_run_encodes(smallville: Path) -> None:
    sizes = [len(encode(r.draft.event)) for r in read(smallville)]

    assert min(sizes) > 0
    assert max(sizes) < 100_000


def test_the_originals_nested_layout_reads_like_the_flat_one(make_run: MakeRun) -> None:
    nested = make_run(nested=True, Ada={"node_1": node(), "node_2": node("tea")})

    rows = read(nested)

    assert FORMAT.sniff(nested)
    assert [m.content for m in memories(rows)] == ["tea", "the engine is humming"]
    assert FORMAT.sniff(nested / "personas" / "Ada")


def test_scratch_fields_become_the_persona_and_the_rest_is_kept(make_run: MakeRun) -> None:
    notes = Notes()

    persona = read(make_run(Ada={}), notes)[0].draft.event

    assert isinstance(persona, PersonaCreated)
    assert persona.name == "Ada Byron"
    assert persona.description.startswith("Ada Byron writes programs")
    assert persona.behaviour["innate"] == "curious"
    assert persona.extra == {"vision_r": 8, "spatial_memory": {"London": {}}}
    assert notes.unmapped["scratch.json: vision_r"] == 1


def test_a_persona_is_as_old_as_its_first_memory(make_run: MakeRun) -> None:
    later = node("later", created="2023-02-13 09:30:00")

    persona = read(make_run(Ada={"node_2": later, "node_1": node()}))[0]

    assert moment(persona.draft.occurred_at or 0).isoformat() == "2023-02-13T08:00:00"


def test_importance_is_scaled_and_its_raw_value_kept(make_run: MakeRun) -> None:
    run = make_run(Ada={"node_1": node(poignancy=10), "node_2": node(poignancy=1)})

    found = memories(read(run))

    assert [(m.importance, m.importance_raw, m.importance_scale) for m in found] == [
        (0.0, 1.0, "1-10"),
        (1.0, 10.0, "1-10"),
    ]


def test_subject_predicate_and_object_are_kept(make_run: MakeRun) -> None:
    memory = memories(read(make_run(Ada={"node_1": node()})))[0]

    assert memory.extra["subject"] == "the engine"
    assert memory.extra["predicate"] == "is"
    assert memory.tags == ("engine",)


def test_an_expiration_becomes_expires_at(make_run: MakeRun) -> None:
    run = make_run(Ada={"node_1": node(expiration="2023-03-15 08:00:00")})

    expires = memories(read(run))[0].expires_at

    assert expires is not None
    assert expires.isoformat() == "2023-03-15T08:00:00+00:00"


def test_evidence_leads_from_the_thought_to_what_it_rests_on(make_run: MakeRun) -> None:
    thought = node("engines think", type="thought", filling=["node_1"])

    rows = read(make_run(Ada={"node_2": thought, "node_1": node()}))

    ids = {r.path.split(":")[1]: r.draft.entity_id for r in rows if r.kind == "memory"}
    link = next(r.draft.event for r in rows if r.kind == "link")
    assert isinstance(link, MemoryLinked)
    assert (link.source_id, link.target_id, link.relation) == (
        ids["node_2"],
        ids["node_1"],
        "evidence",
    )


def test_a_chat_becomes_a_conversation_with_numbered_messages(make_run: MakeRun) -> None:
    chat = node("a chat", type="chat", filling=[["Ada Byron", "Tea?"], ["Bo Byron", "Please."]])

    rows = read(make_run(Ada={"node_1": chat}, Bo={}))

    people = [r.draft.entity_id for r in rows if r.kind == "persona"]
    started = next(r.draft.event for r in rows if r.kind == "conversation")
    said = [r.draft.event for r in rows if isinstance(r.draft.event, MessageAdded)]
    assert isinstance(started, ConversationStarted)
    assert set(started.participants) == set(people)
    assert [(m.position, m.speaker, m.content) for m in said] == [
        (0, "Ada Byron", "Tea?"),
        (1, "Bo Byron", "Please."),
    ]
    assert [m.speaker_id for m in said] == people


@pytest.mark.parametrize(
    "bad",
    [
        "not an object",
        None,
        node(poignancy=0),
        node(poignancy=11),
        node(poignancy=float("nan")),
        node(poignancy="high"),
        node(poignancy=True),
        node(created="yesterday"),
        node(created=None),
        node(expiration="never"),
        node(description=""),
        node(description=7),
        node(description="half \ud800 a pair"),
        node(type="Not A Slug"),
        node(keywords="engine"),
        {k: v for k, v in node().items() if k != "created"},
    ],
)
def test_a_bad_node_is_skipped_with_its_path_and_the_others_stay(
    make_run: MakeRun, bad: Any
) -> None:
    notes = Notes()

    rows = read(make_run(Ada={"node_2": bad, "node_1": node()}), notes)

    assert [m.content for m in memories(rows)] == ["the engine is humming"]
    assert [s.path for s in notes.skipped] == ["Ada/nodes.json:node_2"]
    assert notes.skipped[0].reason.endswith(".")


@pytest.mark.parametrize(
    ("filling", "path"),
    [
        ([["Ada Byron"]], "Ada/nodes.json:node_1.filling[0]"),
        ([["Ada Byron", ""]], "Ada/nodes.json:node_1.filling[0]"),
        ([["Ada Byron", 7]], "Ada/nodes.json:node_1.filling[0]"),
        ([{"speaker": "Ada"}], "Ada/nodes.json:node_1.filling[0]"),
        (["node_99"], "Ada/nodes.json:node_1.filling[0]"),
        ("node_99", "Ada/nodes.json:node_1.filling[0]"),
        (7, "Ada/nodes.json:node_1.filling"),
    ],
)
def test_a_bad_filling_costs_the_link_or_utterance_not_the_memory(
    make_run: MakeRun, filling: Any, path: str
) -> None:
    notes = Notes()

    rows = read(make_run(Ada={"node_1": node(filling=filling)}), notes)

    assert len(memories(rows)) == 1
    assert [s.path for s in notes.skipped] == [path]


@pytest.mark.parametrize("name", ["scratch", "nodes"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_broken_file_costs_its_persona_only(make_run: MakeRun, name: str, content: bytes) -> None:
    run = make_run(Ada={"node_1": node()}, Bo={"node_1": node()})
    (run / "Ada" / f"{name}.json").write_bytes(content)
    notes = Notes()

    rows = read(run, notes)

    assert len(memories(rows)) == 1
    assert notes.skipped[0].path == f"Ada/{name}.json"


def test_a_strict_reader_raises_at_the_first_bad_row(make_run: MakeRun) -> None:
    run = make_run(Ada={"node_1": node(poignancy=0)})

    with pytest.raises(FormatError, match=r"Ada/nodes.json:node_1: .*outside its scale"):
        read(run, Notes(is_strict=True))


def test_a_second_folder_with_the_same_persona_is_skipped(make_run: MakeRun) -> None:
    run = make_run(Ada={"node_1": node()}, Bo={"node_1": node()})
    scratch = json.loads((run / "Bo" / "scratch.json").read_text())
    (run / "Bo" / "scratch.json").write_text(json.dumps(scratch | {"name": "Ada Byron"}))
    notes = Notes()

    rows = read(run, notes)

    assert [r.kind for r in rows] == ["persona", "memory"]
    assert [(s.path, s.rows) for s in notes.skipped] == [("Bo", 2)]


def test_keywords_too_long_for_a_tag_are_kept_beside_the_others(make_run: MakeRun) -> None:
    memory = memories(read(make_run(Ada={"node_1": node(keywords=["tea", "x" * 101, ""])})))[0]

    assert memory.tags == ("tea",)
    assert memory.extra["keywords"] == ["tea", "x" * 101, ""]


def test_more_keywords_than_tags_are_kept_beside_them(make_run: MakeRun) -> None:
    keywords = [f"word {n}" for n in range(1001)]

    memory = memories(read(make_run(Ada={"node_1": node(keywords=keywords)})))[0]

    assert memory.tags == tuple(keywords[:1000])
    assert memory.extra["keywords"] == keywords


def test_a_growing_run_keeps_its_ids_and_a_changed_node_gets_another(make_run: MakeRun) -> None:
    run = make_run(Ada={"node_1": node(), "node_2": node("tea")})
    before = {r.draft.entity_id for r in read(run)}
    grown = {"node_1": node(), "node_2": node("coffee"), "node_3": node("cake")}
    (run / "Ada" / "nodes.json").write_text(json.dumps(grown))

    after = {r.draft.entity_id for r in read(run)}

    assert len(after - before) == 2
    assert len(before & after) == 2


def test_foreign_folders_are_not_taken_for_a_run(tmp_path: Path) -> None:
    (tmp_path / "scratch.json").write_text("{}")

    assert not FORMAT.sniff(tmp_path)
    assert not FORMAT.sniff(tmp_path / "scratch.json")
    assert not FORMAT.sniff(tmp_path / "nothing")
