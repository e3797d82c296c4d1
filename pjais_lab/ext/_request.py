"""What a ``%lab`` line or ``%%lab`` cell asks for."""

from __future__ import annotations

import difflib
import re
from typing import Final, Literal, cast, get_args

import msgspec

from pjais_lab.errors import QueryError

__all__ = ["OPTIONS", "Request", "parse"]

Clock = Literal["world", "commit"]
OPTIONS: Final = ("-l", "--lab", "-o", "--out", "--live", "--clock")

_OPTION: Final = re.compile(r"\s*(--?[A-Za-z][\w-]*)(?:=(\S*))?(?=\s|\Z)")
_WORD: Final = re.compile(r"\s*(\S+)")
_AT: Final = re.compile(r"\s*AT\b\s*", re.IGNORECASE)
_MOMENT: Final = re.compile(
    r"""'([^'\n]*)' | "([^"\n]*)"
      | (\d{4}-\d\d-\d\d (?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)? (?:Z|[+-]\d\d:\d\d)? | \d+)(?=\s|;|\Z)
      | \$(\w+) | \{(\w+)\}""",
    re.VERBOSE,
)
_HOW_AT: Final = "Write AT '2026-11-01 14:30', AT 120 or AT $moment."


class Request(msgspec.Struct, frozen=True):
    """A question and where it goes.

    Attributes:
        sql: the question; empty when there is none.
        lab: the variable that holds the lab; the only open one if None.
        out: the variable that takes the answer.
        is_live: whether the answer shall follow the log.
        clock: what a time means: the personas' world, or the commits.
        moment: the past moment, as written.
        moment_name: the variable that holds the moment.
    """

    sql: str = ""
    lab: str | None = None
    out: str | None = None
    is_live: bool = False
    clock: Clock = "world"
    moment: int | str | None = None
    moment_name: str | None = None

    @property
    def is_past(self) -> bool:
        """Whether it asks for the past."""
        return self.moment is not None or self.moment_name is not None


def parse(line: str, cell: str = "") -> Request:
    """Read the options of the first line, ``AT`` and a moment, and then the SQL.

    Args:
        line: what stands behind ``%lab`` or ``%%lab``.
        cell: the lines below it.

    Raises:
        QueryError: an option or the moment is wrong.
    """
    found: dict[str, str | int | bool] = {}
    rest, is_read = line, True
    while is_read:
        rest, is_read = _option(rest, found)
        if not is_read and "at" not in found:
            rest, is_read = _moment(rest, found)
    text = f"{rest}\n{cell}".strip()
    if "at" not in found:
        text = _moment(text, found)[0].strip()
    found.pop("at", None)
    request = msgspec.convert({**found, "sql": text}, Request)
    if request.is_live and request.is_past:
        msg = "The past does not move, so --live and AT do not go together."
        raise QueryError(msg, hint="Leave one of them out.")
    return request


def _option(text: str, found: dict[str, str | int | bool]) -> tuple[str, bool]:
    """Take an option from the beginning; gives the rest, and whether there was one."""
    match = _OPTION.match(text)
    if match is None:
        return text, False
    name, value = match.groups()
    rest = text[match.end() :]
    if name == "--live" and value is None:
        found["is_live"] = True
        return rest, True
    if name not in OPTIONS or name == "--live":
        near = difflib.get_close_matches(name, OPTIONS, 1)
        hint = f"Did you mean {near[0]}?" if near else f"The options are {', '.join(OPTIONS)}."
        raise QueryError(f"There is no option {match[0].strip()!r}.", hint=hint)
    if value is None:
        word = _WORD.match(rest)
        value, rest = (word[1], rest[word.end() :]) if word else ("", rest)
    key = name.lstrip("-")
    _check(name, key, value)
    found[{"l": "lab", "o": "out"}.get(key, key)] = value
    return rest, True


def _check(name: str, key: str, value: str) -> None:
    if key == "clock":
        if value not in get_args(Clock):
            msg = f"There is no clock {value!r}; expected world or commit."
            raise QueryError(msg)
    elif not value.isidentifier():
        msg = f"The option {name} was given {value!r}; expected the name of a variable."
        raise QueryError(msg)


def _moment(text: str, found: dict[str, str | int | bool]) -> tuple[str, bool]:
    """Take ``AT`` and a moment from the beginning; gives the rest, and whether they were there."""
    word = _AT.match(text)
    if word is None:
        return text, False
    match = _MOMENT.match(text, word.end())
    if match is None:
        after = text[word.end() :].partition("\n")[0][:40]
        raise QueryError(f"After AT stands {after!r}; expected a moment.", hint=_HOW_AT)
    found["at"] = True
    name = match[4] or match[5]
    if name:
        found["moment_name"] = name
    else:
        written = cast("str", match[1] if match[1] is not None else match[2] or match[3])
        found["moment"] = int(written) if written.isdecimal() else written
    return text[match.end() :], True
