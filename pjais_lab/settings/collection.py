"""The settings of a workspace, as a mapping."""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from pjais_lab.settings.events import SettingChanged, SettingCleared, setting_id

if TYPE_CHECKING:
    from pjais_lab.reactive.protocol import Committer

__all__ = ["Settings"]


class Settings(MutableMapping[str, Any]):
    """Key to value, any JSON; setting one commits an event.

    Args:
        store: where commands go.
    """

    def __init__(self, store: Committer) -> None:
        self._store = store

    def __getitem__(self, key: str) -> Any:
        """The value of a key.

        Raises:
            KeyError: it is not set.
        """
        found = self._store.query("SELECT value FROM settings WHERE key = $key", key=key)
        if found.is_empty():
            raise KeyError(key)
        text = found.item()
        return None if text is None else json.loads(text)

    def __setitem__(self, key: str, value: Any) -> None:
        """Set a key.

        Raises:
            RejectedError: the key is not lower case, or the value is no JSON; nothing was stored.
        """
        self._store.commit(SettingChanged(key, value).on())

    def __delitem__(self, key: str) -> None:
        """Unset a key.

        Raises:
            KeyError: it is not set.
        """
        if key not in self:
            raise KeyError(key)
        self._store.commit(SettingCleared().on(entity=setting_id(key)))

    def __iter__(self) -> Iterator[str]:
        """The keys that are set, sorted."""
        return iter(self._store.query("SELECT key FROM settings ORDER BY key")["key"].to_list())

    def __len__(self) -> int:
        """How many are set."""
        return int(self._store.query("SELECT count(*) FROM settings").item())

    def __repr__(self) -> str:
        """Keys and values."""
        return f"Settings({dict(self)!r})"
