"""Tools for testing code that uses PJAIS Lab."""

from __future__ import annotations

from pjais_lab.testing.clock import ManualClock

__all__ = ["ManualClock"]
