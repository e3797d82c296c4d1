"""The event log's view over a million sealed events: its end, its middle, filtered, and moving."""

from __future__ import annotations

import random
import statistics
import time

import pjais_lab as pj
from tests.benchmarks.scratch import Scratch
from tests.benchmarks.table import LIMIT, Row, median_s, seconds

__all__ = ["measure"]

_PAGE = 100
_MOOD = "v1.PersonaMoodChanged"


def measure(scratch: Scratch) -> list[Row]:
    """All of this module's rows."""
    town = scratch.town(50, 10) if scratch.small else scratch.town(500, 30)
    with pj.open(town.path, background=False) as lab:
        return [*_whole(lab), *_filtered(lab), _moving(lab)]


def _whole(lab: pj.Lab) -> list[Row]:
    total = lab.position
    pj.views.EventLog(lab).close()  # the front-end is read once a kernel
    first_s = median_s(lambda: pj.views.EventLog(lab).close(), 5)
    log = pj.views.EventLog(lab)
    count_s = seconds(log.count)
    at = random.Random(0)
    page_s = median_s(lambda: log.rows(start=at.randrange(total - _PAGE), count=_PAGE), 9)
    next_s = median_s(lambda: log.rows(start=total // 2, count=_PAGE), 3)
    offset = f"SELECT * FROM events ORDER BY seq LIMIT {_PAGE} OFFSET {total // 2}"
    offset_s = median_s(lambda: lab.query(offset), 3)
    log.close()
    of = f"of {total:,} events"
    return [
        Row(what=f"EventLog shows the last {of}", ours=first_s, unit="s", peer=LIMIT,
            peer_value=0.5, rule="<=", note="Made in the kernel, up to the message that opens it."),
        Row(what=f"counting all {of}", ours=count_s, unit="s"),
        Row(what=f"page anywhere {of}", ours=page_s, unit="s", peer="ORDER BY … OFFSET",
            peer_value=offset_s, rule="<=", factor=0.5,
            note="Jumps to random places."),
        Row(what=f"page that was near the one before {of}", ours=next_s, unit="s"),
    ]  # fmt: skip


def _filtered(lab: pj.Lab) -> list[Row]:
    rows: list[Row] = []
    for what, log in {
        "a name": pj.views.EventLog(lab, names=_MOOD),
        "a text": pj.views.EventLog(lab, search="library"),
    }.items():
        count_s = seconds(log.count)
        count = log.count()
        at = random.Random(1)
        page_s = median_s(lambda: log.rows(start=at.randrange(max(1, count)), count=_PAGE), 5)  # noqa: B023 - called here
        log.close()
        of = f"{count:,} of {lab.position:,} events by {what}"
        rows += [
            Row(what=f"counting {of}", ours=count_s, unit="s", peer=LIMIT, peer_value=2.0, rule="<="),
            Row(what=f"page anywhere in {of}", ours=page_s, unit="s"),
        ]  # fmt: skip
    return rows


def _moving(lab: pj.Lab) -> Row:
    log = pj.views.EventLog(lab)
    log.count()
    someone = next(iter(lab.personas))
    taken: list[float] = []
    for _ in range(20):
        lab.personas.change_mood(someone, "joy")
        begun = time.perf_counter()
        log.state()
        taken.append(time.perf_counter() - begun)
    log.close()
    return Row(what="what is to be pushed after a commit", ours=statistics.median(taken) * 1000,
               unit="ms", peer=LIMIT, peer_value=50.0, rule="<=",
               note="The count, the last events, and the query; at most 20 times a second.")  # fmt: skip
