"""Network filesystems, on which SQLite's WAL loses data: found from the mount table, refused.

WAL needs shared memory and locks that every writer sees; NFS, SMB and most folders shared into
containers and virtual machines give neither (https://sqlite.org/wal.html).
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from pjais_lab.errors import NetworkFilesystemError

__all__ = ["Mount", "mount_of", "parse_mounts", "read_mounts", "refuse_network"]

_NETWORK: Final = frozenset(
    "9p acfs afpfs afs beegfs ceph cifs coda davfs drvfs fakeowner gfs2 glusterfs gpfs grpcfuse"
    " lustre mfs moosefs ncpfs nfs nfs3 nfs4 ocfs2 orangefs osxfs prl_fs pvfs2 smb smb2 smb3 smbfs"
    " sshfs vboxsf virtiofs vmhgfs webdav weka wekafs".split()
)
_NETWORK_FUSE: Final = frozenset(
    "blobfuse blobfuse2 ceph cephfs davfs2 gcsfuse glusterfs goofys grpcfuse mfs mount-s3"
    " mountpoint-s3 osxfs rclone s3fs s3ql smbnetfs sshfs vmhgfs-fuse weka".split()
)
_MOUNTINFO: Final = re.compile(
    r"^\d+ \d+ \S+ \S+ (?P<point>\S+) \S+(?: \S+)* - (?P<kind>\S+) (?P<source>\S+)"
)
_MOUNT_OUTPUT: Final = re.compile(r"^(?P<source>.+?) on (?P<point>/.*) \((?P<kind>[^,)]+)")
_ESCAPE: Final = re.compile(r"\\([0-7]{3})")


class Mount(msgspec.Struct, frozen=True):
    """A line of the mount table.

    Attributes:
        point: the directory it is mounted on.
        kind: the filesystem's type.
        source: the device or server.
    """

    point: str
    kind: str
    source: str

    @property
    def is_network(self) -> bool:
        """Whether other machines can write to it behind our back."""
        kind = self.kind.lower()
        main, _, sub = kind.partition(".")
        return main in _NETWORK or (main.startswith("fuse") and sub in _NETWORK_FUSE)


def parse_mounts(text: str) -> list[Mount]:
    """The mount table from ``/proc/self/mountinfo`` or from what ``mount`` prints on macOS.

    Args:
        text: either format; other lines are ignored.
    """
    mounts: list[Mount] = []
    for line in text.splitlines():
        found = _MOUNTINFO.match(line) or _MOUNT_OUTPUT.match(line)
        if found:
            mounts.append(Mount(_plain(found["point"]), found["kind"], _plain(found["source"])))
    return mounts


def mount_of(path: Path, mounts: Sequence[Mount]) -> Mount | None:
    """The mount a path lies on: the longest mount point above it, the last one mounted there."""
    pure = PurePosixPath(path)
    above = [m for m in mounts if pure.is_relative_to(m.point)]
    return max(reversed(above), key=lambda m: len(m.point), default=None)


def read_mounts() -> list[Mount]:
    """This machine's mount table; empty where it cannot be read."""
    if sys.platform == "win32":
        return []
    try:
        if sys.platform == "darwin":
            text = subprocess.run(
                ["/sbin/mount"], capture_output=True, text=True, check=True, timeout=5
            ).stdout
        else:
            text = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except (OSError, subprocess.SubprocessError):
        return []
    return parse_mounts(text)


def refuse_network(path: Path, mounts: Sequence[Mount] | None = None) -> None:
    """Refuse a directory on a network filesystem.

    Args:
        path: an absolute directory; it need not exist.
        mounts: the mount table; this machine's if None.

    Raises:
        NetworkFilesystemError: names the filesystem and what to do instead.
    """
    if path.anchor.startswith("\\\\"):
        raise _refusal(path, Mount(path.anchor, "smb", path.anchor))
    mount = mount_of(path, read_mounts() if mounts is None else mounts)
    if mount is not None and mount.is_network:
        raise _refusal(path, mount)


def _refusal(path: Path, mount: Mount) -> NetworkFilesystemError:
    msg = (
        f"{path} lies on the network filesystem {mount.kind} ({mount.source} on {mount.point}),"
        " where SQLite cannot keep the journal safe."
    )
    hint = (
        "Put the workspace on a local disk; several machines share one only through a PostgreSQL"
        " journal."
    )
    return NetworkFilesystemError(msg, hint=hint, path=str(path), filesystem=mount.kind)


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda m: chr(int(m[1], 8)), text)
