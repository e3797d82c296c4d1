"""The journals that must pass the contract: to add one, add its opener here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.storage.clock import Clock
from pjais_lab.storage.journal import Journal
from pjais_lab.testing import ManualClock

Opener = Callable[[], Journal]


def _sqlite(folder: Path, clock: Clock) -> Journal:
    return SqliteJournal(folder / "journal.sqlite", clock=clock)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=[_sqlite], ids=["sqlite"])
def open_journal(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> Iterator[Opener]:
    """Opens the same journal again and again, as processes would."""
    opened: list[Journal] = []

    def open_one() -> Journal:
        opened.append(request.param(tmp_path, clock))
        return opened[-1]

    yield open_one
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(open_journal: Opener) -> Journal:
    return open_journal()
