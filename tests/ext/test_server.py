"""The server extension, in a Jupyter server of its own."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pjais_lab.ext.server import at_once

Post = Callable[..., Any]


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    """Ask a Jupyter server of its own for workspaces; gives the answer, or the code of a refusal."""
    home = tmp_path_factory.mktemp("server")
    for name in ("a/town", "a/plain", "a/b/deep", "outside", "JUPYTER_CONFIG_DIR"):
        (home / name).mkdir(parents=True)
    for name in ("a/town", "a/b/deep", "outside"):
        (home / name / "workspace.toml").touch()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR", "HOME")
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *(f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=secret"),
        *(f"--ServerApp.root_dir={home / 'a'}", "--ServerApp.base_url=/deep/er/"),
    ]
    env = os.environ | {name: str(home / name) for name in places}

    def ask(body: object, token: str = "secret") -> Any:
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}/deep/er/pjais-lab/workspaces",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"token {token}"},
        )
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    log = home / "server.log"
    with log.open("w") as out, subprocess.Popen(command, env=env, stderr=out) as child:
        deadline = time.monotonic() + 60
        while not _listens(port):
            assert child.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.05)
        yield ask
        child.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def test_the_server_names_the_folders_that_hold_a_workspace(post: Post) -> None:
    asked = {"folder": "", "names": ["town", "plain", "gone", "b"]}

    assert post(asked) == {"workspaces": ["town"]}
    assert post({"folder": "b", "names": ["deep"]}) == {"workspaces": ["deep"]}


def test_who_may_not_read_the_contents_is_told_nothing(post: Post) -> None:
    code, _said = post({"folder": "", "names": ["town"]}, token="wrong")
    outside, _said = post({"folder": "..", "names": ["outside"]})

    assert code == 403
    assert outside == 404


@pytest.mark.parametrize("body", [None, [], {"folder": 1, "names": []}, {"folder": "", "names": 1}])
def test_a_wrong_question_is_told_what_is_expected(post: Post, body: object) -> None:
    code, said = post(body)

    assert code == 400
    assert "Expected a folder's path" in said


def test_installing_the_package_turns_the_server_extension_on() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "server", "extension", "list"],
        capture_output=True,
        text=True,
        check=True,
    )

    said = done.stdout + done.stderr
    assert "pjais_lab.ext.server" in said
    assert "enabled" in next(line for line in said.splitlines() if "pjais_lab.ext.server" in line)


def test_the_server_loads_it_without_the_rest_of_the_package() -> None:
    code = (
        "import sys, types, tornado.web, pjais_lab.ext.server as ext\n"
        "server = types.SimpleNamespace(web_app=tornado.web.Application(base_url='/'))\n"
        "from jupyter_server.services.kernels.websocket import KernelWebsocketHandler as handler\n"
        "ext._load_jupyter_server_extension(server); first = handler.open\n"
        "ext._load_jupyter_server_extension(server)\n"
        "print(handler.open is first, hasattr(first, '_pjais_at_once'), 'polars' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "True True False\n"


def test_a_websocket_opens_as_before_but_does_not_wait() -> None:
    told: list[object] = []

    class Socket:
        def set_nodelay(self, value: object) -> None:
            told.append(value)

        async def open(self, kernel_id: str) -> None:
            told.append(kernel_id)

    asyncio.run(at_once(Socket.open)(Socket(), "k"))

    assert told == [True, "k"]
