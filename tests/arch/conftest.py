"""The source tree, read once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).parents[2]
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


class Source(msgspec.Struct, frozen=True):
    """One Python file: its path in the repository, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def is_public(self) -> bool:
        """No part of the path starts with an underscore, except ``__init__``."""
        parts = Path(self.path).with_suffix("").parts
        return not any(p.startswith("_") and p != "__init__" for p in parts)

    def definitions(self) -> Iterator[Definition]:
        """Every function and class, however nested."""
        for node in ast.walk(self.tree):
            if isinstance(node, Definition):
                yield node

    def public_functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Public functions of the module and public methods of its public classes."""
        top = [n for n in self.tree.body if isinstance(n, Definition) and n.name[0] != "_"]
        for node in top:
            for inner in node.body if isinstance(node, ast.ClassDef) else [node]:
                if isinstance(inner, Function) and inner.name[0] != "_":
                    yield inner


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


def _read(*folders: str) -> list[Source]:
    paths = sorted(p for f in folders for p in (ROOT / f).rglob("*.py"))
    texts = [(p.relative_to(ROOT).as_posix(), p.read_text()) for p in paths]
    return [Source(path, text, ast.parse(text)) for path, text in texts]


@pytest.fixture(scope="session")
def package() -> list[Source]:
    return _read("pjais_lab")


@pytest.fixture(scope="session")
def sources(package: list[Source]) -> list[Source]:
    return package + _read("tests")
