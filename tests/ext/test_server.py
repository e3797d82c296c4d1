"""The server extension, in a Jupyter server of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from pjais_lab.ext.server import at_once


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
        "import sys, pjais_lab.ext.server as ext\n"
        "from jupyter_server.services.kernels.websocket import KernelWebsocketHandler as handler\n"
        "ext._load_jupyter_server_extension(None); first = handler.open\n"
        "ext._load_jupyter_server_extension(None)\n"
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
