from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

import pjais_lab as pj
from pjais_lab.core.predicate import Contains, Interval, IsNull, OneOf, Predicate
from pjais_lab.errors import QueryError
from pjais_lab.storage import _cubecodes, logcube
from pjais_lab.storage.logcube import STEPS, LogCube, bucket_us, step_for

START = datetime(2026, 3, 1)
START_US = int(START.replace(tzinfo=UTC).timestamp()) * 1_000_000
DAY = 86_400_000_000


def live(lab: pj.Lab, seed: int, events: int = 60) -> None:
    """Some personas live: notes, moods and recalls at odd times, some long ago."""
    pick = random.Random(seed)
    people = [lab.personas.create(f"P{seed}.{i}", at=START) for i in range(4)]
    with lab.batch():
        for n in range(events):
            at = START + timedelta(seconds=pick.randrange(86_400 * 30), microseconds=n)
            lab.memories.record(pick.choice(people), f"Note {n}.", at=at)
            lab.personas.change_mood(pick.choice(people), "joy", 50, at=at + timedelta(hours=1))


def rows(lab: pj.Lab, cube: LogCube, asked: Any) -> dict[tuple[str | None, int], int]:
    """The same counts by plain SQL."""
    step, span, where = asked
    condition = logcube.literal_sql(where, cube._columns)
    if span is not None:
        condition += (
            f" AND epoch_us(occurred_at) >= {span[0]} AND epoch_us(occurred_at) < {span[1]}"
        )
    found = lab.query(
        f"SELECT {cube._lane}::VARCHAR AS lane, epoch_us(time_bucket(to_microseconds({step}),"
        " occurred_at, TIMESTAMP '0001-01-01')) AS at, count(*) AS n"
        f" FROM events WHERE {condition} GROUP BY ALL"
    )
    return {(lane, at): n for lane, at, n in found.iter_rows()}


def counted(cube: LogCube, asked: Any) -> dict[tuple[str | None, int], int]:
    step, span, where = asked
    found = cube.density(step, span, where)
    return {
        (found.lanes[code], bucket_us(bucket, found.step)): n
        for code, bucket, n in found.cells.iter_rows()
    }


def questions(lab: pj.Lab) -> list[tuple[int, tuple[int, int] | None, Predicate | None]]:
    someone = str(lab.query("SELECT id FROM personas ORDER BY id LIMIT 1").item())
    span = (START_US, START_US + 7 * DAY)
    return [
        (DAY, None, None),
        (7 * DAY, None, OneOf("name", ["v1.MemoryRecorded"])),
        (DAY, None, OneOf("persona_id", [someone])),
        (DAY, None, ~OneOf("persona_id", [someone]) & OneOf("name", ["v1.PersonaMoodChanged"])),
        (3_600_000_000, span, None),
        (900_000_000, span, ~IsNull("persona_id")),
        (DAY, None, Interval("occurred_at", START + timedelta(days=3, hours=1), None)),
        (DAY, None, Contains("note 1", ["args"])),
        (3_600_000_000, span, Contains("note 1", ["args"]) & OneOf("persona_id", [someone, None])),
        (DAY, (0, DAY), None),
    ]


@pytest.mark.parametrize("lane", logcube.BY)
def test_a_log_is_counted_as_sql_counts_it_while_it_grows(lab: pj.Lab, lane: str) -> None:
    cube = LogCube(lab.query, lambda: lab.position, lane)

    for seed in range(3):
        live(lab, seed)
        cube.refresh()
        for asked in questions(lab):
            assert counted(cube, asked) == rows(lab, cube, asked), asked
        if seed == 1:
            lab.seal()
    assert cube.events == lab.position


def test_what_a_cube_tells_and_what_the_rows_tell_is_said(lab: pj.Lab) -> None:
    live(lab, 0)
    cube = LogCube(lab.query, lambda: lab.position, "name")

    told = [cube.density(step, span, where).by for step, span, where in questions(lab)]

    assert told == ["cube"] * 6 + ["rows"] * 3 + ["cube"]
    with pytest.raises(QueryError, match="no value of the column 'persona_id'"):
        cube.density(DAY, None, OneOf("persona_id", ["nobody"]))


def test_new_events_are_added_and_nothing_is_counted_again(lab: pj.Lab) -> None:
    live(lab, 0)
    asked: list[str] = []

    def ask(sql: str) -> pl.DataFrame:
        asked.append(sql)
        return lab.query(sql)

    cube = LogCube(ask, lambda: lab.position, "persona_id")
    cube.refresh()
    before, asked[:] = lab.position, []
    eve = lab.personas.create("Eve", at=START)
    cube.refresh()

    scans = [
        sql
        for sql in asked
        if f"seq > {before}" not in sql and "count(*) AS n FROM events W" not in sql
    ]
    assert scans == []
    assert len(asked) == 3
    assert counted(cube, (DAY, None, None))[(eve.id, START_US)] == 1
    assert cube.events == lab.position


def test_what_is_erased_from_the_files_is_missed_when_looked_for(lab: pj.Lab) -> None:
    live(lab, 0)
    eve = lab.personas.create("Eve", at=START)
    lab.memories.record(eve, "Note.", at=START)
    cube = LogCube(lab.query, lambda: lab.position, "name")
    lab.seal()
    lab.personas.erase(eve)
    lab.personas.create("Bea", at=START)
    cube.refresh()
    before = cube.events

    lab.seal()  # only now they go from the lake
    cube.refresh()
    unseen = cube.events
    cube.refresh(check=True)

    assert before == unseen > cube.events == lab.query("SELECT count(*) FROM events").item()
    assert counted(cube, (DAY, None, None)) == rows(lab, cube, (DAY, None, None))


def test_the_bound_on_cells_and_on_values_is_kept_and_the_counts_stay_right(
    lab: pj.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logcube, "MOST_CELLS", 40)
    monkeypatch.setitem(_cubecodes.MOST_VALUES, "persona_id", 2)
    live(lab, 0)
    live(lab, 1)
    cube = LogCube(lab.query, lambda: lab.position, "persona_id")
    cube.refresh()

    found = cube.density(DAY)

    assert cube.cells <= 40
    assert found.step > DAY
    assert found.cells["n"].sum() == cube.events
    assert len(found.lanes) == 3
    someone = lab.query("SELECT id FROM personas WHERE name = 'P1.3'").item()
    some = cube.density(28 * DAY, None, OneOf("persona_id", [str(someone)]))
    expected = lab.query("SELECT count(*) FROM events WHERE persona_id = $p", p=someone).item()
    assert some.cells["n"].sum() == expected


def test_an_empty_log_has_nothing_to_show(lab: pj.Lab) -> None:
    cube = LogCube(lab.query, lambda: lab.position, "name")
    cube.refresh()
    assert cube.density(DAY).cells.is_empty()
    live(lab, 0)
    cube.refresh()
    assert counted(cube, (DAY, None, None)) == rows(lab, cube, (DAY, None, None))


@pytest.mark.parametrize("most", [1, 40, 2_000])
def test_steps_divide_each_other_and_are_few_enough(most: int) -> None:
    assert all(b % a == 0 for a, b in zip(STEPS, STEPS[1:], strict=False))
    for span in (1, 10**6, 3 * 10**12, 10**17):
        assert span / step_for(span, most) <= most or step_for(span, most) == STEPS[-1]
