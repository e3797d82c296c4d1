"""What can be done to picked memories: recall, link, unlink, retier, forget."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from pjais_lab.core.fields import Unit
from pjais_lab.core.ids import is_id
from pjais_lab.core.markup import count
from pjais_lab.errors import RejectedError, ViewError
from pjais_lab.lab.past import PastLab
from pjais_lab.memories.collection import histories
from pjais_lab.memories.commands import (
    forget_memory,
    link_memories,
    recall_memory,
    restore_memory,
    retier_memory,
    unlink_memories,
)
from pjais_lab.memories.events import link_id
from pjais_lab.memories.state import Relation, Tier
from pjais_lab.views._acts import Done, Question, Run, act
from pjais_lab.views._asked_table import AskedTable
from pjais_lab.views.memory_table.undo import among, take_back

if TYPE_CHECKING:
    from pjais_lab.core.event import Draft
    from pjais_lab.lab.lab import Lab

__all__ = ["MemoryActs"]

_SHORT: Final = 60
_LIFE: Final = ("v1.MemoryForgotten", "v1.MemoryRestored")
_LINK: Final = ("v1.MemoryLinked", "v1.MemoryUnlinked")


class MemoryActs(AskedTable):
    """A table of memories with its acts."""

    lab: Lab | PastLab

    def data_moved(self) -> None:
        """The rows may be others now, and what was undone may be there no more to be redone."""
        super().data_moved()
        if self.has_redo:
            self.tell_acts()

    # ------------------------------------------------------------ questions
    def _refuses(self) -> str | None:
        if isinstance(self.lab, PastLab):
            return f"This is the past at {self.lab.moment}, which cannot be changed."
        return "The lab is closed." if self.lab.is_closed else None

    def _asks_retier(self, *, ids: list[str]) -> Question:
        what, _ = self._what(ids)
        lines = [
            f"{what} will be in the tier you choose.",
            "The log keeps the tier each was in; Undo moves each back there.",
        ]
        return Question(f"Move {memories(len(ids))}?", lines, "Move")

    def _asks_forget(self, *, ids: list[str]) -> Question:
        what, has = self._what(ids)
        ends = "SELECT count(*) FROM links WHERE source_id {ids} OR target_id {ids}"
        links = int(among(self.lab, ends, ids).item())
        lines = [f"{what} will be gone from the state: no table, view or search shows {has}."]
        if links:
            lines.append(f"{count(links, 'link')} from or to {has} will lead nowhere meanwhile.")
        lines.append(
            f"The log keeps all that happened to {has}, lab.at(…) still shows {has},"
            " and Undo restores all of it."
        )
        return Question(f"Forget {memories(len(ids))}?", lines, "Forget")

    def _asks_link(self, *, source: str, target: str | None = None) -> Question:
        told = self._contents([source, *([target] if target else [])])
        other = f"“{told[target]}”" if target else "the memory you choose"
        lines = [f"“{told[source]}” will refer to {other}.", "Undo takes the link back."]
        return Question("Link two memories?", lines, "Link")

    def _asks_unlink(self, *, source: str, target: str, relation: Relation) -> Question:
        told = self._contents([source, target], are_alive=False)
        one, two = (told.get(i, f"the forgotten memory {i}") for i in (source, target))
        lines = [
            f"“{one}” will no longer refer to “{two}” ({relation}).",
            "The log keeps the link; Undo makes it again, as strong as it was.",
        ]
        return Question("Take this link back?", lines, "Unlink")

    # ------------------------------------------------------------ the same in Python
    def _python_recall(self, *, ids: list[str]) -> str:
        return f"lab.memories.recall({', '.join(map(repr, ids))})"

    def _python_retier(self, *, ids: list[str], tier: Tier) -> str:
        return _each("retier", ids, repr(tier))

    def _python_forget(self, *, ids: list[str], reason: str) -> str:
        return _each("forget", ids, repr(reason) if reason else "")

    def _python_link(
        self, *, source: str, target: str, relation: Relation, strength: float, confidence: float
    ) -> str:
        rest = f"{relation!r}, strength={strength!r}, confidence={confidence!r}"
        return f"lab.memories.link({source!r}, {target!r}, {rest})"

    def _python_unlink(self, *, source: str, target: str, relation: Relation) -> str:
        return f"lab.memories.unlink({source!r}, {target!r}, {relation!r})"

    # ------------------------------------------------------------ acts
    @act("Recall", refuses=_refuses, python=_python_recall)
    def recall(self, run: Run, *, ids: list[str]) -> Done:
        """Note that memories were used. Nothing takes that back: they were.

        Raises:
            ViewError: none is given, or an id is none.
        """
        done = run.commit(self.lab, *[recall_memory(i) for i in run.each(_some(ids))])
        said = memories(len(done.entity_ids))
        return Done(f"Recalled {said}; a recall cannot be taken back.")

    @act("Move to tier…", asks=_asks_retier, refuses=_refuses, python=_python_retier)
    def retier(self, run: Run, *, ids: list[str], tier: Tier) -> Done:
        """Move memories to a tier; those that are there already stay as they are."""
        old: dict[str, Tier] = {}

        def decide(store: Any) -> list[Draft]:
            found = among(store, "SELECT id, tier FROM memories WHERE id {ids}", _some(ids)).rows()
            old.update({i: t for i, t in found if t != tier})
            moving = [i for i in ids if i in old or i not in dict(found)]
            if not moving:
                msg = f"They are all in the tier {tier!r} already."
                raise RejectedError(msg, tier=tier)
            return [retier_memory(i, tier) for i in run.each(moving)]

        done = run.commit(self.lab, decide)

        def back(again: Run) -> str:
            def inverse(_: Any, moved: list[str]) -> dict[str, Draft]:
                return {i: retier_memory(i, old[i]) for i in moved}

            take_back(self.lab, again, done, ("v1.MemoryRetiered", *_LIFE), inverse)
            return f"Moved {memories(len(old))} back."

        return Done(f"Moved {memories(len(old))} to {tier}.", back)

    @act("Forget…", asks=_asks_forget, refuses=_refuses, python=_python_forget, destroys=True)
    def forget(self, run: Run, *, ids: list[str], reason: str = "") -> Done:
        """Let memories go.

        Raises:
            ViewError: none is given, or an id is none.
        """
        drafts = [forget_memory(i, reason) for i in run.each(_some(ids))]
        done = run.commit(self.lab, *drafts)

        def back(again: Run) -> str:
            def inverse(store: Any, gone: list[str]) -> dict[str, Draft]:
                past = histories(store, gone)
                return {i: restore_memory(i, past.get(i, [])) for i in gone}

            take_back(self.lab, again, done, _LIFE, inverse)
            return f"Restored {memories(len(ids))}."

        return Done(f"Forgot {memories(len(ids))}.", back)

    @act("Link…", asks=_asks_link, refuses=_refuses, python=_python_link, finds={"target": "find"})
    def link(
        self,
        run: Run,
        *,
        source: str,
        target: str,
        relation: Relation = "references",
        strength: Unit = 1.0,
        confidence: Unit = 1.0,
    ) -> Done:
        """Say that a memory refers to another; an old link of that relation is set anew."""
        key = link_id(source, target, relation)
        old: list[dict[str, Any]] = []

        def decide(store: Any) -> list[Draft]:
            old.extend(among(store, _OLD_LINK, [key]).to_dicts())
            owner = among(store, "SELECT persona_id FROM memories WHERE id {ids}", [source])
            whose = None if owner.is_empty() else owner.item()
            made = link_memories(
                source,
                target,
                relation,
                strength=strength,
                confidence=confidence,
                persona=whose,
            )
            return list(run.each([made]))

        done = run.commit(self.lab, decide)

        def back(again: Run) -> str:
            def inverse(_: Any, made: list[str]) -> dict[str, Draft]:
                gone = unlink_memories(source, target, relation)
                return {i: _relinked(old[0]) if old else gone for i in made}

            take_back(self.lab, again, done, _LINK, inverse)
            return "Set the link as it was." if old else "Took the link back."

        return Done("Set the link anew." if old else "Linked them.", back)

    @act("Unlink", asks=_asks_unlink, refuses=_refuses, python=_python_unlink, destroys=True)
    def unlink(self, run: Run, *, source: str, target: str, relation: Relation) -> Done:
        """Take a link back."""
        old: list[dict[str, Any]] = []

        def decide(store: Any) -> list[Draft]:
            old.extend(among(store, _OLD_LINK, [link_id(source, target, relation)]).to_dicts())
            return list(run.each([unlink_memories(source, target, relation)]))

        done = run.commit(self.lab, decide)

        def back(again: Run) -> str:
            take_back(
                self.lab, again, done, _LINK, lambda _, gone: dict.fromkeys(gone, _relinked(old[0]))
            )
            return "Linked them again."

        return Done("Took the link back.", back)

    # ------------------------------------------------------------ what the questions say
    def _what(self, ids: list[str]) -> tuple[str, str]:
        """How many memories of whom, and the word for them; all of them must be there."""
        found = among(
            self.lab,
            "SELECT coalesce(p.name, 'nobody') AS name, count(*) AS n FROM memories m"
            " LEFT JOIN personas p ON p.id = m.persona_id WHERE m.id {ids}"
            " GROUP BY ALL ORDER BY n DESC, name",
            _some(ids),
        ).rows()
        missing = len(set(ids)) - sum(n for _, n in found)
        if missing:
            msg = f"{missing} of {len(set(ids))} picked memories are there no more."
            raise ViewError(msg, hint="Pick again.")
        names = [name if len(found) == 1 else f"{name} ({n:,})" for name, n in found]
        shown = names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} others"]
        whose = " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
        return f"{memories(len(set(ids)))} of {whose}", "it" if len(set(ids)) == 1 else "them"

    def _contents(self, ids: list[str], *, are_alive: bool = True) -> dict[str, str]:
        sql = f"SELECT id, left(content, {_SHORT + 1}) FROM memories WHERE id {{ids}}"  # noqa: S608
        found = dict(among(self.lab, sql, _some(ids)).rows())
        if are_alive and set(found) != set(ids):
            msg = "One of the two memories is there no more."
            raise ViewError(msg, hint="Pick again.")
        return {i: c if len(c) <= _SHORT else f"{c[:_SHORT]}…" for i, c in found.items()}


_OLD_LINK: Final = (
    "SELECT source_id, target_id, relation, strength, confidence, extra, persona_id"
    " FROM links WHERE id {ids}"
)


def _relinked(old: dict[str, Any]) -> Draft:
    return link_memories(
        old["source_id"],
        old["target_id"],
        old["relation"],
        strength=old["strength"],
        confidence=old["confidence"],
        extra=json.loads(old["extra"] or "{}"),
        persona=old["persona_id"],
    )


def memories(n: int) -> str:
    """A number of memories."""
    return f"{n:,} memor{'y' if n == 1 else 'ies'}"


def _some(ids: Sequence[str]) -> list[str]:
    wrong = [i for i in ids if not is_id(i)]
    if wrong or not ids:
        msg = f"{wrong[0]!r} is no id of a memory." if wrong else "No memory is picked."
        raise ViewError(msg, hint="Pick a row.")
    return list(dict.fromkeys(ids))


def _each(verb: str, ids: Sequence[str], rest: str) -> str:
    tail = f", {rest}" if rest else ""
    if len(ids) == 1:
        return f"lab.memories.{verb}({ids[0]!r}{tail})"
    return (
        f"with lab.batch():\n    for memory in {list(ids)!r}:\n"
        f"        lab.memories.{verb}(memory{tail})"
    )
