"""A state table: a declaration of merges over the events of one kind of entity."""

from __future__ import annotations

import re

import msgspec

from pjais_lab.core.merge import Merge
from pjais_lab.errors import DeclarationError

__all__ = ["RESERVED_COLUMNS", "Table"]

RESERVED_COLUMNS = frozenset({"id", "persona_id", "shard"})
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*\Z")


class Table(msgspec.Struct, frozen=True):
    """Rows of one kind of entity, column by column a merge of event fields.

    The public columns are ``id`` (the entity), ``persona_id`` and the declared ones; only living
    entities show.

    Attributes:
        name: the SQL name.
        entity: the kind of entity; the first table of a kind declares it.
        columns: column name -> merge.
        unique: columns no two living rows may share; checked when committing.
        doc: what a row means.
    """

    name: str
    entity: str
    columns: dict[str, Merge]
    unique: tuple[str, ...] = ()
    doc: str = ""

    def __post_init__(self) -> None:
        """Refuse names that SQL or the lab would stumble over.

        Raises:
            DeclarationError: a name is not a lower-case identifier, is reserved or is missing.
        """
        for name in (self.name, *self.columns):
            if not _IDENTIFIER.match(name):
                msg = f"{name!r} cannot name a table or column; expected lower_case_letters."
                raise DeclarationError(msg, name=name)
        taken = sorted(RESERVED_COLUMNS & set(self.columns))
        if taken:
            msg = f"The table {self.name!r} declares {taken}, which every table has already."
            raise DeclarationError(msg, name=self.name)
        stray = sorted(set(self.unique) - set(self.columns))
        if stray:
            msg = f"The table {self.name!r} wants unique {stray}, which are not among its columns."
            raise DeclarationError(msg, name=self.name)

    def event_names(self) -> frozenset[str]:
        """The events its columns read."""
        return frozenset(s.event for m in self.columns.values() for s in m.all_sources())
