"""Events on their way to the journal: collected by a batch, or given by column."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Protocol

from pjais_lab.core.block import Block
from pjais_lab.reactive._admission import Prepared

__all__ = ["Columns", "StagedBatch", "block_of", "open_batch", "opened_batch"]


class Columns(Protocol):
    """Events by column, as generators make them."""

    @property
    def name(self) -> list[str]:
        """Versioned wire names."""
        ...

    @property
    def entity_id(self) -> list[str]:
        """What each event is about."""
        ...

    @property
    def persona_id(self) -> list[str]:
        """Whose each event is."""
        ...

    @property
    def epoch(self) -> list[int]:
        """The entity's epoch."""
        ...

    @property
    def occurred_at(self) -> list[int]:
        """Microseconds since the Unix epoch, UTC."""
        ...

    @property
    def args(self) -> list[str]:
        """Content, exactly as ``core.codec.encode`` writes it."""
        ...


def block_of(
    columns: Columns, ids: list[str], *, head: int, origin: str, base: int, actor: str
) -> Block:
    """Number a batch of columns.

    Args:
        columns: the events.
        ids: their ids.
        head: the journal's last event.
        origin: this replica.
        base: its last number.
        actor: who commits.
    """
    n = len(ids)
    return Block(
        seq_first=head + 1,
        seq_last=head + n,
        origin=origin,
        origin_seq_last=base + n,
        actor=actor,
        id=ids,
        name=columns.name,
        entity_id=columns.entity_id,
        persona_id=columns.persona_id,
        epoch=columns.epoch,
        occurred_at=columns.occurred_at,
        args=columns.args,
    )


class StagedBatch:
    """What a ``with lab.batch()`` block has committed so far."""

    def __init__(self) -> None:
        self.items: list[Prepared] = []
        self.is_broken = False
        self.is_over = False

    @contextmanager
    def joined(self) -> Iterator[None]:
        """A batch inside this one; if it fails, this one cannot commit."""
        try:
            yield
        except BaseException:
            self.is_broken = True
            raise


_OPEN: Final[ContextVar[dict[int, StagedBatch]]] = ContextVar("pjais_open_batches")
"""Store -> its batch. A batch belongs to a thread and, in an event loop, to a task."""


def open_batch(store: object) -> StagedBatch | None:
    """The batch that a commit made here joins."""
    batch = _OPEN.get({}).get(id(store))
    return None if batch is None or batch.is_over else batch


@contextmanager
def opened_batch(store: object) -> Iterator[StagedBatch]:
    """A batch that commits made in the block join; a task started in it does too, until it is over."""
    batch = StagedBatch()
    token = _OPEN.set({**_OPEN.get({}), id(store): batch})
    try:
        yield batch
    finally:
        batch.is_over = True
        _OPEN.reset(token)
