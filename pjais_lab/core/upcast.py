"""Upcasters: pure steps from an old event to its next version, applied when events are read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from pjais_lab.errors import UpcastError

__all__ = ["Upcaster", "upcast"]


class Upcaster(msgspec.Struct, frozen=True):
    """One step of an event's evolution.

    Attributes:
        old: wire name it reads, ``v1.BookRead``.
        new: wire name it gives, ``v2.BookRead``.
        step: a pure function from the old fields to the new ones; no clock, no I/O.
    """

    old: str
    new: str
    step: Callable[[dict[str, Any]], dict[str, Any]]

    @property
    def digest(self) -> str:
        """Changes when the step's code changes."""
        code = self.step.__code__
        body = (self.old, self.new, code.co_code, repr(code.co_consts), code.co_names)
        return hashlib.blake2b(repr(body).encode(), digest_size=8).hexdigest()


def upcast(
    name: str, args: dict[str, Any], steps: Mapping[str, Upcaster]
) -> tuple[str, dict[str, Any]]:
    """Bring an event to its newest version.

    Args:
        name: the stored wire name.
        args: the stored fields; not changed.
        steps: upcasters by the name they read.

    Raises:
        UpcastError: a step raised, or gave something that is not a mapping.
    """
    fields = dict(args)
    while step := steps.get(name):
        try:
            fields = step.step(dict(fields))
        except Exception as error:
            msg = f"The upcaster {step.old} -> {step.new} raised {type(error).__name__}: {error}."
            raise UpcastError(
                msg, hint="The event is kept; mend the upcaster.", name=name
            ) from error
        if not isinstance(fields, dict):
            msg = f"The upcaster {step.old} -> {step.new} gave {type(fields).__name__}, not a dict."
            raise UpcastError(msg, name=name)
        name = step.new
    return name, fields
