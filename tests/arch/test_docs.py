"""What documentation promises, held against the code."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

import pjais_lab as pj
from pjais_lab import errors

PUBLIC = [*pj.__all__, "Lab.personas", "Lab.memories", "Lab.conversations", "Lab.settings"]
COLLECTIONS = {
    "Lab.personas": "pjais_lab.personas.collection:Personas",
    "Lab.memories": "pjais_lab.memories.collection:Memories",
    "Lab.conversations": "pjais_lab.conversations.collection:Conversations",
    "Lab.settings": "pjais_lab.settings.collection:Settings",
}
BUILT_IN = {
    "FileNotFoundError",
    "KeyError",
    "LookupError",
    "TimeoutError",
    "TypeError",
    "ValueError",
}


def test_every_public_callable_that_raises_documents_it(package: list[Any]) -> None:
    silent = [
        f"{s.path}:{f.lineno} {f.name}"
        for s in package
        if s.is_public and not s.path.startswith("pjais_lab/cli/")  # there a docstring is --help
        for f, name in named_functions(s.tree)
        if name in raisers(s.tree) and "Raises:" not in (ast.get_docstring(f) or "")
    ]

    assert silent == []


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_method_has_a_docstring(name: str) -> None:
    value = public(name)

    silent = [n for n, member in members(value) if not inspect.getdoc(member)]

    assert silent == []


@pytest.mark.parametrize("name", PUBLIC)
def test_raises_sections_name_errors_that_exist(name: str) -> None:
    value = public(name)

    documented = [value, *(member for _, member in members(value))]
    named = {e for d in documented for e in raised(inspect.getdoc(d) or "")}

    assert named <= {*errors.__all__, *BUILT_IN}


def test_the_tree_in_the_errors_module_is_the_tree_of_the_errors() -> None:
    drawn = set(re.findall(r"\b\w+Error\b", (errors.__doc__ or "").partition("::")[2]))

    assert set(errors.__all__) - {"ObserverWarning"} <= drawn


def public(name: str) -> Any:
    if name in COLLECTIONS:
        module, _, attribute = COLLECTIONS[name].partition(":")
        return getattr(__import__(module, fromlist=[attribute]), attribute)
    return getattr(pj, name)


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """Public methods and properties that our own classes bring; of a module or function none."""
    if not inspect.isclass(value):
        return
    for name in dir(value):
        member = inspect.getattr_static(value, name)
        is_code = inspect.isroutine(member) or isinstance(member, property)
        if name[0] != "_" and is_code and _home(member).startswith("pjais_lab"):
            yield name, member


def _home(member: Any) -> str:
    inner = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    return str(getattr(inner, "__module__", None))


def raised(doc: str) -> set[str]:
    """The names before the colons of a ``Raises:`` section."""
    section = re.search(r"^Raises:\n((?: +.*\n?|\n)+)", doc + "\n", re.MULTILINE)
    return (
        set(re.findall(r"^(\w+):", textwrap.dedent(section[1]), re.MULTILINE)) if section else set()
    )


def named_functions(tree: ast.Module) -> Iterator[tuple[Any, str]]:
    """Public functions, and public methods of public classes, with their names as called."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
            yield node, node.name
        elif isinstance(node, ast.ClassDef) and node.name[0] != "_":
            for inner in node.body:
                if (
                    isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
                    and inner.name[0] != "_"
                ):
                    yield inner, f"{node.name}.{inner.name}"


def raisers(tree: ast.Module) -> set[str]:
    """Functions of a module that raise, themselves or through private ones beside them."""
    bodies: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            bodies[node.name] = node
        elif isinstance(node, ast.ClassDef):
            bodies |= {
                f"{node.name}.{inner.name}": inner
                for inner in node.body
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    found = {name for name, node in bodies.items() if any(_raises(node))}
    while True:
        more = {
            name
            for name, node in bodies.items()
            if name not in found and set(_calls(node, name.partition(".")[0])) & found
        }
        if not more:
            return found
        found |= more


def _calls(node: ast.AST, owner: str) -> Iterator[str]:
    """Private functions and methods beside it that a function calls outside of any ``try``."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Try | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.Call):
            called = child.func
            if isinstance(called, ast.Name) and called.id[0] == "_":
                yield called.id
            elif (
                isinstance(called, ast.Attribute)
                and isinstance(called.value, ast.Name)
                and called.value.id == "self"
                and called.attr[0] == "_"
            ):
                yield f"{owner}.{called.attr}"
        yield from _calls(child, owner)


def _raises(node: ast.AST) -> Iterator[ast.Raise]:
    """Raise statements of a body, less those of functions inside it and abstract methods."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Raise):
            if child.exc is not None and "NotImplementedError" not in ast.unparse(child.exc):
                yield child
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _raises(child)
