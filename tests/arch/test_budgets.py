"""Size budgets. Docstrings of functions and classes do not count: they are meant to be long enough."""

from __future__ import annotations

import ast
from typing import Any

MODULE, VIEW, INIT, CLASS, FUNCTION = 400, 300, 80, 200, 40
TESTS = 1.25  # a table of cases may run a little longer


def test_no_module_is_longer_than_its_budget(sources: list[Any]) -> None:
    sizes = {s.path: len(s.text.splitlines()) for s in sources}

    over = {path: n for path, n in sizes.items() if n > _module_budget(path)}

    assert over == {}


def test_no_class_is_longer_than_200_lines(sources: list[Any]) -> None:
    assert _over(sources, (ast.ClassDef,), CLASS) == {}


def test_no_function_is_longer_than_40_lines(sources: list[Any]) -> None:
    assert _over(sources, (ast.FunctionDef, ast.AsyncFunctionDef), FUNCTION) == {}


def _module_budget(path: str) -> int:
    if path.endswith("/__init__.py"):
        return INIT
    if path.startswith("tests/"):
        return int(MODULE * TESTS)
    return VIEW if path.startswith("pjais_lab/views/") else MODULE


def _over(sources: list[Any], kinds: tuple[type[ast.AST], ...], budget: int) -> dict[str, int]:
    sizes = {
        f"{s.path}:{d.lineno} {d.name}": _code_lines(d)
        for s in sources
        for d in s.definitions()
        if type(d) in kinds
    }
    return {w: n for w, n in sizes.items() if n > budget * (TESTS if w.startswith("tests/") else 1)}


def _code_lines(node: Any) -> int:
    docstrings = (
        inner.body[0]
        for inner in ast.walk(node)
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and ast.get_docstring(inner, clean=False) is not None
    )
    documented = sum(d.end_lineno - d.lineno + 1 for d in docstrings if d.end_lineno)
    return int(node.end_lineno - node.lineno + 1 - documented)
