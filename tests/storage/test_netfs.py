"""Network filesystems are told from the mount table."""

from __future__ import annotations

from pathlib import Path

import pytest

from pjais_lab.errors import NetworkFilesystemError
from pjais_lab.storage.netfs import Mount, mount_of, parse_mounts, read_mounts, refuse_network

MOUNTINFO = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
31 27 0:40 / /home/ada/team\040share rw shared:5 master:2 - nfs4 srv:/export rw,vers=4.2
32 27 0:41 / /mnt/cloud rw - fuse.sshfs ada@host:/ rw
33 27 0:42 / /mnt/usb rw - fuseblk /dev/sdb1 rw
34 27 0:43 / /mnt/stack rw - 9p share rw
35 27 0:44 / /mnt/stack rw - tmpfs tmpfs rw
not a mount line
"""

MACOS = """
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)
//ada@nas._smb._tcp.local/Team%20Files on /Volumes/Team Files (smbfs, nodev, nosuid, mounted by ada)
"""


@pytest.mark.parametrize(
    ("path", "kind", "is_network"),
    [
        ("/home/ada/lab", "ext4", False),
        ("/home/ada/team share/lab", "nfs4", True),
        ("/home/ada/team share 2", "ext4", False),
        ("/mnt/cloud", "fuse.sshfs", True),
        ("/mnt/usb/lab", "fuseblk", False),
        ("/mnt/stack/lab", "tmpfs", False),
    ],
)
def test_linux(path: str, kind: str, *, is_network: bool) -> None:
    mount = mount_of(Path(path), parse_mounts(MOUNTINFO))

    assert mount is not None
    assert (mount.kind, mount.is_network) == (kind, is_network)


def test_macos() -> None:
    mounts = parse_mounts(MACOS)

    assert mount_of(Path("/Users/ada"), mounts) == Mount("/", "apfs", "/dev/disk3s1s1")
    shared = mount_of(Path("/Volumes/Team Files/lab"), mounts)
    assert shared is not None
    assert (shared.kind, shared.is_network) == ("smbfs", True)


def test_the_refusal_names_filesystem_server_and_alternative() -> None:
    path = Path("/home/ada/team share/lab")

    with pytest.raises(
        NetworkFilesystemError, match=r"nfs4 \(srv:/export on .*local disk.*PostgreSQL"
    ):
        refuse_network(path, parse_mounts(MOUNTINFO))


def test_a_table_that_says_nothing_refuses_nothing() -> None:
    refuse_network(Path("/anywhere"), [])


def test_this_machines_table_is_read(tmp_path: Path) -> None:
    assert mount_of(tmp_path, read_mounts()) is not None
