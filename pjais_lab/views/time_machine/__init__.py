"""A lab at any moment, and what changed between two."""

from pjais_lab.views.time_machine.view import TimeMachine

__all__ = ["TimeMachine"]
