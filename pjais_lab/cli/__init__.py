"""The command line, ``pjais``."""

from __future__ import annotations

from pjais_lab.cli.main import main

__all__ = ["main"]
