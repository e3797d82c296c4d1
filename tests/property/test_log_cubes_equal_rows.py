"""A log in cubes counts what its rows count, whatever was asked before and however it grew."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pjais_lab.core.predicate import AnyOf, Contains, Interval, IsNull, Matches, OneOf
from pjais_lab.storage import _cubecodes, logcube
from pjais_lab.storage.duck import connect
from pjais_lab.storage.logcube import BY, STEPS, LogCube, bucket_us

CON = connect()
PEOPLE = [None, *(UUID(int=n) for n in (1, 2, 3, 2**128 - 1))]
NAMES = ["v1.Met", "v1.Said", "it's", "\u202e"]
ACTORS = [None, "user:ada", "plugin:x"]
MOMENTS = [
    *(datetime(1, 1, 1), datetime(1969, 12, 31, 23, 59, 59, 999999), datetime(1970, 1, 1)),
    *(datetime(2026, 3, day, hour) for day in (1, 2, 9) for hour in (0, 5)),
    *(datetime(2026, 3, 1, 0, 0, 0, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)),
]
EVENT = st.tuples(*map(st.sampled_from, (PEOPLE, NAMES, ACTORS, MOMENTS)))
LEAVES = st.one_of(
    st.builds(OneOf, st.just("persona_id"), st.lists(st.sampled_from([*PEOPLE, UUID(int=9)]))),
    st.builds(OneOf, st.just("name"), st.lists(st.sampled_from([*NAMES, "v9.Never"]))),
    st.builds(OneOf, st.just("actor"), st.lists(st.sampled_from(ACTORS))),
    st.builds(IsNull, st.sampled_from(["actor", "persona_id", "name"])),
    st.builds(
        Contains,
        st.sampled_from(["v1", "ada", "'"]),
        st.sampled_from([["name"], ["name", "actor"]]),
    ),
    st.builds(Matches, st.sampled_from(["^v1", "x$"]), st.just(["actor"])),
    st.builds(
        lambda ends: Interval("occurred_at", min(ends), max(ends), "left"),
        st.tuples(st.sampled_from(MOMENTS), st.sampled_from(MOMENTS)),
    ),
)
PREDICATES = st.none() | st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(lambda a, b: a & b, inner, inner)
        | st.builds(lambda p: ~p, inner)
        | st.builds(AnyOf, st.lists(inner, max_size=2))
    ),
    max_leaves=4,
)
DAY = 86_400_000_000


def us(at: datetime) -> int:
    return (at - datetime(1970, 1, 1)) // timedelta(microseconds=1)


SPANS = st.none() | st.sampled_from([(us(MOMENTS[3]), us(MOMENTS[5])), (-DAY, DAY)])
QUESTIONS = st.lists(
    st.tuples(st.sampled_from(STEPS[11:15]), SPANS, PREDICATES), min_size=1, max_size=4
)


def fill(events: list[Any]) -> None:
    CON.execute(
        "CREATE OR REPLACE TABLE events (seq BIGINT, persona_id UUID, name VARCHAR, actor VARCHAR,"
        " occurred_at TIMESTAMP)"
    )
    for seq, (persona, name, actor, at) in enumerate(events, 1):
        CON.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", [seq, persona, name, actor, at])


def by_rows(cube: LogCube, lane: str, upto: int, asked: Any) -> Counter[Any]:
    step, span, where = asked
    condition = logcube.literal_sql(where, cube._columns)
    found = CON.execute(
        f"SELECT {lane}::VARCHAR, occurred_at FROM events WHERE seq <= {upto} AND ({condition})"
    ).fetchall()
    kept = [(v, us(at)) for v, at in found]
    return Counter(
        (value, (at - logcube.ORIGIN_US) // step)
        for value, at in kept
        if span is None or span[0] <= at < span[1]
    )


def by_cube(cube: LogCube, asked: Any) -> Counter[Any]:
    """As the cube has it; values without a code of their own are under ``rest``."""
    found = cube.density(*asked)
    assert found.step == asked[0]
    return Counter({(found.lanes.get(c, "rest"), b): n for c, b, n in found.cells.iter_rows()})


@settings(max_examples=100)
@given(
    lane=st.sampled_from(BY),
    events=st.lists(EVENT, min_size=4, max_size=24),
    cuts=st.lists(st.integers(0, 24), max_size=2),
    questions=QUESTIONS,
    few=st.booleans(),
)
def test_a_log_in_cubes_counts_what_its_rows_count(
    lane: str, events: list[Any], cuts: list[int], questions: list[Any], few: Any
) -> None:
    fill(events)
    with pytest.MonkeyPatch.context() as patched:
        if few:
            patched.setattr(_cubecodes, "MOST_VALUES", dict.fromkeys(BY, 2))
        at = [0]
        cube = LogCube(lambda sql: CON.execute(sql).pl(), lambda: at[0], lane)
        for upto in [*sorted(min(c, len(events)) for c in cuts), len(events)]:
            at[0] = upto
            cube.refresh()
            assert cube.events == upto
            for asked in [(STEPS[-3], None, None), *questions]:
                # The whole log is not counted in finer steps than fit its length.
                if asked[1] is None and asked[0] % cube.unit:
                    continue
                expected, own = by_rows(cube, lane, upto, asked), set(cube._codes.values[lane])
                folded = Counter[Any]()
                for (value, bucket), n in expected.items():
                    is_own = value is None or value in own
                    folded[value if is_own else "rest", bucket] += n
                assert by_cube(cube, asked) == folded, asked


def test_a_bucket_begins_where_time_bucket_lets_it_begin() -> None:
    for step in STEPS[3:]:
        for at in MOMENTS[1:-1]:
            sql = f"SELECT epoch_us(time_bucket(to_microseconds({step}), $at, TIMESTAMP '0001-01-01'))"
            row = CON.execute(sql, {"at": at}).fetchone()
            assert row == (bucket_us(logcube.bucket_at(us(at), step), step),)
