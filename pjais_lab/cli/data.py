"""``pjais import | simulate``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pjais_lab.cli import options
from pjais_lab.cli.attach import attached
from pjais_lab.cli.terminal import counted, listed, say, write_json

if TYPE_CHECKING:
    from pjais_lab.formats import Report

__all__ = ["COMMANDS"]

_SHOWN: Final = 10


@click.command("import")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Refuse the whole source at the first bad row.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@options.workspace
@options.as_json
def import_(
    sources: tuple[Path, ...], strict: bool, quiet: bool, path: Path, is_json: bool
) -> None:
    """Import personas and memories from files of other programs.

    The format is recognised. Importing the same SOURCES again adds nothing.
    """
    import msgspec

    with attached(path) as lab:
        reports = [lab.load(s, strict=strict, progress=not (quiet or is_json)) for s in sources]
    if is_json:
        write_json([msgspec.to_builtins(report) for report in reports])
        return
    for report in reports:
        show_report(report)


def show_report(report: Report) -> None:
    """Print what an import did."""
    say(f"{report.source}: {report.format}, {report.elapsed_s:.2f} s")
    say(
        f"  {report.rows_in:,} rows in, {report.rows_out:,} stored, {report.rows_known:,} known,"
        f" {report.rows_skipped:,} skipped"
    )
    listed("found", [counted(n, kind) for kind, n in report.kinds.items()])
    for skipped in report.skipped[:_SHOWN]:
        listed("skipped", [f"{skipped.path}: {skipped.reason}"])
    if len(report.skipped) > _SHOWN:
        say(f"  … and {len(report.skipped) - _SHOWN:,} more; --json prints them all.")
    for warning in report.warnings:
        listed("warning", [warning])
    if report.unmapped_fields:
        say("  no column for these, which are kept in extra unless a warning says otherwise:")
    for place, fields in _by_file(report.unmapped_fields).items():
        listed(place, fields)


def _by_file(unmapped: Iterable[str]) -> dict[str, list[str]]:
    """Field names by the file they are in; a file of which nothing was read stands alone."""
    found: dict[str, list[str]] = {}
    for text in sorted(unmapped):
        place, colon, field = text.partition(": ")
        found.setdefault(place, []).append(field if colon else "the whole file")
    return found


@click.command()
@click.option("--personas", default=25, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--days", default=3, show_default=True, type=click.IntRange(1), help="How long.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same town.")
@click.option("--start", type=click.DateTime(), help="The town's first day.")
@options.workspace
@options.as_json
def simulate(
    personas: int, days: int, seed: int, start: datetime | None, path: Path, is_json: bool
) -> None:
    """Let a made-up town live for some days, as ordinary events."""
    import msgspec

    when: dict[str, Any] = {} if start is None else {"start": start.date()}
    with attached(path) as lab:
        report = lab.simulate(personas=personas, days=days, seed=seed, **when)
    if is_json:
        write_json(msgspec.to_builtins(report))
    else:
        people, time = counted(report.personas, "persona"), counted(report.days, "day")
        say(
            f"{counted(report.events, 'event')} in {report.elapsed_s:.2f} s: {people}, {time},"
            f" seed {report.seed}"
        )


COMMANDS: Final = {"import": import_, "simulate": simulate}
