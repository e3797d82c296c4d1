"""The user's variables: which lab is meant, and the values of a query's parameters."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from pjais_lab.core.event import HasId
from pjais_lab.errors import ClosedError, NotFoundError, QueryError
from pjais_lab.lab.lab import Lab
from pjais_lab.lab.past import PastLab

__all__ = ["find_lab", "moment_of", "open_labs", "parameters", "values"]

Namespace = Mapping[str, Any]

_TAKEN: Final = (str, bool, int, float, bytes, date, time, Decimal, UUID, HasId)
_PIECES: Final = re.compile(
    r"""(?P<kept>
          (?<!\w)[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
        | --[^\n]* | /\*.*?\*/ | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
      | \{\s*(?P<name>[A-Za-z_]\w*)\s*\}
      | \{\s*(?P<other>[A-Za-z_][^{}:]*)\}""",
    re.VERBOSE | re.DOTALL,
)


def open_labs(names: Namespace) -> dict[str, Lab]:
    """The open labs among variables, each under one name."""
    found: dict[int, tuple[str, Lab]] = {}
    for name in sorted(names, key=lambda n: (n.startswith("_"), n)):
        value = names[name]
        if isinstance(value, Lab) and not value.is_closed:
            found.setdefault(id(value), (name, value))
    return dict(found.values())


def find_lab(name: str | None, names: Namespace) -> Lab | PastLab:
    """The lab of a variable, or the only open one.

    Raises:
        NotFoundError: there is none, or the variable holds something else.
        QueryError: there are several.
        ClosedError: the variable's lab is closed.
    """
    if name is None:
        labs = open_labs(names)
        if not labs:
            msg = "No variable holds an open lab."
            raise NotFoundError(msg, hint="Write lab = pj.open('my-lab').")
        if len(labs) > 1:
            msg = f"There are {len(labs)} open labs: {', '.join(labs)}."
            raise QueryError(msg, hint=f"Say which, as in -l {next(iter(labs))}.")
        return next(iter(labs.values()))
    value = _looked_up(name, names, f"the option -l {name}")
    if not isinstance(value, (Lab, PastLab)):
        msg = f"The variable {name!r} holds a {type(value).__name__}; expected a lab."
        raise NotFoundError(msg, hint=f"The open labs are {', '.join(open_labs(names)) or 'none'}.")
    if isinstance(value, Lab) and value.is_closed:
        msg = f"The lab {name!r} is closed."
        raise ClosedError(msg, hint=f"Write {name} = pj.open({str(value.path)!r}).")
    return value


def parameters(sql: str) -> str:
    """SQL in which every ``{name}`` has become the parameter ``$name``.

    What stands in quotes and comments stays as it is, and so does a struct, ``{'a': 1}``.

    Raises:
        QueryError: braces hold something else than a name.

    >>> parameters("SELECT '{a}', {a}, {'b': 1}")
    "SELECT '{a}', $a, {'b': 1}"
    """
    return _PIECES.sub(_parameter, sql)


def _parameter(match: re.Match[str]) -> str:
    if match["kept"] is not None:
        return match["kept"]
    if match["name"] is not None:
        return f"${match['name']}"
    msg = f"The braces hold {match['other'].strip()!r}; expected the name of a variable."
    raise QueryError(msg, hint="Give the value a name of its own first.")


def values(wanted: Iterable[str], names: Namespace) -> dict[str, Any]:
    """The values of a query's parameters.

    Raises:
        NotFoundError: there is no such variable.
        QueryError: SQL cannot take what it holds.
    """
    return {name: _value(name, names) for name in sorted(wanted)}


def moment_of(name: str, names: Namespace) -> Any:
    """The moment that a variable holds.

    Raises:
        NotFoundError: there is no such variable.
    """
    value = _looked_up(name, names, f"AT ${name}")
    return value.isoformat() if type(value) is date else value


def _value(name: str, names: Namespace) -> Any:
    value = _looked_up(name, names, f"the parameter ${name}")
    for listing in ("to_list", "tolist"):  # of polars, numpy and pandas
        make = getattr(value, listing, None)
        if callable(make):
            value = make()
            break
    if not _is_taken(value):
        msg = f"The variable {name!r} holds a {type(value).__name__}, which SQL cannot take."
        hint = "Expected a number, text, time, list, dict, or something with an id, as a persona."
        raise QueryError(msg, hint=hint, variable=name)
    return value


def _is_taken(value: object) -> bool:
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(_is_taken, value))
    if isinstance(value, dict):
        return all(map(_is_taken, value.values()))
    return value is None or isinstance(value, _TAKEN)


def _looked_up(name: str, names: Namespace, why: str) -> Any:
    if name in names:
        return names[name]
    near = difflib.get_close_matches(name, [n for n in names if not n.startswith("_")], 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Write {name} = … first."
    raise NotFoundError(f"There is no variable {name!r} for {why}.", hint=hint, variable=name)
