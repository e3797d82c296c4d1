"""What the leases of every journal must do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pjais_lab.errors import BusyError, LeaseLostError, RejectedError
from pjais_lab.storage.journal import Journal
from pjais_lab.testing import ManualClock
from pjais_lab.testing.chunks import next_chunk

Opener = Callable[[], Journal]


def test_a_lease_has_one_holder(journal: Journal, open_journal: Opener) -> None:
    with journal.lease("sealer", 10):
        with pytest.raises(BusyError, match="'sealer' is held by process"):
            open_journal().lease("sealer", 10)
        with journal.lease("other", 10) as other:
            assert other.token == 1

    assert journal.lease("sealer", 10).token == 2


def test_an_expired_lease_is_taken_over_with_a_greater_token(
    journal: Journal, open_journal: Opener, clock: ManualClock
) -> None:
    stale = journal.lease("sealer", 10)
    clock.advance(seconds=10)

    fresh = open_journal().lease("sealer", 10)

    assert fresh.token > stale.token
    with pytest.raises(LeaseLostError, match="'sealer'"):
        stale.check()
    with pytest.raises(LeaseLostError):
        stale.renew()
    fresh.check()


def test_a_stale_holder_cannot_write(
    journal: Journal, open_journal: Opener, clock: ManualClock
) -> None:
    journal.append(next_chunk(journal))
    stale = journal.lease("sealer", 10)
    clock.advance(seconds=11)
    fresh = open_journal().lease("sealer", 10)

    with pytest.raises(LeaseLostError):
        journal.purge(1, lease=stale)
    with pytest.raises(LeaseLostError):
        journal.meta_set("mark", "1", lease=stale)

    assert (journal.floor(), journal.meta_get("mark")) == (0, None)
    assert journal.purge(1, lease=fresh) == 1


def test_checking_renews_a_lease_that_is_half_over(
    journal: Journal, open_journal: Opener, clock: ManualClock
) -> None:
    lease = journal.lease("sealer", 10)

    for _ in range(5):
        clock.advance(seconds=6)
        lease.check()

    with pytest.raises(BusyError):
        open_journal().lease("sealer", 10)


def test_an_overdue_lease_that_nobody_took_can_be_renewed(
    journal: Journal, clock: ManualClock
) -> None:
    lease = journal.lease("sealer", 10)
    clock.advance(seconds=60)

    lease.renew()

    assert lease.token == 1


def test_releasing_a_lost_lease_leaves_the_new_holder_alone(
    journal: Journal, open_journal: Opener, clock: ManualClock
) -> None:
    stale = journal.lease("sealer", 10)
    clock.advance(seconds=11)
    fresh = open_journal().lease("sealer", 10)

    stale.release()

    fresh.check()


def test_a_lease_survives_a_clock_set_back(journal: Journal, clock: ManualClock) -> None:
    journal.lease("sealer", 10)
    clock.advance(seconds=-3600)

    assert journal.lease("sealer", 10).token == 2


def test_a_lease_needs_a_positive_time(journal: Journal) -> None:
    with pytest.raises(RejectedError, match="more than 0"):
        journal.lease("sealer", 0)
