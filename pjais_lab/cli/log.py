"""``pjais log``."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from pjais_lab.cli import options
from pjais_lab.cli.attach import attached, persona_id
from pjais_lab.cli.terminal import plain, room, safe, say, write_json

if TYPE_CHECKING:
    from pjais_lab.lab.lab import Lab

__all__ = ["COMMANDS"]

_AGO: Final = re.compile(r"(\d+)([smhdw])\Z")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ARGS_SHOWN: Final = 100
_ARGS_LEAST: Final = 40
_PAGE: Final = 10_000
_COLUMNS: Final = (
    "seq, id::VARCHAR AS id, name, entity_id::VARCHAR AS entity_id,"
    " persona_id::VARCHAR AS persona_id, epoch, occurred_at, committed_at, origin, origin_seq,"
    " actor, cause::VARCHAR AS cause, args::VARCHAR AS args"
)


class _Filter(msgspec.Struct, frozen=True):
    """Which events to show."""

    conditions: tuple[str, ...]
    values: dict[str, Any]

    def sql(self, more: str, tail: str) -> str:
        where = " AND ".join((*self.conditions, more))
        return f"SELECT {_COLUMNS} FROM events WHERE {where} {tail}"  # noqa: S608 - no user text


@click.command()
@click.option("--name", help="Events of this name; * stands for anything, the version may lack.")
@click.option("--persona", help="Events of this persona, by name or id.")
@click.option("--entity", help="Events about the entity with this id.")
@click.option(
    "--since", metavar="WHEN", help="Events after a position (120), a time, or some time ago (2h)."
)
@click.option(
    "-n", "--last", default=20, show_default=True, type=click.IntRange(0), help="So many."
)
@click.option("-f", "--follow", is_flag=True, help="Go on with new events until Ctrl-C.")
@options.workspace
@options.as_json
def log(
    name: str | None,
    persona: str | None,
    entity: str | None,
    since: str | None,
    last: int,
    follow: bool,
    path: Path,
    is_json: bool,
) -> None:
    """Show events, the newest last.

    With --since all of them, else the newest few. With --json one object a line.
    """
    with attached(path) as lab:
        found = _filter(lab, name, persona, entity, since)
        head = lab.position
        tail = "ORDER BY seq DESC" if since is not None else f"ORDER BY seq DESC LIMIT {last}"
        newest = lab.query(found.sql("seq <= $head", tail), **found.values, head=head)
        _print(reversed(newest.to_dicts()), is_json=is_json)
        if follow:
            _follow(lab, found, head, is_json=is_json)


def _follow(lab: Lab, found: _Filter, after: int, *, is_json: bool) -> None:
    """Print what is committed from now on, by this or any other process, until interrupted."""
    moved = threading.Event()
    with lab.live("SELECT max(seq) AS seq FROM events") as head:
        head.observe(lambda _: moved.set(), "frame")
        while True:
            page = lab.query(
                found.sql("seq > $after", f"ORDER BY seq LIMIT {_PAGE}"),
                **found.values,
                after=after,
            )
            _print(page.to_dicts(), is_json=is_json)
            if page.height == _PAGE:
                after = int(page["seq"][-1])
                continue
            after = max(after, *page["seq"].to_list(), after)
            moved.wait()
            moved.clear()


def _filter(
    lab: Lab, name: str | None, persona: str | None, entity: str | None, since: str | None
) -> _Filter:
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if name is not None:
        conditions.append("(name GLOB $name OR name GLOB 'v*.' || $name)")
        values["name"] = name
    if persona is not None:
        conditions.append("persona_id = $persona::UUID")
        values["persona"] = persona_id(lab, persona)
    if entity is not None:
        conditions.append("entity_id::VARCHAR = $entity")
        values["entity"] = entity
    if since is not None:
        is_position = since.isdecimal()
        conditions.append("seq > $since" if is_position else "committed_at >= $since")
        values["since"] = int(since) if is_position else _moment(since)
    return _Filter(tuple(conditions), values)


def _moment(text: str) -> datetime:
    ago = _AGO.match(text)
    try:
        if ago:
            span = timedelta(**{_UNITS[ago[2]]: int(ago[1])})
            return (datetime.now(UTC) - span).replace(tzinfo=None)
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        msg = f"{text!r} is no position, time (2026-11-24 09:30) or span (90s, 15m, 2h, 3d, 1w)."
        raise click.BadParameter(msg, param_hint="--since") from None
    return at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)


def _print(events: Iterable[dict[str, Any]], *, is_json: bool) -> None:
    for event in events:
        text: str | None = event["args"]
        if is_json:
            args = None if text is None else json.loads(text)
            write_json({**event, "args": args}, lines=True)
            continue
        when = plain(event["occurred_at"])
        line = f"{event['seq']:>8}  {when}  {event['name']:<24} {event['actor']:<16} "
        args = "(erased)" if text is None else safe(text)
        width = room()
        most = _ARGS_SHOWN if width is None else max(_ARGS_LEAST, width - len(safe(line)))
        say(line + (args if len(args) <= most else f"{args[: most - 1]}…"))


COMMANDS: Final = {"log": log}
