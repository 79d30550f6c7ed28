"""Taking a port either works at once or is refused in one line with the way out."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from fastforge.exceptions import ForgeError, StartError
from fastforge.server.listening import bind, holder


def test_a_bound_socket_accepts_clients_before_anything_serves() -> None:
    with bind("127.0.0.1", 0) as sock, socket.create_connection(sock.getsockname()) as client:
        assert client.getpeername() == sock.getsockname()


def test_a_port_in_use_names_the_next_free_port() -> None:
    with bind("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        with pytest.raises(StartError, match=f"127.0.0.1:{port} is in use") as caught:
            bind("127.0.0.1", port)
    assert caught.value.code == "server.E001"
    assert caught.value.exit_code == 3
    free = int(caught.value.hint.split(", ")[1].split()[0])
    assert free > port
    bind("127.0.0.1", free).close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_holder_of_a_port_is_named() -> None:
    with bind("127.0.0.1", 0) as sock:
        assert f"(pid {os.getpid()})" in (holder(sock.getsockname()[1]) or "")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_password_in_the_holders_command_is_not_shown() -> None:
    import subprocess

    program = "import socket, sys; s = socket.create_server(('127.0.0.1', 0));"
    program += "print(s.getsockname()[1], flush=True); sys.stdin.read()"
    argv = [sys.executable, "-c", program, "--password=hunter2"]
    with subprocess.Popen(argv, stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout is not None
        text = holder(int(process.stdout.readline())) or ""
        process.communicate()
    assert f"(pid {process.pid})" in text
    assert "hunter2" not in text


def test_nobody_holds_a_free_port() -> None:
    with bind("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
    assert holder(port) is None


@pytest.mark.parametrize(
    ("host", "port", "code", "exit_code"),
    [("192.0.2.1", 8000, "server.E003", 3), ("no such host", 8000, "server.E003", 2),
     ("a..b", 8000, "server.E003", 2),
     ("127.0.0.1", 65536, "server.E006", 2)],
)  # fmt: skip
def test_what_cannot_be_listened_on_is_one_line(
    host: str, port: int, code: str, exit_code: int
) -> None:
    """What is no host and no port at all is wrong usage."""
    with pytest.raises(ForgeError) as caught:
        bind(host, port)
    assert (caught.value.code, caught.value.exit_code) == (code, exit_code)
    assert "\n" not in str(caught.value)


def test_an_ipv6_address_can_be_listened_on() -> None:
    with bind("::1", 0) as sock:
        assert sock.family == socket.AF_INET6
