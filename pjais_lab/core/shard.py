"""The router: which shard a persona's rows lie in. A value behind one function."""

from __future__ import annotations

import zlib

import msgspec

__all__ = ["HashRouter"]


class HashRouter(msgspec.Struct, frozen=True):
    """Spread personas over a fixed number of shards by a hash of their id.

    Attributes:
        shards: how many shards there are.

    >>> HashRouter(4).shard_of("018bcfe5-6800-7000-8000-00000000000a")
    1
    >>> HashRouter(4).shard_of(None)
    0
    """

    shards: int = 4

    def shard_of(self, persona_id: str | None) -> int:
        """The shard of a persona; rows of no persona lie in shard 0."""
        if persona_id is None:
            return 0
        return zlib.crc32(persona_id.encode()) % self.shards
