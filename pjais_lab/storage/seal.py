"""The sealer: moves a prefix of the journal into the lake, under a lease, repeatably.

Mark and rows commit together in the lake; purging the journal comes after. A kill at any point
leaves events in one of the two or in both, and readers take them from the lake up to the mark and
from the journal beyond it.
"""

from __future__ import annotations

import time
from typing import Final

from pjais_lab.storage import checkpoint
from pjais_lab.storage.compaction import (
    compact,
    expire,
    finish_erasures,
    record_digests,
    unfinished_erasures,
)
from pjais_lab.storage.erasure import has_erased
from pjais_lab.storage.journal import Journal
from pjais_lab.storage.lake import Lake
from pjais_lab.storage.lease import Lease
from pjais_lab.storage.settings import Seal
from pjais_lab.storage.state import State

__all__ = ["Sealer"]

_LEASE_S: Final = 120.0
_GRACE_EVENTS: Final = 10_000


class Sealer:
    """Seals what is due, from the events that this process has in memory.

    Args:
        journal: the commits.
        lake: where they go.
        state: a state that follows the journal.
        settings: when sealing is due.
        grace_events: sealed events that stay in the journal for a while, so that followers rarely
            meet the gap.
    """

    def __init__(
        self,
        journal: Journal,
        lake: Lake,
        state: State,
        settings: Seal,
        *,
        grace_events: int = _GRACE_EVENTS,
    ) -> None:
        self.grace_events = grace_events
        self._journal = journal
        self._lake = lake
        self._state = state
        self._settings = settings

    def is_due(self) -> bool:
        """Whether enough events wait, or have waited long enough."""
        count, size_bytes, oldest_us = self._state.unsealed()
        if not count:
            return False
        age_s = time.time() - oldest_us / 1_000_000
        rules = self._settings
        return count >= rules.events or size_bytes >= rules.size_bytes or age_s >= rules.age_s

    def seal_once(self, *, force: bool = False) -> int:
        """Seal everything applied so far, if that is due; gives the mark.

        Args:
            force: seal although nothing is due.

        Raises:
            BusyError: another process is sealing.
            DiskFullError: nothing was lost; what is sealed stays sealed.
            LeaseLostError: this process was taken for dead; nothing was written.
        """
        erased = self._state.erased_in_lake_missing(self._lake)
        is_due = force or bool(erased) or self.is_due() or self._has_unfinished_erasure()
        if not is_due:
            return self._lake.mark()
        with self._journal.lease("sealer", _LEASE_S) as lease:
            return self._seal(lease, erased, force=force)

    def _seal(self, lease: Lease, erased: list[str], *, force: bool) -> int:
        state, lake = self._state, self._lake
        for persona_id in erased:
            lake.erase(persona_id, keep=state.erasing_names)
            lease.renew()
        with state.lock:
            through = state.position
        source = f"SELECT * FROM log.tail WHERE seq <= {through}"
        sealed = lake.seal(source, through, token=lease.token, con=state.cursor())
        record_digests(lake)
        lease.renew()
        self._journal.purge(max(0, through - self.grace_events), lease=lease)
        state.mark_sealed(lake.events_sql(through), through)
        if force or self._wants_checkpoint():
            checkpoint.save(lake, state, token=lease.token)
            lease.renew()
        compact(lake)
        if sealed and has_erased(state):
            # What a killed sealer left may hold somebody erased since. With the mark moved under
            # our token, no older holder can commit such a file any more.
            expire(lake, orphan_s=0.0)
        finish_erasures(lake)
        record_digests(lake)
        return max(through, lake.mark())

    def _has_unfinished_erasure(self) -> bool:
        return has_erased(self._state) and bool(unfinished_erasures(self._lake))

    def _wants_checkpoint(self) -> bool:
        """Whether reading the events since the last one would take longer than a new one's rows."""
        rows = checkpoint.newest(self._lake)
        if not rows:
            return True
        behind = self._state.position - rows[0].position
        return behind >= max(self._settings.events, sum(r.row_count for r in rows) // 4)
