"""The settings of a workspace, as a mapping."""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, Final

from pjais_lab.core.markup import cut, said
from pjais_lab.settings.events import SettingChanged, SettingCleared, setting_id

if TYPE_CHECKING:
    from pjais_lab.reactive.protocol import Committer

__all__ = ["Settings"]

_SHOWN: Final = 20


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

    def _ipython_key_completions_(self) -> list[str]:
        """What may stand between the brackets."""
        return list(self)

    def __repr__(self) -> str:
        """Keys and values, or the first of them."""
        return f"Settings({said(self._shown)})"

    def _shown(self) -> str:
        keys = list(self)
        some = ", ".join(f"{k!r}: {cut(repr(self[k]), 80)}" for k in keys[:_SHOWN])
        more = f" and {len(keys) - _SHOWN:,} more" if len(keys) > _SHOWN else ""
        return f"{{{cut(some, 400)}}}{more}"
