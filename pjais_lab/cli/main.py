"""``pjais``: the command line.

Exit codes, the same for every command:

===== ==============================================================================
code  meaning
===== ==============================================================================
0     done
1     problems were found by ``verify``, ``doctor``, ``rebuild --verify`` or ``demo``
2     the command line is wrong
3     refused: the event, SQL, name, moment or file is not acceptable; nothing stored
4     there is no workspace at the path
5     another process holds what is needed, or the log moved on; try again
6     the workspace's files or disk: damaged, full, read-only, newer, on a network
70    a mistake of PJAIS Lab itself
130   interrupted with Ctrl-C
141   whatever read the output went away (``pjais log | head``)
===== ==============================================================================

Commands live in modules of their own that are imported when they run, so that ``--help`` and
shell completion answer before DuckDB could even be loaded.
"""

from __future__ import annotations

import difflib
import importlib
import io
import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, Final, NoReturn

import click

from pjais_lab import __version__
from pjais_lab.cli.exits import CODES_HELP, Exit, exit_of
from pjais_lab.cli.terminal import safe
from pjais_lab.errors import LabError

__all__ = ["COMMANDS", "cli", "main", "run"]

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "init": ("workspace", "Create a workspace."),
    "open": ("notebooks", "Open a workspace in JupyterLab."),
    "lab": ("notebooks", "Open the notebooks in JupyterLab, on the demo workspace."),
    "demo": ("demo", "Build a town, run the tour on it and print what it found."),
    "import": ("data", "Import personas and memories from files of other programs."),
    "simulate": ("data", "Let a made-up town live for some days, as ordinary events."),
    "log": ("log", "Show events, the newest last."),
    "query": ("query", "Ask a question in SQL."),
    "status": ("workspace", "Show positions, sizes and the last errors."),
    "seal": ("workspace", "Move the journal into the lake now."),
    "rebuild": ("workspace", "Recompute tables from the log."),
    "verify": ("workspace", "Check every file of the workspace."),
    "doctor": ("doctor", "Check this machine and the workspace."),
    "completion": ("completion", "Print the completion script for a shell."),
}


class _PipeClosedError(Exception):
    """Whatever read the output went away."""


class _InterruptedError(Exception):
    """Ctrl-C."""


class _LazyGroup(click.Group):
    """A group that knows its commands' names and help before it imports any of them."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; Ctrl-C and a closed pipe pass click, which has codes of its own for them."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise _PipeClosedError from None
        except KeyboardInterrupt:
            raise _InterruptedError from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"pjais_lab.cli.{COMMANDS[cmd_name][0]}")
        found: click.Command = module.COMMANDS[cmd_name]
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f"Did you mean {near[0]!r}?" if near else "See 'pjais --help'."
            msg = f"There is no command {args[0]!r}. {hint}"
            raise click.UsageError(msg, ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_LazyGroup,
    invoke_without_command=True,
    epilog=CODES_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="pjais", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """PJAIS Lab: a laboratory bench for AI personas.

    A workspace is a directory that holds personas, their memories and conversations as a log of
    events. Commands look for it in -w PATH, then in $PJAIS_WORKSPACE, then here.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run a command and exit with its code.

    Args:
        argv: the arguments; the process's own if None.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    args = list(sys.argv[1:] if argv is None else argv)
    sys.exit(run(args))


def run(args: list[str]) -> int:
    """Run a command and give its exit code; errors are printed, never raised.

    Args:
        args: the command line after ``pjais``.
    """
    try:
        result: Any = cli.main(args, prog_name="pjais", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        _complain(args, type(error).__name__, error.format_message(), error, Exit.USAGE)
        return Exit.USAGE
    except LabError as error:
        code = exit_of(error)
        _complain(args, type(error).__name__, error.message, error, code)
        return code
    except (_InterruptedError, KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return Exit.INTERRUPTED
    except (_PipeClosedError, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.PIPE_CLOSED
    except Exception:  # noqa: BLE001 - whatever it is, the code must not say "found problems"
        traceback.print_exc()
        click.echo("This is a mistake of PJAIS Lab; please report it.", err=True)
        return Exit.INTERNAL
    return result if isinstance(result, int) else Exit.OK


def _complain(args: list[str], kind: str, message: str, error: Exception, code: Exit) -> None:
    hint = getattr(error, "hint", None)
    if "--json" in args:
        fact = {"type": kind, "message": message, "hint": hint, "exit_code": int(code)}
        click.echo(json.dumps({"error": fact}), err=True)
        return
    ctx = getattr(error, "ctx", None)
    if ctx is not None:
        click.echo(f"{ctx.get_usage()}\nTry '{ctx.command_path} --help'.\n", err=True)
    click.echo(f"Error: {safe(message, lines=True)}", err=True)
    if hint:
        click.echo(safe(hint, lines=True), err=True)
