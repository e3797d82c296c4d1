"""``pjais query``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pjais_lab.cli import options
from pjais_lab.cli.attach import attached
from pjais_lab.cli.terminal import say, table, write_csv, write_json

if TYPE_CHECKING:
    import polars as pl

__all__ = ["COMMANDS"]

_SHOWN: Final = 100


@click.command()
@click.argument("sql")
@click.option(
    *("-p", "--param", "params"),
    multiple=True,
    metavar="NAME=VALUE",
    help="A value for $NAME in the SQL; numbers, true, false and null are read as such.",
)
@click.option("--at", metavar="MOMENT", help="Ask the lab as it was at a position or time.")
@click.option("--csv", "is_csv", is_flag=True, help="Print CSV.")
@click.option("--all", "is_all", is_flag=True, help=f"Print more than {_SHOWN} rows of a table.")
@options.workspace
@options.as_json
def query(
    sql: str,
    params: tuple[str, ...],
    at: str | None,
    is_csv: bool,
    is_all: bool,
    path: Path,
    is_json: bool,
) -> None:
    """Ask a question in SQL.

    "-" reads it from standard input. State is in the tables personas, memories, links,
    conversations, messages and settings, history in events. Nothing can be written this way.
    """
    if is_csv and is_json:
        msg = "--csv and --json exclude each other."
        raise click.UsageError(msg)
    values = dict(_param(text) for text in params)
    text = sys.stdin.read() if sql == "-" else sql
    with attached(path) as lab:
        asked = lab if at is None else lab.at(int(at) if at.isdecimal() else at)
        frame = asked.query(text, **values)
    if is_json:
        write_json(frame.to_dicts())
    elif is_csv:
        write_csv(frame.columns, frame.iter_rows())
    else:
        _show(frame, frame.height if is_all else _SHOWN)


def _show(frame: pl.DataFrame, rows: int) -> None:
    table(frame.columns, frame.head(rows).iter_rows())
    if frame.height > rows:
        say(f"… {frame.height - rows:,} more rows; --all, --csv and --json print them.")


def _param(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        msg = f"{text!r} is not a parameter; write it as name=value."
        raise click.BadParameter(msg, param_hint="--param")
    try:
        read: Any = json.loads(value)
    except ValueError:
        return name, value
    return name, value if isinstance(read, (dict, list)) else read


COMMANDS: Final = {"query": query}
