"""Taking acts on memories back: exactly, or not at all when somebody has changed them since."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pjais_lab.errors import RejectedError

if TYPE_CHECKING:
    import polars as pl

    from pjais_lab.core.event import Draft
    from pjais_lab.lab.lab import Lab
    from pjais_lab.lab.past import PastLab
    from pjais_lab.reactive.commit import Commit
    from pjais_lab.views._acts import Run

__all__ = ["Asks", "among", "take_back"]

Asks = Any
"""What answers ``query``: a lab, a past one, or the store that a command is given."""
_SINCE: Final = """\
SELECT entity_id, actor, name, seq FROM events
WHERE seq > $after AND name IN (SELECT unnest(string_split($names, ','))) AND entity_id {ids}
ORDER BY seq"""
_IDS: Final = "IN (SELECT CAST(unnest(string_split($ids, ',')) AS UUID))"


def among(asks: Asks, sql: str, ids: Collection[str], **params: Any) -> pl.DataFrame:
    """Answer SQL in which ``{ids}`` stands for ``IN (these ids)``."""
    found: pl.DataFrame = asks.query(sql.replace("{ids}", _IDS), ids=",".join(ids), **params)
    return found


def take_back(
    lab: Lab | PastLab,
    run: Run,
    done: Commit,
    names: Sequence[str],
    inverse: Callable[[Asks, list[str]], dict[str, Draft]],
) -> None:
    """Commit the inverse of an act, each event the answer to the one it takes back.

    Args:
        lab: where.
        run: of the undo.
        done: the act.
        names: the events that change what the act has set.
        inverse: entity -> the event that takes it back; decided under the write lock.

    Raises:
        RejectedError: somebody has changed one of them since, and it was not a later act of the
            same view that was undone; nothing was stored.
    """
    acts = {r.entity_id: r.id for r in done.records if r.entity_id is not None}
    ids = list(acts)

    def decide(store: Any) -> list[Draft]:
        _check_unchanged(store, run, ids, done.seq_last, names)
        drafts = inverse(store, ids)
        return [
            msgspec.structs.replace(drafts[i], cause=acts[i]) for i in run.each(ids) if i in drafts
        ]

    run.commit(lab, decide)


def _check_unchanged(
    store: Asks, run: Run, ids: list[str], after: int, names: Sequence[str]
) -> None:
    found = among(store, _SINCE, ids, after=after, names=",".join(names)).rows()
    changes = [row for row in found if run.stands(row[3])]
    if not changes:
        return
    some, (_, actor, name, _) = len({row[0] for row in changes}), changes[0]
    msg = f"{some} of {len(ids)} changed since: {actor} committed {name.partition('.')[2]}."
    raise RejectedError(msg, hint="Look at them again, and act anew.")
