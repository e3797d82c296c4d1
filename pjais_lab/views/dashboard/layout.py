"""Which panels of a dashboard are open; remembered in the kernel, not in the log."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

__all__ = ["Layout", "Place", "first_layout", "remember"]

Place = tuple[str, str]
"""A workspace's path and a dashboard's title."""


class Layout(msgspec.Struct, frozen=True):
    """What is open, and what fills the dashboard.

    Attributes:
        shown: titles of the open panels.
        maximised: the title of the one that fills the dashboard.
    """

    shown: frozenset[str]
    maximised: str | None = None

    def place(self, title: str, *, is_shown: bool) -> Layout:
        """With a panel opened or hidden; another one fills the dashboard no more."""
        shown = self.shown | {title} if is_shown else self.shown - {title}
        is_kept = is_shown and self.maximised == title
        return Layout(shown, self.maximised if is_kept else None)

    def maximise(self, title: str | None) -> Layout:
        """With one panel filling the dashboard, or none."""
        return Layout(self.shown if title is None else self.shown | {title}, title)

    def is_here(self, title: str) -> bool:
        """Whether a panel can be seen."""
        return title in self.shown and self.maximised in {None, title}


_KNOWN: Final[dict[Place, Layout]] = {}


def remember(place: Place | None, layout: Layout) -> None:
    """Keep a layout for the next dashboard in its place."""
    if place is not None:
        _KNOWN[place] = layout


def first_layout(
    place: Place | None,
    titles: Collection[str],
    usual: frozenset[str],
    asked: frozenset[str] | None,
    maximised: str | None,
) -> Layout:
    """The layout to begin with: what is asked for, what was there last time, or the usual one.

    Args:
        place: where it was remembered.
        titles: of the panels that there are.
        usual: what is open if nobody says otherwise.
        asked: what the caller wants to be open.
        maximised: what the caller wants to fill the dashboard.
    """
    known = _KNOWN.get(place) if place is not None and asked is None else None
    shown = asked if asked is not None else known.shown & {*titles} if known else usual
    if maximised is not None:
        return Layout(shown | {maximised}, maximised)
    most = known.maximised if known and known.maximised in shown else None
    return Layout(shown, most)
