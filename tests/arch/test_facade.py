"""The public door: what `import pjais_lab as pj` offers."""

from __future__ import annotations

import ast
import inspect
import re
from typing import Any

import pytest

import pjais_lab as pj

INIT = "pjais_lab/__init__.py"


def test_all_is_sorted_without_doubles() -> None:
    assert pj.__all__ == sorted(set(pj.__all__))


@pytest.mark.parametrize("name", pj.__all__)
def test_every_public_name_loads_and_has_a_docstring(name: str) -> None:
    value = getattr(pj, name)

    assert inspect.getdoc(value)


def test_the_type_checker_and_the_loader_see_the_same_names(package: list[Any]) -> None:
    tree = next(s.tree for s in package if s.path == INIT)
    block = next(n for n in tree.body if isinstance(n, ast.If))
    imports = [n for n in ast.walk(block) if isinstance(n, ast.ImportFrom)]

    typed = {alias.asname or alias.name for node in imports for alias in node.names}

    assert typed == set(pj.__all__)


def test_every_public_name_is_in_the_file_that_type_checkers_check(sources: list[Any]) -> None:
    tree = next(s.tree for s in sources if s.path == "tests/arch/typed_api.py")
    attributes = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute)]

    used = {n.attr for n in attributes if isinstance(n.value, ast.Name) and n.value.id == "pj"}

    assert set(pj.__all__) - used == set()


def test_dir_shows_the_public_names_only() -> None:
    assert set(dir(pj)) == {*pj.__all__, "__version__"}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Persnoa'"):
        getattr(pj, "Persnoa")  # noqa: B009 - a type checker would refuse the plain form


def test_the_version_is_a_release_number() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+|rc\d+)?", pj.__version__)
