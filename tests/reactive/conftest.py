from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pjais_lab as pj
from pjais_lab.reactive.hub import Hub


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[pj.Lab]:
    with pj.open(tmp_path / "lab", background=False) as opened:
        yield opened


@pytest.fixture
def hub(lab: pj.Lab) -> Hub:
    return lab._parts.hub


@pytest.fixture
def ada(lab: pj.Lab) -> pj.PersonaModel:
    return lab.personas.create("Ada")


@pytest.fixture
def runs(hub: Hub) -> Callable[[Callable[[], Any]], int]:
    """How many queries the hub runs on account of an action."""

    def count(action: Callable[[], Any]) -> int:
        assert hub.settle(10)
        before = hub.runs
        action()
        assert hub.settle(10)
        return hub.runs - before

    return count
