"""``pjais completion``."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

from pjais_lab.cli.main import cli
from pjais_lab.cli.options import as_json
from pjais_lab.cli.terminal import write_json

__all__ = ["COMMANDS"]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@as_json
def completion(shell: str, is_json: bool) -> None:
    """Print the completion script for a shell.

    For bash, add this line to ~/.bashrc:  eval "$(pjais completion bash)"
    """
    found = get_completion_class(shell)
    assert found is not None
    script = found(cli, {}, "pjais", "_PJAIS_COMPLETE").source()
    if is_json:
        write_json({"shell": shell, "script": script})
    else:
        click.echo(script)


COMMANDS: Final = {"completion": completion}
