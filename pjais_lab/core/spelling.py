"""Unknown keywords: a TypeError that names the nearest known one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable
from functools import wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

import msgspec

__all__ = ["SpelledMeta", "check_keywords", "near", "spelled", "spelled_methods"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_T = TypeVar("_T")
_UNKNOWN: Final = re.compile(r"\AUnexpected keyword argument '(?P<name>.*)'\Z", re.DOTALL)
_VAR_KEYWORDS: Final = 0x08
_SHOWN: Final = 12


def near(word: str, known: Iterable[str]) -> str:
    """A hint: the known word most like this one, or all of them when there are few.

    >>> near("angr", ["joy", "anger"])
    "Did you mean 'anger'?"
    >>> near("bored", ["joy", "anger"])
    'Known are: joy, anger.'
    """
    words = list(known)
    found = difflib.get_close_matches(word, words, 1)
    if found:
        return f"Did you mean {found[0]!r}?"
    return f"Known are: {', '.join(words)}." if 0 < len(words) <= _SHOWN else ""


def check_keywords(who: str, given: Iterable[str], known: Collection[str]) -> None:
    """Refuse a keyword nobody takes.

    Args:
        who: the function that was called.
        given: the keywords it got.
        known: those it takes.

    Raises:
        TypeError: one of them is unknown.

    >>> check_keywords("record", ["importanc"], ["importance", "tags"])
    Traceback (most recent call last):
    TypeError: record() takes no keyword 'importanc'. Did you mean 'importance'?
    """
    for name in given:
        if name not in known:
            raise TypeError(f"{who}() takes no keyword {name!r}. {near(name, known)}".rstrip())


def spelled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """A decorator: the function answers an unknown keyword with the nearest known one."""
    code = cast("FunctionType", function).__code__
    known = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    names = frozenset(known)

    @wraps(function)
    def call(*args: _P.args, **keywords: _P.kwargs) -> _R:
        if keywords and not names.issuperset(keywords):
            check_keywords(code.co_name, keywords, [k for k in known if k != "self"])
        return function(*args, **keywords)

    return call


def spelled_methods(cls: type[_T]) -> type[_T]:
    """A class decorator: ``spelled`` for all public methods that take no free keywords."""
    for name, function in list(vars(cls).items()):
        if not isinstance(function, FunctionType) or name.startswith("_"):
            continue
        if not function.__code__.co_flags & _VAR_KEYWORDS:
            setattr(cls, name, spelled(function))
    return cls


class SpelledMeta(msgspec.StructMeta):
    """A metaclass of values whose constructors answer so as well."""

    if not TYPE_CHECKING:  # a __call__ here would hide the constructors' signatures

        def __call__(self, *args: Any, **keywords: Any) -> Any:
            """Make a value."""
            try:
                return super().__call__(*args, **keywords)
            except TypeError as error:
                found = _UNKNOWN.match(str(error))
                if found is None:
                    raise
            return check_keywords(self.__name__, [found["name"]], self.__struct_fields__)
