"""Rows that stay where they are, held against the same rows copied."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl
import pytest

import pjais_lab as pj
from pjais_lab.core.predicate import Interval, IsNull, OneOf, Predicate
from pjais_lab.errors import QueryError
from pjais_lab.storage.asked import AskedRelation
from pjais_lab.storage.relation import Relation, Sort

COLUMNS = {
    "id": "m.id",
    "text": "m.content",
    "weight": "m.importance",
    "tier": "m.tier",
    "owner": "(SELECT name FROM personas p WHERE p.id = m.persona_id)",
    "links": "(SELECT count(*) FROM links l WHERE l.source_id = m.id)",
    "used_at": "m.last_recalled_at",
}
JOIN = "LEFT JOIN (SELECT source_id, count(*) AS n FROM links GROUP BY ALL) l ON l.source_id = m.id"


@pytest.fixture
def asked(lab: pj.Lab) -> AskedRelation:
    people = [lab.personas.create(name) for name in ("Ada", "Bea", "it's")]
    with lab.batch():
        made = [
            lab.memories.record(
                people[i % 3],
                f"Note {i} | {'x' * (600 if i == 7 else 1)}",
                importance=i * 37 % 100 / 100,
                tier=("hot", "warm", "cold")[i * 7 % 3],
            )
            for i in range(120)
        ]
    with lab.batch():
        for one, two in zip(made, made[1:50], strict=False):
            lab.memories.link(one, two)
        lab.memories.link(made[0], made[9])
    return AskedRelation(
        lab.query,
        COLUMNS,
        "memories m",
        key="id",
        joins={"links": ("coalesce(l.n, 0)", JOIN)},
        searched=["text", "owner"],
    )


@pytest.mark.parametrize(
    ("where", "sort"),
    [
        (None, ()),
        (None, [("tier", "desc"), ("weight", "asc")]),
        (OneOf("owner", ["it's"]), [("links", "desc")]),
        (Interval("links", 1) & ~OneOf("tier", ["hot"]), [("used_at", "asc"), ("text", "desc")]),
        (IsNull("used_at") & Interval("weight", 0.2, 0.5), [("weight", "desc")]),
        (OneOf("tier", []), ()),
    ],
)
def test_pages_counts_and_summaries_are_those_of_the_copied_rows(
    asked: AskedRelation, where: Predicate | None, sort: Sort
) -> None:
    copied = Relation(asked.frame())

    assert asked.count(where) == copied.count(where)
    assert asked.frame(where, sort=sort).equals(copied.frame(where, sort=sort))
    for offset, limit in ((0, 50), (30, 1_000), (119, 5), (500, 5)):
        mine = asked.page(offset, limit, sort=sort, where=where)
        theirs = copied.page(offset, limit, sort=sort, where=where)
        assert mine.rows() == theirs.rows()
    for name in COLUMNS:
        mine, theirs = (
            msgspec.structs.replace(r.summary(name, where=where), distinct=None)  # about how many
            for r in (asked, copied)
        )
        assert mine == theirs


def test_the_query_for_people_gives_the_same_rows(asked: AskedRelation, lab: pj.Lab) -> None:
    where, sort = asked.search("it's") & Interval("weight", 0.5), [("weight", "desc")]

    sql = asked.sql(where, sort=sort)  # type: ignore[arg-type]

    assert lab.query(sql).equals(asked.frame(where, sort=sort))  # type: ignore[arg-type]
    assert lab.query(sql).height > 0


def test_an_order_is_kept_until_the_rows_have_changed(asked: AskedRelation, lab: pj.Lab) -> None:
    sort: Any = [("weight", "desc")]
    first = asked.keys(0, 2_000, sort=sort)
    lab.memories.revise(first[-1], importance=1.0)
    lab.memories.forget(first[0])
    assert asked.keys(0, 2_000, sort=sort) == first
    assert first[0] not in asked.page(0, 2_000, sort=sort)["id"].to_list()

    asked.changed()

    assert asked.keys(0, 2_000, sort=sort) == [first[-1], *first[1:-1]]
    assert asked.summary("weight").rows == 119


def test_rows_come_in_the_order_of_their_keys_with_the_columns_asked_for(
    asked: AskedRelation,
) -> None:
    keys = asked.keys(0, 5)

    found = asked.some([keys[3], keys[1]], "text")

    assert found.columns == ["id", "text"]
    assert found["id"].to_list() == [keys[3], keys[1]]
    assert asked.some([]).shape == (0, len(COLUMNS))


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda a: a.count(OneOf("y", [1])), "no column 'y'"),
        (lambda a: a.page(0, 5, sort=[("wieght", "asc")]), "Did you mean 'weight'"),
        (lambda a: a.page(0, 5, sort=[("weight", "up")]), "nothing to sort by"),
        (lambda a: a.summary("y"), "no column 'y'"),
        (lambda a: a.some(["x"]), "Could not convert"),
        (lambda a: AskedRelation(a._ask, {"id": "m.it"}, "memories m", key="id"), "m"),
    ],
)
def test_a_wrong_question_is_answered_with_a_sentence(
    asked: AskedRelation, ask: Any, sentence: str
) -> None:
    with pytest.raises(QueryError, match=sentence):
        ask(asked)


def test_the_frame_has_the_types_of_the_tables(asked: AskedRelation) -> None:
    frame = asked.frame()

    assert frame.schema["weight"] == pl.Float64
    assert frame.schema["used_at"] == pl.Datetime("us")
    assert {c.name: c.kind for c in asked.columns}["links"] == "exact"
    assert repr(asked) == "AskedRelation(7 columns)"
