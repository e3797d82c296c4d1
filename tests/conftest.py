"""What every test shares: how hypothesis runs, and which tests are break tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import pjais_lab as pj

collect_ignore = ["benchmarks"]  # run by `make bench`, with peers that `make test` does not install

# Two shared cores make deadlines a matter of luck; CI replays the same examples every time.
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, max_examples=15)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

_CHAOS = Path(__file__).parent / "chaos"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_CHAOS):
            item.add_marker("chaos")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[pj.Lab]:
    """An open lab in a fresh workspace, without background threads that seal."""
    with pj.open(tmp_path / "lab", background=False) as opened:
        yield opened


@pytest.fixture
def ada(lab: pj.Lab) -> pj.PersonaModel:
    return lab.personas.create("Ada")


@pytest.fixture
def bare_workspace(tmp_path: Path) -> Path:
    """A workspace with Ada in it, that nobody has open."""
    path = tmp_path / "town"
    with pj.open(path, background=False) as opened:
        opened.personas.create("Ada")
    return path
