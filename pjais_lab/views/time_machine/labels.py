"""What a person recognises an entity of any table by: the words of one of its columns.

The rule holds for every table, a user's own one too. The words are the first that are not blank of
the columns in ``WORDS``, in that order; a table that has none of these is labelled by the first of
its text columns with words in it, in the order in which they are declared. Rows without any words
have no label.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pjais_lab.storage._typemap import identifier

__all__ = ["WORDS", "label_sql", "words_sql"]

WORDS: Final = ("name", "title", "label", "subject", "content", "text", "summary", "description")
_TEXT: Final = "VARCHAR"
_MOST: Final = 80
_READ: Final = 4 * _MOST


def words_sql(columns: Mapping[str, str], *aliases: str) -> str:
    """The words for a row, as SQL; of the first row that has some, if there are several.

    Args:
        columns: of the table, each with its type.
        aliases: what the rows are called, the one to prefer first.
    """
    known = [name for name in WORDS if columns.get(name) == _TEXT]
    names = known or [name for name, kind in columns.items() if kind == _TEXT]
    cells = [f"{alias}.{identifier(name)}" for alias in aliases for name in names]
    return f"coalesce({', '.join([*map(_unless_blank, cells), 'NULL'])})::VARCHAR"


def label_sql(words: str) -> str:
    """Words in one line that is short enough to stand beside an id.

    Args:
        words: SQL from ``words_sql``.
    """
    line = rf"trim(regexp_replace(left({words}, {_READ}), '\s+', ' ', 'g'))"
    return (
        f"CASE WHEN length({line}) > {_MOST} THEN left({line}, {_MOST - 1}) || '…' ELSE {line} END"
    )


def _unless_blank(cell: str) -> str:
    return rf"CASE WHEN regexp_matches({cell}, '\S') THEN {cell} END"
