"""MemoryTable: what personas remember, to look at and to act on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pjais_lab.errors import NotFoundError
from pjais_lab.lab.past import PastLab
from pjais_lab.personas.model import PersonaModel
from pjais_lab.storage.asked import AskedRelation
from pjais_lab.storage.duck import quote
from pjais_lab.views import _fallback, _python
from pjais_lab.views._requests import answer
from pjais_lab.views.memory_table import details
from pjais_lab.views.memory_table.acts import MemoryActs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pjais_lab.lab.lab import Lab
    from pjais_lab.reactive.live_query import LiveQuery
    from pjais_lab.reactive.selection import Selection
    from pjais_lab.storage.relation import Sort

__all__ = ["MemoryTable"]

_COLUMNS: Final = {
    "content": "m.content",
    "kind": "m.kind",
    "tier": "m.tier",
    "importance": "m.importance",
    "persona": "(SELECT p.name FROM personas p WHERE p.id = m.persona_id)",
    "occurred_at": "m.created_at",
    "recalls": "m.recalls",
    "last_recalled_at": "m.last_recalled_at",
    "links": "(SELECT count(*) FROM links l WHERE l.source_id = m.id)"
    " + (SELECT count(*) FROM links l WHERE l.target_id = m.id)",
    "tags": "m.tags",
    "persona_id": "m.persona_id",
    "entity_id": "m.id",
}
"""Named as the ``events`` table names them, so that one selection filters events and memories."""
_LINKED: Final = (
    "LEFT JOIN (SELECT id, count(*) AS n FROM (SELECT source_id AS id FROM links"
    " UNION ALL SELECT target_id FROM links) GROUP BY id) linked ON linked.id = m.id"
)
_SEARCHED: Final = ("content", "kind", "tags")
_STATIC: Final = ("content", "persona", "kind", "tier", "importance", "recalls", "links")
_TOUCHED: Final = (
    "SELECT (SELECT count(*) FROM memories{where}) AS memories, (SELECT count(*) FROM links) AS links,"
    " (SELECT count(*) FROM personas) AS personas"
)


class MemoryTable(MemoryActs):
    """The living memories of a lab, or of one persona, live: recall, link, retier, forget them.

    Every act goes through the lab's own commands, asks before something is gone, and can be undone
    where an event can undo it. ``picked`` has the ids of the picked memories.

    Args:
        lab: an open lab, or a past one, in which nothing can be done.
        persona: whose, by name, id or model; everybody's if None.
        selection: shared with other views: each is filtered by what the others have picked.
        sort: columns and directions, the most important first.
        search: a text that content, kind or tags must contain.
        title: what is written above it.

    Raises:
        NotFoundError: there is no such persona.
        QueryError: ``sort`` names no column.
    """

    kind = "memory_table"

    def __init__(
        self,
        lab: Lab | PastLab,
        persona: PersonaModel | str | None = None,
        *,
        selection: Selection | None = None,
        sort: Sort = (("occurred_at", "desc"),),
        search: str = "",
        title: str | None = None,
    ) -> None:
        self.lab = lab
        name = ""
        self._persona: str | None = None
        if persona is not None:
            self._persona, name = _owner(lab, persona)
        self._given_title = title
        super().__init__(
            title if title is not None else f"Memories of {name}" if name else "Memories",
            _relation(lab, self._persona),
            _touched(lab, self._persona),
            selection=selection,
            sort=sort,
            search=search,
        )

    @property
    def python(self) -> str:
        """The call that makes this table as it is now."""
        title = self._given_title
        return _python.call(
            "pj.views.MemoryTable",
            "lab" if self._persona is None else f"lab, {self._persona!r}",
            **self.arguments(),
            title=None if title is None else repr(title),
        )

    @property
    def hidden(self) -> list[str]:
        """Columns that the grid leaves out."""
        return ["entity_id", "persona_id", *(["persona"] if self._persona else [])]

    def sections(self) -> Iterable[str]:
        """The static view."""
        page = self._relation.page(0, 12, sort=self._sort, where=self._where())
        yield _fallback.table("", page.select(_STATIC))

    @answer
    def details(self, *, key: str) -> dict[str, Any]:
        """One memory whole."""
        return details.details(self.lab, key)

    @answer
    def find(self, *, text: str) -> list[dict[str, str]]:
        """Memories that contain a text, to link with."""
        return details.find(self.lab, text)


def _owner(lab: Lab | PastLab, persona: PersonaModel | str) -> tuple[str, str]:
    if isinstance(persona, PersonaModel):
        return persona.id, persona.name
    if not isinstance(lab, PastLab):
        key = lab.personas.id_of(persona)
        return key, str(lab.query("SELECT name FROM personas WHERE id = $p", p=key).item())
    sql = "SELECT id, name FROM personas WHERE name = $p OR CAST(id AS VARCHAR) = $p"
    rows = lab.query(sql, p=str(persona)).rows()
    if not rows:
        msg = f"There was no persona {persona!r} at {lab.moment}."
        raise NotFoundError(msg, name=persona)
    return str(rows[0][0]), str(rows[0][1])


def _relation(lab: Lab | PastLab, persona: str | None) -> AskedRelation:
    return AskedRelation(
        lab.query,
        _COLUMNS,
        "memories m",
        key="entity_id",
        where="" if persona is None else f"m.persona_id = {quote(persona)}",
        joins={"links": ("coalesce(linked.n, 0)", _LINKED)},
        searched=_SEARCHED,
    )


def _touched(lab: Lab | PastLab, persona: str | None) -> LiveQuery | None:
    if isinstance(lab, PastLab):
        return None
    if persona is None:
        return lab.live(_TOUCHED.format(where=""))
    return lab.live(_TOUCHED.format(where=" WHERE persona_id = $persona"), persona=persona)
