from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import pjais_lab as pj


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[pj.Lab]:
    with pj.open(tmp_path / "lab", background=False) as opened:
        yield opened


@pytest.fixture
def ada(lab: pj.Lab) -> pj.PersonaModel:
    return lab.personas.create("Ada")
