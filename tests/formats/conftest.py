from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SCRATCH: dict[str, Any] = {
    "name": "Ada Byron",
    "age": 27,
    "innate": "curious",
    "learned": "Ada Byron writes programs for machines that do not exist yet.",
    "currently": "thinking",
    "living_area": "London:St James's Square",
    "vision_r": 8,
}


def node(text: str = "the engine is humming", **fields: Any) -> dict[str, Any]:
    return {
        "node_count": 1,
        "type": "event",
        "created": "2023-02-13 08:00:00",
        "expiration": None,
        "subject": "the engine",
        "predicate": "is",
        "object": "humming",
        "description": text,
        "poignancy": 4,
        "keywords": ["engine"],
        "filling": [],
    } | fields


MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Write a run of one persona for each keyword: name -> nodes."""

    def make(*, nested: bool = False, **streams: dict[str, Any]) -> Path:
        run = tmp_path / "run"
        for first_name, nodes in streams.items():
            home = run / "personas" / first_name if nested else run / first_name
            mind = home / "bootstrap_memory" if nested else home
            stream = mind / "associative_memory" if nested else mind
            stream.mkdir(parents=True)
            scratch = SCRATCH | {"name": f"{first_name} Byron"}
            (mind / "scratch.json").write_text(json.dumps(scratch))
            (mind / "spatial_memory.json").write_text('{"London": {}}')
            (stream / "nodes.json").write_text(json.dumps(nodes))
        return run

    return make


@pytest.fixture(scope="session")
def smallville() -> Path:
    """The Generative Agents run beside the repository."""
    path = Path(__file__).parents[2].parent / "shared" / "data" / "smallville"
    if not path.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs {path}")
        pytest.skip(f"no data at {path}")
    return path
