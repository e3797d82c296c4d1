"""A setting that nobody explains does not get in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import click
import msgspec
import pytest

import pjais_lab as pj
from pjais_lab.cli.main import COMMANDS, cli
from pjais_lab.lab.registry import built_in
from pjais_lab.storage import settings

VARIABLE = re.compile(r"\bPJAIS_[A-Z_]+\b")


def sections(kind: type[Any] = settings.Settings) -> Iterator[type[Any]]:
    yield kind
    for hint in get_type_hints(kind).values():
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            yield from sections(hint)


def attributes(kind: type[Any]) -> dict[str, str]:
    """What the ``Attributes:`` of a docstring say."""
    text = (kind.__doc__ or "").partition("Attributes:")[2]
    return dict(re.findall(r"^ +(\w+): (.+)$", text, re.MULTILINE))


@pytest.mark.parametrize("kind", list(sections()), ids=lambda kind: kind.__name__)
def test_every_setting_of_a_workspace_is_explained(kind: type[Any]) -> None:
    assert list(attributes(kind)) == list(kind.__struct_fields__)


def test_a_new_workspace_shows_every_setting_with_its_value() -> None:
    made = settings.Settings(format=1, id="0" * 8 + "-0000" * 3 + "-" + "0" * 12, replica="0" * 11)

    shown = settings.render(made)

    names = [
        f for kind in sections() if kind is not settings.Settings for f in kind.__struct_fields__
    ]
    assert [name for name in names if f"\n{name} = " not in shown] == []
    assert settings.parse(shown, Path("workspace.toml")) == made


def test_every_environment_variable_is_in_the_help(package: list[Any]) -> None:
    used = {v for s in package for v in VARIABLE.findall(s.text)} - {
        "PJAIS_COMPLETE"
    }  # click's own

    told = "\n".join([cli.help or "", *(_help(name) for name in COMMANDS)])

    assert used - set(VARIABLE.findall(told)) == set()


@pytest.mark.parametrize("table", list(built_in().tables.values()), ids=lambda table: table.name)
def test_every_table_says_what_it_is(table: pj.Table) -> None:
    assert table.doc


def _help(name: str) -> str:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command.get_help(click.Context(command))
