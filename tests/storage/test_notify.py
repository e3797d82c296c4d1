"""Telling other processes: push, poll, dead listeners, long paths, idle cost."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pjais_lab.errors import ClosedError, CorruptJournalError
from pjais_lab.storage import notify
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.storage.notify import POLL_S, Listener, Notifier
from pjais_lab.testing.chunks import next_chunk

unix = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets here")


class Head:
    """A head that tests move, and that counts who looks."""

    def __init__(self) -> None:
        self.value = 0
        self.looks = 0

    def __call__(self) -> int:
        self.looks += 1
        return self.value


@pytest.fixture
def head() -> Head:
    return Head()


@pytest.fixture
def notifier(tmp_path: Path, head: Head) -> Iterator[Notifier]:
    made = Notifier(tmp_path / "listeners", head)
    yield made
    made.close()


@unix
def test_a_datagram_wakes_a_waiting_listener_before_the_poll_would(
    notifier: Notifier, head: Head
) -> None:
    with notifier.listen() as listener:
        assert listener.is_push
        notifier.notify(1)
        start = time.monotonic()

        assert listener.wait(5)

        assert time.monotonic() - start < POLL_S
        assert not listener.wait(0)


@unix
def test_many_datagrams_are_one_wake_up(notifier: Notifier) -> None:
    with notifier.listen() as listener:
        for n in range(1000):
            notifier.notify(n)

        assert listener.wait(1)
        assert not listener.wait(0)


@unix
def test_every_listener_is_told(notifier: Notifier) -> None:
    with notifier.listen() as one, notifier.listen() as two:
        notifier.notify(1)

        assert one.wait(0)
        assert two.wait(0)


def test_the_poll_finds_what_no_datagram_told(notifier: Notifier, head: Head) -> None:
    with notifier.listen() as listener:
        head.value = 3

        assert listener.wait(5)
        assert not listener.wait(0)


def test_waiting_gives_up_in_time(notifier: Notifier) -> None:
    with notifier.listen() as listener:
        start = time.monotonic()

        assert not listener.wait(0.3)

        assert 0.3 <= time.monotonic() - start < 2


def test_where_sockets_cannot_be_made_the_poll_remains(
    tmp_path: Path, head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    # no other folder because this one's path is long
    monkeypatch.setattr(notify, "_SUN_PATH", 4096)
    (tmp_path / "listeners").write_text("a file is in the way")
    notifier = Notifier(tmp_path / "listeners", head)

    with notifier.listen() as listener:
        assert not listener.is_push
        head.value = 1
        notifier.notify(1)
        assert listener.wait(5)
        listener.wake()
        assert listener.wait(0)
    notifier.close()


def test_wake_is_remembered_until_the_next_wait(notifier: Notifier) -> None:
    with notifier.listen() as listener:
        for _ in range(100_000):
            listener.wake()

        assert listener.wait(0)
        assert not listener.wait(0)


def test_wake_reaches_a_thread_that_waits(notifier: Notifier) -> None:
    with notifier.listen() as listener:
        woken: list[bool] = []
        thread = threading.Thread(target=lambda: woken.append(listener.wait(60)))
        thread.start()
        listener.wake()
        thread.join(10)

        assert woken == [True]


def test_closing_ends_a_wait(notifier: Notifier) -> None:
    listener = notifier.listen()
    ended: list[type[Exception]] = []

    def wait() -> None:
        try:
            while True:
                listener.wait()
        except ClosedError as error:
            ended.append(type(error))

    thread = threading.Thread(target=wait)
    thread.start()
    listener.close()
    thread.join(10)

    assert ended == [ClosedError]
    listener.wake()
    listener.close()


def test_a_closed_notifier_is_silent_and_makes_no_listeners(notifier: Notifier) -> None:
    with notifier.listen():
        notifier.close()
        notifier.close()
        notifier.notify(1)

        with pytest.raises(ClosedError, match="closed"):
            notifier.listen()


@unix
def test_a_closed_listener_leaves_no_file(notifier: Notifier) -> None:
    listener = notifier.listen()
    assert len(list(notifier.directory.iterdir())) == 1

    listener.close()

    assert list(notifier.directory.iterdir()) == []


@unix
def test_the_file_of_a_dead_listener_is_removed_by_the_next_notice(
    notifier: Notifier, tmp_path: Path
) -> None:
    code = (
        "import os, sys; from pathlib import Path\n"
        "from pjais_lab.storage.notify import Notifier\n"
        "kept = Notifier(Path(sys.argv[1]), lambda: 0).listen(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "listeners")], check=False)
    assert len(list(notifier.directory.iterdir())) == 1

    with notifier.listen() as listener:
        notifier.notify(1)
        assert listener.wait(0)
        assert len(list(notifier.directory.iterdir())) == 1


@unix
def test_a_path_too_long_for_a_socket_is_told_all_the_same(tmp_path: Path, head: Head) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    writer, reader = Notifier(deep / "listeners", head), Notifier(deep / "listeners", head)

    with reader.listen() as listener:
        assert listener.is_push
        assert reader.directory == writer.directory
        assert reader.directory.stat().st_mode & 0o777 == 0o700
        writer.notify(1)
        assert listener.wait(0)

    reader.directory.rmdir()
    writer.close()
    reader.close()


@unix
def test_a_temporary_directory_somebody_else_made_is_not_used(
    tmp_path: Path, head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    notifier = Notifier(tmp_path / "listeners", head)
    monkeypatch.setattr(os, "getuid", lambda: 2**31)

    with notifier.listen() as listener:
        assert not listener.is_push
    notifier.close()


def test_a_head_that_cannot_be_read_wakes_the_reader_to_meet_the_error(tmp_path: Path) -> None:
    heads = iter([0])

    def head() -> int:
        for value in heads:
            return value
        raise CorruptJournalError("damaged")

    with Listener(tmp_path, head) as listener:
        assert listener.wait(5)


FOLLOWER = """
import sys, time
from pathlib import Path
from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.storage.notify import Notifier
journal = SqliteJournal(Path(sys.argv[1]))
listener = Notifier(Path(sys.argv[1]).parent / "listeners", journal.head).listen()
print("ready", flush=True)
begin = time.process_time(), time.monotonic()
while not listener.wait(60):
    pass
print(time.process_time() - begin[0], time.monotonic() - begin[1])
print(time.time(), journal.head())
"""


def test_a_process_hears_of_a_commit_at_once_and_idles_for_free(tmp_path: Path) -> None:
    with SqliteJournal(tmp_path / "journal.sqlite") as journal:
        notifier = Notifier(tmp_path / "listeners", journal.head)
        follower = subprocess.Popen(
            [sys.executable, "-c", FOLLOWER, str(journal.path)], stdout=subprocess.PIPE, text=True
        )
        assert follower.stdout is not None
        follower.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            follower.wait(3)  # idle

        journal.append(next_chunk(journal))
        said = time.time()
        notifier.notify(1)
        cpu_s, idle_s, heard, head = map(float, follower.communicate()[0].split())
        notifier.close()

    assert head == 1
    assert heard - said < POLL_S
    assert cpu_s / idle_s < 0.01
