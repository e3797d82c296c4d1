"""A public callable that raises says so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any


def test_every_public_callable_that_raises_documents_it(package: list[Any]) -> None:
    silent = [
        f"{s.path}:{f.lineno} {f.name}"
        for s in package
        if s.is_public and not s.path.startswith("pjais_lab/cli/")  # there a docstring is --help
        for f in s.public_functions()
        if any(_raises(f)) and "Raises:" not in (ast.get_docstring(f) or "")
    ]

    assert silent == []


def _raises(node: ast.AST) -> Iterator[ast.Raise]:
    """Raise statements of a body, less those of functions inside it and abstract methods."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Raise):
            if child.exc is not None and "NotImplementedError" not in ast.unparse(child.exc):
                yield child
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _raises(child)
