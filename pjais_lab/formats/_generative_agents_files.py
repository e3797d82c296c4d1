"""Where a Generative Agents run keeps what, and reading it without trusting it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from pjais_lab.formats.report import Notes

__all__ = ["Source", "is_run", "moment", "people_in"]

_BESIDE: Final = ("spatial_memory", "kw_strength")
_LARGEST_BESIDE: Final = 256 * 1024
_ROOMS: Final = (
    "",
    "bootstrap_memory",
    "associative_memory",
    "bootstrap_memory/associative_memory",
)


class Source(msgspec.Struct, frozen=True):
    """What lies in one persona's folder.

    Attributes:
        path: the folder's name, for reports.
        name: the persona's name.
        scratch: ``scratch.json``.
        nodes: ``nodes.json``; empty if there is none.
        beside: the small files beside it, by name.
    """

    path: str
    name: str
    scratch: dict[str, Any]
    nodes: dict[str, Any]
    beside: dict[str, Any]

    @property
    def rows(self) -> int:
        """The persona and its nodes."""
        return 1 + len(self.nodes)


def is_run(path: Path) -> bool:
    """Whether a path is a persona's folder, or has such folders in it."""
    try:
        return next(_folders(path), None) is not None
    except OSError:
        return False


def people_in(path: Path, notes: Notes) -> Iterator[Source]:
    """What lies in each persona's folder; folders that cannot be read go to the notes."""
    for folder in _folders(path):
        nodes = _nodes(folder, notes)
        scratch, problem = _load_object(_find(folder, "scratch"))
        name = scratch.get("name")
        if problem is None and not isinstance(name, str):
            problem = "It lacks the persona's 'name'."
        if problem is not None:
            notes.skip(f"{folder.name}/scratch.json", problem)
            if nodes:
                notes.skip(f"{folder.name}/nodes.json", "Its persona is unreadable.", len(nodes))
            continue
        yield Source(folder.name, str(name), scratch, nodes, _beside(folder, notes))


def moment(text: str) -> datetime:
    """A time such as ``2023-02-14 00:00:00``, in UTC if it names no zone.

    Raises:
        ValueError: it is no such time.
    """
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _folders(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        return
    if _is_person(path):
        yield path.resolve() if not path.name else path
        return
    home = path / "personas"
    for child in sorted((home if home.is_dir() else path).iterdir()):
        if child.is_dir() and _is_person(child):
            yield child


def _is_person(folder: Path) -> bool:
    try:
        return _find(folder, "scratch") is not None and (
            _find(folder, "nodes") is not None or _find(folder, "spatial_memory") is not None
        )
    except OSError:
        return False


def _find(folder: Path, name: str) -> Path | None:
    paths = (folder / room / f"{name}.json" for room in _ROOMS)
    return next((p for p in paths if p.is_file()), None)


def _nodes(folder: Path, notes: Notes) -> dict[str, Any]:
    path = _find(folder, "nodes")
    if path is None:
        notes.warn(f"{folder.name}", "There is no nodes.json, so no memories.")
        return {}
    nodes, problem = _load_object(path)
    if problem is not None:
        notes.skip(f"{folder.name}/nodes.json", problem)
    return nodes


def _beside(folder: Path, notes: Notes) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name in _BESIDE:
        path = _find(folder, name)
        if path is None:
            continue
        label = f"{folder.name}/{name}.json"
        if path.stat().st_size > _LARGEST_BESIDE:
            notes.warn(label, "The file is too large to keep with the persona; left out.")
            continue
        value, problem = _load(path)
        if problem is not None:
            notes.warn(label, f"Left out: {problem}")
        else:
            kept[name] = value
    return kept


def _load_object(path: Path | None) -> tuple[dict[str, Any], str | None]:
    value, problem = _load(path)
    if problem is None and not isinstance(value, dict):
        problem = f"Expected a JSON object, got {type(value).__name__}."
    return ({}, problem) if problem is not None else (cast("dict[str, Any]", value), None)


def _load(path: Path | None) -> tuple[Any, str | None]:
    """The JSON in a file, or why there is none. NaN and infinity are read as texts."""
    if path is None:
        return None, "The file is missing."
    try:
        return json.loads(path.read_text("utf-8-sig"), parse_constant=str), None
    except UnicodeDecodeError:
        return None, "The file is not UTF-8 text."
    except (json.JSONDecodeError, RecursionError, ValueError) as error:
        return None, f"The file is not JSON: {error}."
    except OSError as error:
        return None, f"The file cannot be read: {error.strerror}."
