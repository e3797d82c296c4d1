from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pjais_lab.core.shard import HashRouter
from pjais_lab.storage.duck import connect
from pjais_lab.storage.lake import Lake
from pjais_lab.testing.sealed import made_events

OpenLake = Callable[..., Lake]


@pytest.fixture
def open_lake(tmp_path: Path) -> Iterator[OpenLake]:
    """Opens the lake of this test in a DuckDB of its own, as another process would."""
    opened: list[Lake] = []

    def open_one(folder: Path | None = None, *, read_only: bool = False) -> Lake:
        place = folder or tmp_path / "lake"
        opened.append(Lake(connect(2), place, HashRouter(4), read_only=read_only))
        return opened[-1]

    yield open_one
    for lake in opened:
        lake.detach()


@pytest.fixture
def lake(open_lake: OpenLake) -> Lake:
    return open_lake()


@pytest.fixture
def sealed(lake: Lake) -> Lake:
    """A lake of 2,000 events in two seals."""
    lake.seal(made_events(1, 1000), 1000)
    lake.seal(made_events(1001, 2000), 2000)
    return lake
