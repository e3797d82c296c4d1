"""A clock that moves when told to."""

from __future__ import annotations

__all__ = ["ManualClock"]


class ManualClock:
    """Stands still until advanced.

    Args:
        now_ms: milliseconds since the Unix epoch.

    >>> clock = ManualClock(1_000)
    >>> clock.advance(seconds=2)
    >>> clock.now_ms()
    3000
    """

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        return self._now_ms

    def advance(self, *, seconds: float) -> None:
        """Move the clock; a negative number moves it back."""
        self._now_ms += round(seconds * 1000)
