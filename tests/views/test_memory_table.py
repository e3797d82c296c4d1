from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

import pjais_lab as pj
from pjais_lab.core.ids import natural_id
from pjais_lab.core.predicate_dict import to_dict
from pjais_lab.errors import LabError, NotFoundError, QueryError, ViewError
from pjais_lab.views.memory_table.view import MemoryTable

NOON = datetime(2026, 3, 1, 12)


class Town:
    """Two personas, five memories, a link."""

    def __init__(self, lab: pj.Lab) -> None:
        self.lab = lab
        self.ada, self.bea = (lab.personas.create(name) for name in ("Ada", "Bea"))
        tiers = ["hot", "warm", "cold"]
        self.ids = [
            lab.memories.record(
                self.ada if i < 3 else self.bea,
                f"Note {i} on the engine.",
                importance=i / 10,
                tier=tiers[i % 3],  # type: ignore[arg-type]
                at=NOON.replace(hour=i),
                tags=["engine"] if i else [],
            ).id
            for i in range(5)
        ]
        self.link = lab.memories.link(self.ids[0], self.ids[3], "evidence", strength=0.5)


@pytest.fixture
def town(lab: pj.Lab) -> Town:
    return Town(lab)


@pytest.fixture
def table(town: Town, wire: Any) -> MemoryTable:
    return MemoryTable(town.lab)


def do(table: MemoryTable, name: str, token: str = "", **given: Any) -> dict[str, Any]:
    """Act, and what the bar says then."""
    asked = table.ask_act(name=name, given=given)
    assert table.start_act(name=name, given=given, token=token or asked["token"])
    return bar(table)


def undo(table: MemoryTable, done: dict[str, Any]) -> str:
    assert table.undo_act(token=done["undo"])
    return str(bar(table)["said"])


def bar(table: MemoryTable) -> dict[str, Any]:
    for thread in threading.enumerate():
        if thread.name == "pjais-act":
            thread.join(10)
    state = table._acts_state()
    found: dict[str, Any] = state["last"]
    return found | {"undo": state["turn"] if state["undo"] else None}


def column(table: MemoryTable, name: str) -> list[Any]:
    return table.frame.sort("occurred_at")[name].to_list()


def test_the_living_memories_are_shown_by_the_words_of_all_views(
    table: MemoryTable, town: Town
) -> None:
    town.lab.memories.recall(town.ids[4])

    first = table.rows(start=0, count=2).to_dicts()

    assert [r["content"] for r in first] == ["Note 4 on the engine.", "Note 3 on the engine."]
    assert first[0] | {"last_recalled_at": ""} == {
        "content": "Note 4 on the engine.",
        "kind": "event",
        "tier": "warm",
        "importance": 0.4,
        "persona": "Bea",
        "occurred_at": "2026-03-01 04:00:00",
        "recalls": "1",
        "last_recalled_at": "",
        "links": "0",
        "tags": '["engine"]',
        "persona_id": town.bea.id,
        "entity_id": town.ids[4],
    }
    assert column(table, "links") == [1, 0, 0, 1, 0]
    assert town.lab.query(table.sql).equals(table.frame)


def test_one_persona_only(town: Town, wire: Any) -> None:
    for given in (town.bea, "Bea", town.bea.id):
        table = MemoryTable(town.lab, given)
        assert table.frame["entity_id"].to_list() == [town.ids[4], town.ids[3]]
    assert repr(table) == "MemoryTable('Memories of Bea')"
    assert "persona" in table.hidden
    assert table._state()["rows"] == 2
    with pytest.raises(NotFoundError, match="There is no persona 'Bee'"):
        MemoryTable(town.lab, "Bee")


def test_filters_search_and_sort_are_the_query_and_the_python_that_makes_the_table(
    table: MemoryTable, town: Town
) -> None:
    bars = table.summary(column="tier")["bars"]
    assert [(b[0], b[1], b[2]) for b in bars] == [("hot", 2, 2), ("warm", 2, 2), ("cold", 1, 1)]
    table.filter(column="tier", predicates=[bars[0][3], bars[1][3]])
    table.filter(column="persona", predicates=[to_dict(pj.OneOf("persona", ["Ada", "Bea"]))])
    links = table.summary(column="links")["bars"]
    table.filter(column="links", predicates=[links[0][3]])
    table.search(text="ENGINE")
    table.sort(by=[("importance", "asc")])

    assert table.frame["importance"].to_list() == [0.1, 0.4]
    assert town.lab.query(table.sql).equals(table.frame)
    again: MemoryTable = eval(table.python, {"pj": pj, "lab": town.lab})
    assert (again.sql, again.python) == (table.sql, table.python)
    assert table._state()["count"] == 2
    table.clear()
    assert table.frame.height == 5


def test_deep_pages_and_first_pages_are_of_one_order(lab: pj.Lab, wire: Any) -> None:
    ada = lab.personas.create("Ada")
    with lab.batch():
        for i in range(1_500):
            lab.memories.record(ada, f"{i}", importance=i % 7 / 10, at=NOON)
    table = MemoryTable(lab, sort=[("importance", "desc")])
    whole = table.frame["entity_id"].to_list()

    pages = [table.rows(start=s, count=500)["entity_id"].to_list() for s in (0, 500, 1_000, 1_500)]

    assert [i for page in pages for i in page] == whole
    table.pick(keys=[whole[0]], span=(1_200, 1_499))
    assert table.picked == [whole[0], *whole[1_200:]]
    with pytest.raises(ViewError, match="at most 10,000"):
        table.pick(keys=[], span=(0, 20_000))


def test_picks_are_ids_and_filter_the_other_views_of_the_selection(
    table: MemoryTable, town: Town
) -> None:
    other = MemoryTable(town.lab, selection=table.selection)
    events = pj.views.Table(
        town.lab.query("SELECT name, entity_id FROM events"), selection=table.selection
    )

    table.pick(keys=[town.ids[3], town.ids[0]])

    assert table.picked == [town.ids[3], town.ids[0]]
    assert set(table.selected["entity_id"]) == {town.ids[0], town.ids[3]}
    assert table.frame.height == 5
    assert set(other.frame["entity_id"]) == {town.ids[0], town.ids[3]}
    assert set(events.frame["name"]) == {"v1.MemoryRecorded"}
    town.lab.memories.forget(town.ids[3])
    assert table.picked == [town.ids[0]]
    table.pick(keys=[])
    assert table.picked == []
    assert other.frame.height == 4


def test_a_table_moves_with_every_change_of_what_it_shows_and_with_no_other(
    table: MemoryTable, town: Town, wire: Any
) -> None:
    wire.show(table, seq=-1)

    def moved(change: Callable[[], object]) -> None:
        before = table._version
        change()
        wire.until(lambda: table._version > before)

    moved(lambda: town.lab.memories.retier(town.ids[0], "cold"))
    assert column(table, "tier")[0] == "cold"
    moved(lambda: town.lab.memories.unlink(town.ids[0], town.ids[3], "evidence"))
    assert column(table, "links") == [0] * 5
    moved(lambda: subprocess.run([sys.executable, "-c", STRANGER, town.lab.path], check=True))
    assert column(table, "tier")[0] == "hot"
    before = table._version
    town.lab.conversations.start(town.ada)
    assert town.lab._parts.hub.settle()
    assert table._version == before


def test_acts_on_memories_are_those_of_code_and_one_commit(table: MemoryTable, town: Town) -> None:
    before = town.lab.position
    some = [town.ids[0], town.ids[1], town.ids[4]]

    said = do(table, "retier", ids=some, tier="cold")["said"]
    assert said == "Moved 3 memories to cold."
    do(table, "recall", ids=some[:2])
    do(table, "link", source=some[0], target=some[1], relation="causal", strength=0.25)
    do(table, "forget", ids=[some[2]], reason="dull")

    events = town.lab.query(
        "SELECT name, actor, args->>'reason' AS why FROM events WHERE seq > $n ORDER BY seq",
        n=before,
    )
    names = ["Retiered"] * 3 + ["Recalled"] * 2 + ["Linked", "Forgotten"]
    assert events["name"].to_list() == [f"v1.Memory{n}" for n in names]
    assert events["actor"].n_unique() == 1
    assert events["why"].to_list()[-1] == "dull"
    assert column(table, "tier") == ["cold", "cold", "cold", "hot"]
    assert column(table, "recalls") == [1, 1, 0, 0]


def test_every_undo_is_the_exact_inverse_and_answers_what_it_takes_back(
    table: MemoryTable, town: Town
) -> None:
    one, two = town.ids[0], town.ids[3]
    acts: list[dict[str, Any]] = [
        {"name": "retier", "ids": town.ids, "tier": "cold"},
        {"name": "forget", "ids": [one, two]},
        {"name": "link", "source": one, "target": two, "relation": "similar"},
        {"name": "link", "source": one, "target": two, "relation": "evidence", "strength": 1.0},
        {"name": "unlink", "source": one, "target": two, "relation": "evidence"},
    ]

    for given in acts:
        before, state = town.lab.position, everything(town.lab)
        done = do(table, **given)
        assert everything(town.lab) != state
        middle = town.lab.position
        undo(table, done)
        assert everything(town.lab) == state
        rows = town.lab.query(
            "SELECT id, cause, seq, entity_id FROM events WHERE seq > $n ORDER BY entity_id, seq",
            n=before,
        ).to_dicts()
        assert len(rows) == 2 * (middle - before)
        for act, back in zip(rows[::2], rows[1::2], strict=True):
            assert (back["cause"], back["entity_id"]) == (act["id"], act["entity_id"])


def everything(lab: pj.Lab) -> list[Any]:
    """All rows; when a link was made last is no part of what an undo brings back."""
    links = lab.query("SELECT * EXCLUDE (linked_at) FROM links ORDER BY id").rows()
    return [*lab.query("FROM memories ORDER BY id").rows(), *links]


def test_those_in_the_tier_already_stay_as_they_are(table: MemoryTable, town: Town) -> None:
    before = town.lab.position

    assert do(table, "retier", ids=town.ids[:3], tier="hot")["said"] == "Moved 2 memories to hot."
    refused = do(table, "retier", ids=town.ids[:3], tier="hot")["said"]

    assert refused == "They are all in the tier 'hot' already. Nothing was changed."
    assert town.lab.position == before + 2


@pytest.mark.parametrize(
    ("given", "meanwhile", "sentence"),
    [
        (
            {"name": "retier", "tier": "cold"},
            lambda lab, ids: lab.memories.retier(ids[1], "cold"),
            r"1 of 2 changed since: user:\S+ committed MemoryRetiered\.",
        ),
        (
            {"name": "retier", "tier": "cold"},
            lambda lab, ids: lab.memories.forget(ids[0]),
            "committed MemoryForgotten",
        ),
        (
            {"name": "forget"},
            lambda lab, ids: lab.memories.restore(ids[0]),
            "1 of 2 changed since",
        ),
    ],
)
def test_an_undo_overwrites_nothing_that_somebody_changed_meanwhile(
    table: MemoryTable,
    town: Town,
    given: dict[str, Any],
    meanwhile: Callable[[pj.Lab, list[str]], None],
    sentence: str,
) -> None:
    done = do(table, ids=town.ids[:2], **given)
    meanwhile(town.lab, town.ids)
    before = town.lab.position

    assert re.search(sentence, undo(table, done))
    assert town.lab.position == before


def test_what_is_gone_is_refused_by_the_command_and_nothing_is_stored(
    table: MemoryTable, town: Town
) -> None:
    town.lab.memories.forget(town.ids[1])
    before = town.lab.position

    for given in (
        {"name": "recall", "ids": town.ids},
        {"name": "retier", "ids": town.ids, "tier": "cold"},
        {"name": "forget", "ids": town.ids},
        {"name": "link", "source": town.ids[0], "target": town.ids[1]},
        {"name": "unlink", "source": town.ids[1], "target": town.ids[0], "relation": "causal"},
    ):
        name = given.pop("name")
        assert table.start_act(name=name, given=given, token=f"{name} 1")
        found = bar(table)
        assert found["failed"], name
        assert "Nothing was changed." in found["said"]
        assert "was deleted" in found["said"] or "does not exist" in found["said"]
    assert town.lab.position == before


def test_questions_say_what_will_happen_to_how_many_of_whom(table: MemoryTable, town: Town) -> None:
    question = table.ask_act(name="forget", given={"ids": town.ids})["question"]

    assert question["title"] == "Forget 5 memories?"
    assert question["lines"][0].startswith("5 memories of Ada (3) and Bea (2) will be gone")
    assert question["lines"][1] == "1 link from or to them will lead nowhere meanwhile."
    assert "The log keeps all that happened to them" in question["lines"][2]
    one = table.ask_act(name="forget", given={"ids": town.ids[1:2]})["question"]
    assert one["title"] == "Forget 1 memory?"
    assert one["lines"][0].startswith("1 memory of Ada will be gone")
    assert table.ask_act(name="recall", given={"ids": town.ids})["question"] is None
    asked = table.ask_act(name="link", given={"source": town.ids[0]})
    assert [f["name"] for f in asked["fields"]][:2] == ["target", "relation"]
    assert asked["fields"][0]["finds"] == "find"
    town.lab.memories.forget(town.ids[0])
    with pytest.raises(ViewError, match="1 of 5 picked memories are there no more"):
        table.ask_act(name="retier", given={"ids": town.ids})


@pytest.mark.parametrize(
    ("given", "effect"),
    [
        ({"name": "retier", "ids": [0, 1], "tier": "cold"}, "tier"),
        ({"name": "retier", "ids": [0], "tier": "cold"}, "tier"),
        ({"name": "forget", "ids": [0, 1], "reason": "it's old"}, "content"),
        ({"name": "recall", "ids": [0, 1]}, "recalls"),
        ({"name": "link", "source": 0, "target": 1, "relation": "causal"}, "links"),
        ({"name": "unlink", "source": 0, "target": 3, "relation": "evidence"}, "links"),
    ],
)
def test_an_act_as_python_does_the_same(
    table: MemoryTable, town: Town, given: dict[str, Any], effect: str
) -> None:
    before = column(table, effect)
    name = given["name"]
    rest = {k: _ids(town, v) if k in {"ids", "source", "target"} else v for k, v in given.items()}
    del rest["name"]
    code = table.act_python(name=name, given=rest)

    done = do(table, name, **rest)
    acted = column(table, effect)
    if done["undo"]:
        undo(table, done)
        exec(code, {"lab": town.lab})
        assert column(table, effect) == acted
    assert acted != before
    assert code.startswith(("lab.memories.", "with lab.batch():"))


def _ids(town: Town, places: Any) -> Any:
    return [town.ids[n] for n in places] if isinstance(places, list) else town.ids[places]


def test_in_a_past_or_closed_lab_all_is_shown_and_nothing_can_be_done(
    town: Town, wire: Any
) -> None:
    past = MemoryTable(town.lab.at(town.lab.position - 1), "Ada")
    open_table = MemoryTable(town.lab)

    assert past.frame.height == 3
    assert past.details(key=town.ids[0])["links"] == []
    offered = past._acts_state()["acts"]
    assert all("cannot be changed" in a["refused"] for a in offered.values())
    with pytest.raises(ViewError, match="This is the past at"):
        past.start_act(name="recall", given={"ids": town.ids[:1]}, token="x")
    with pytest.raises(NotFoundError, match="There was no persona"):
        MemoryTable(town.lab.at(0), "Ada")
    town.lab.close()
    assert open_table._acts_state()["acts"]["forget"]["refused"] == "The lab is closed."


def test_a_memory_is_shown_whole_with_its_links_and_what_happened_to_it(
    table: MemoryTable, town: Town
) -> None:
    one, four = town.ids[0], town.ids[3]
    town.lab.memories.revise(one, content="x" * 2_000, importance=0.75)
    town.lab.memories.recall(one, query="engines")
    town.lab.memories.retier(one, "warm")

    found = table.details(key=one)

    assert found["content"] == "x" * 2_000
    assert (found["persona"], found["tier"], found["recalls"]) == ("Ada", "warm", 1)
    assert found["links"] == [
        {
            "way": "to",
            "relation": "evidence",
            "strength": 0.5,
            "other": four,
            "content": "Note 3 on the engine.",
        }
    ]
    assert [e["name"] for e in found["events"]] == [
        f"v1.Memory{n}" for n in ("Retiered", "Recalled", "Revised", "Recorded")
    ]
    assert found["events"][0]["said"] == "tier warm, reason manual"
    assert found["events"][1]["said"] == "query engines"
    assert found["events"][3]["at"] == "2026-03-01 00:00:00"
    assert table.details(key=four)["links"][0]["way"] == "from"
    town.lab.memories.forget(four)
    assert table.details(key=one)["links"][0]["content"] is None
    assert table.details(key=four) == {"id": four, "is_alive": False}


def test_memories_to_link_with_are_found_by_a_text(table: MemoryTable, town: Town) -> None:
    assert table.find(text="NOTE 3") == [
        {"value": town.ids[3], "label": "Note 3 on the engine. (Bea)"}
    ]
    assert len(table.find(text="")) == 5


@pytest.mark.parametrize(
    ("ask", "kind", "sentence"),
    [
        (lambda t: t.sort(by=[("y", "asc")]), QueryError, "no column 'y'"),
        (lambda t: t.sort(by=[("tier", "asc")]) or t.rows(start=-9, count=0), None, ""),
        (lambda t: t.summary(column="y"), QueryError, "no column 'y'"),
        (lambda t: MemoryTable(t.lab, sort=[("y", "asc")]), QueryError, "no column 'y'"),
        (lambda t: MemoryTable(t.lab, sort=["tier"]), QueryError, "nothing to sort by"),
        (lambda t: t.ask_act(name="forget", given={"ids": ["x"]}), ViewError, "'x' is no id"),
        (lambda t: t.ask_act(name="forget", given={"ids": []}), ViewError, "No memory is picked"),
        (
            lambda t: t.ask_act(name="link", given={"source": natural_id("no")}),
            ViewError,
            "there no more",
        ),
        (lambda t: t.pick(keys=["x"]) or t.picked, QueryError, "Could not convert"),
    ],
)
def test_a_wrong_request_is_answered_with_a_sentence(
    table: MemoryTable,
    ask: Callable[[Any], Any],
    kind: type[LabError] | None,
    sentence: str,
) -> None:
    if kind is None:
        assert ask(table).height == 0
        return
    with pytest.raises(kind, match=sentence):
        ask(table)


def test_a_misspelt_keyword_is_named(town: Town, wire: Any) -> None:
    with pytest.raises(TypeError, match="Did you mean 'selection'"):
        MemoryTable(town.lab, selction=pj.Selection())  # type: ignore[call-arg]


def test_the_static_table_shows_texts_whole(table: MemoryTable) -> None:
    assert "Note 4 on the engine." in table.static()


def test_the_static_table_is_inert(lab: pj.Lab, wire: Any) -> None:
    hostile = "<script>alert(1)</script>\u202e"
    eve = lab.personas.create(hostile)
    lab.memories.record(eve, hostile * 100, tags=[hostile])

    static = MemoryTable(lab, eve, title=hostile).static()

    assert "<script" not in static
    assert "\u202e" not in static
    assert len(static) < 30_000


def test_closing_a_table_closes_what_it_follows(table: MemoryTable, town: Town) -> None:
    live = len(town.lab.live_nodes)

    table.close()
    table.close()

    assert len(town.lab.live_nodes) == live - 1
    town.lab.memories.forget(town.ids[0])


STRANGER = """
import sys, pjais_lab as pj
with pj.open(sys.argv[1], background=False) as lab:
    first = lab.query("SELECT id FROM memories ORDER BY created_at LIMIT 1").item()
    lab.memories.retier(first, "hot")
"""
