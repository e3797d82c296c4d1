"""``pjais init | status | seal | rebuild | verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from pjais_lab.cli import options
from pjais_lab.cli.attach import attached
from pjais_lab.cli.exits import Exit
from pjais_lab.cli.terminal import pairs, plain, say, table, write_json

__all__ = ["COMMANDS"]


@click.command()
@click.argument("path", type=click.Path(file_okay=False, path_type=Path))
@options.as_json
def init(path: Path, is_json: bool) -> None:
    """Create a workspace.

    One that is at PATH already is left as it is.
    """
    is_new = not (path / "workspace.toml").exists()
    with attached(path, create=True) as lab:
        position = lab.position
    if is_json:
        write_json({"path": str(path.resolve()), "created": is_new, "position": position})
    elif is_new:
        say(f"Created the workspace {path}.")
    else:
        say(f"{path} is a workspace already, at position {position:,}; nothing changed.")


@click.command()
@options.workspace
@options.as_json
def status(path: Path, is_json: bool) -> None:
    """Show positions, sizes and the last errors."""
    import msgspec

    with attached(path) as lab:
        found: dict[str, Any] = msgspec.to_builtins(lab.status)
    if is_json:
        write_json(found)
        return
    flat = {k: v for k, v in found.items() if not isinstance(v, (dict, list))}
    pairs(flat)
    for name, value in found.items():
        if isinstance(value, dict) and value:
            pairs(value, title=name)
        elif isinstance(value, list) and value:
            say(name)
            for item in value:
                say(f"  {plain(item)}")


@click.command()
@options.workspace
@options.as_json
def seal(path: Path, is_json: bool) -> None:
    """Move the journal into the lake now.

    A checkpoint of the state is written too, so that the next start is fast.
    """
    with attached(path) as lab:
        mark = lab.seal()
    if is_json:
        write_json({"sealed_through": mark})
    else:
        say(f"Everything up to position {mark:,} lies in the lake.")


@click.command()
@click.argument("name", metavar="[TABLE]", required=False)
@click.option("--verify", is_flag=True, help="Compare with what was there; exit 1 if it differs.")
@options.workspace
@options.as_json
def rebuild(name: str | None, verify: bool, path: Path, is_json: bool) -> Exit:
    """Recompute tables from the log.

    TABLE alone, or all of them.
    """
    import msgspec

    with attached(path) as lab:
        reports: list[dict[str, Any]] = msgspec.to_builtins(lab.rebuild(name, verify=verify))
    if is_json:
        write_json(reports)
    elif reports:
        columns = list(reports[0])
        table(columns, [[report[c] for c in columns] for report in reports])
    differ = [r for r in reports if r.get("is_same") is False]
    return Exit.PROBLEMS if differ else Exit.OK


@click.command()
@options.workspace
@options.as_json
def verify(path: Path, is_json: bool) -> Exit:
    """Check every file of the workspace.

    Exit 1 and the names of the files if something is wrong.
    """
    import msgspec

    from pjais_lab.storage.verify import verify as check
    from pjais_lab.storage.workspace import Workspace

    report = check(Workspace.open(path, create=False))
    found: dict[str, Any] = msgspec.to_builtins(report)
    problems: list[Any] = found["problems"]
    if is_json:
        write_json(found)
    else:
        pairs({k: v for k, v in found.items() if k != "problems"})
        for problem in problems:
            say(f"Problem: {plain(problem)}")
        say(f"{len(problems)} problems." if problems else "No problems.")
    return Exit.PROBLEMS if problems else Exit.OK


COMMANDS: Final = {
    "init": init,
    "rebuild": rebuild,
    "seal": seal,
    "status": status,
    "verify": verify,
}
