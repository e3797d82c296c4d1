"""What every lab declares from the start."""

from __future__ import annotations

from pjais_lab import conversations, memories, personas, settings
from pjais_lab.core.registry import Registry

__all__ = ["built_in"]


def built_in() -> Registry:
    """Events and tables of personas, memories, conversations and settings."""
    return Registry().add(
        *personas.DECLARATIONS,
        *memories.DECLARATIONS,
        *conversations.DECLARATIONS,
        *settings.DECLARATIONS,
    )
