"""workspace.toml: read, check and write the settings of a workspace."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_type_hints

import msgspec

from pjais_lab.errors import FormatVersionError, SettingsError

__all__ = ["FORMAT_VERSION", "Limits", "Seal", "Settings", "Sharding", "parse", "render"]

FORMAT_VERSION: Final = 1

Meta = msgspec.Meta
_AT: Final = re.compile(r"^(?P<reason>.*?)(?: - at `\$\.?(?P<path>.*)`)?$")


class Sharding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How personas are spread over the lake's partitions.

    Attributes:
        shards: how many there are.
        strategy: how a persona's shard is found.
    """

    shards: Annotated[int, Meta(ge=1, le=1024)] = 4
    strategy: Literal["hash"] = "hash"


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a commit may not exceed.

    Attributes:
        event_bytes: the longest content of one event, as JSON.
        clock_skew_s: how far the machine's clock may be behind the newest event.
    """

    event_bytes: Annotated[int, Meta(ge=1024, le=1 << 28)] = 1 << 20
    clock_skew_s: Annotated[int, Meta(ge=1, le=86_400)] = 300


class Seal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the journal's events move into the lake: whichever comes first.

    Attributes:
        events: so many events.
        size_bytes: so much content.
        age_s: the oldest event has waited so long.
    """

    events: Annotated[int, Meta(ge=1, le=100_000_000)] = 50_000
    size_bytes: Annotated[int, Meta(ge=4096, le=1 << 40)] = 64 << 20
    age_s: Annotated[int, Meta(ge=1, le=31_536_000)] = 300


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything workspace.toml says.

    Attributes:
        format: the version of the workspace's layout.
        id: the workspace, the same in every copy.
        replica: who writes here, different in every copy; the journal has the last word.
        sharding: how personas are spread.
        limits: what a commit may not exceed.
        seal: when events move into the lake.
    """

    format: Annotated[int, Meta(ge=1)]
    id: Annotated[str, Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    replica: Annotated[str, Meta(pattern="^[0-9a-f]{11}$")]
    sharding: Sharding = Sharding()
    limits: Limits = Limits()
    seal: Seal = Seal()


def parse(text: str, path: Path) -> Settings:
    """Settings from the text of workspace.toml.

    Args:
        text: TOML.
        path: where it was read, for messages.

    Raises:
        SettingsError: it is not TOML, has an unknown key, or a value out of range.
        FormatVersionError: a newer version wrote the workspace.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{path} is not TOML: {error}."
        raise SettingsError(msg, hint="Correct it, or restore it from a backup.") from None
    version = data.get("format")
    if isinstance(version, int) and version > FORMAT_VERSION:
        msg = (
            f"The workspace {path.parent} has format {version} and this version of PJAIS Lab reads"
            f" formats up to {FORMAT_VERSION}."
        )
        raise FormatVersionError(msg, hint="Update pjais-lab.", found=version, known=FORMAT_VERSION)
    _refuse_unknown(data, Settings, "", path)
    try:
        return msgspec.convert(data, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(_sentence(str(error), path), path=str(path)) from None


def render(settings: Settings) -> str:
    """The text of workspace.toml, every setting with its value."""
    lines = [
        "# Settings of a PJAIS Lab workspace. Unknown keys are refused; defaults are shown.",
        f"format = {settings.format}",
        f'id = "{settings.id}"',
        f'replica = "{settings.replica}"  # who writes here; kept by the lab',
    ]
    for name in ("sharding", "limits", "seal"):
        section = getattr(settings, name)
        lines += ["", f"[{name}]"]
        for field in section.__struct_fields__:
            value = getattr(section, field)
            lines.append(f"{field} = " + (f'"{value}"' if isinstance(value, str) else f"{value:_}"))
    return "\n".join(lines) + "\n"


def with_replica(text: str, replica: str) -> str:
    """The text of workspace.toml with another replica id and nothing else changed."""
    return re.sub(
        r"^(\s*replica\s*=\s*)([\"'])[^\"']*\2",
        rf'\g<1>"{replica}"',
        text,
        count=1,
        flags=re.MULTILINE,
    )


def _refuse_unknown(data: Mapping[str, Any], kind: type[Any], where: str, path: Path) -> None:
    fields = get_type_hints(kind)
    for key, value in data.items():
        if key not in fields:
            near = difflib.get_close_matches(key, fields, 1)
            msg = f"{path} has the unknown setting {where}{key}."
            hint = f"Did you mean {where}{near[0]}?" if near else f"Known: {', '.join(fields)}."
            raise SettingsError(msg, hint=hint, path=str(path), key=f"{where}{key}")
        if isinstance(value, dict) and isinstance(fields[key], type):
            _refuse_unknown(value, fields[key], f"{where}{key}.", path)


def _sentence(text: str, path: Path) -> str:
    found = _AT.match(text)
    reason, where = (found["reason"], found["path"]) if found else (text, None)
    reason = reason[:1].lower() + reason[1:]
    return f"{path} is wrong{f' at {where}' if where else ''}: {reason}."
