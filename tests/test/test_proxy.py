"""The proxy: bytes go through as they are and are counted, and each fault is what it says."""

from __future__ import annotations

import asyncio
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fastforge.exceptions import ComponentError
from fastforge.test.proxy import Proxy

DEADLINE_S = 20.0


class Echo(socketserver.StreamRequestHandler):
    """Answers each line by itself, and says good-bye at the end of the input."""

    def handle(self) -> None:
        try:
            for line in self.rfile:
                self.wfile.write(line)
            self.wfile.write(b"bye\n")
        except OSError:
            pass


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def echo() -> Iterator[tuple[str, int]]:
    """The address of a service that echoes lines."""
    server = Server(("127.0.0.1", 0), Echo)
    with serving(server):
        yield "127.0.0.1", server.server_address[1]


@pytest.fixture
def proxy(echo: tuple[str, int]) -> Iterator[Proxy]:
    with Proxy(echo) as proxy:
        yield proxy


def connected(proxy: Proxy) -> socket.socket:
    return socket.create_connection(proxy.address, DEADLINE_S)


def said(client: socket.socket, text: bytes) -> bytes:
    """What comes back for a text: as many bytes, or what there is until the end."""
    client.sendall(text)
    return received(client, len(text))


def received(client: socket.socket, count: int) -> bytes:
    answer = b""
    while len(answer) < count and (more := client.recv(count - len(answer))):
        answer += more
    return answer


def is_silent(client: socket.socket) -> bool:
    client.settimeout(0.1)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(DEADLINE_S)
    return False


# --- what passes ---------------------------------------------------------------------------------


def test_bytes_pass_and_are_counted(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert said(client, b"one\n") == b"one\n"
        assert said(client, b"two\n") == b"two\n"
        assert (proxy.round_trips, proxy.connections, proxy.open_connections) == (2, 1, 1)
        assert (proxy.bytes_to_server, proxy.bytes_to_client) == (8, 8)
        with connected(proxy) as second:
            assert said(second, b"three\n") == b"three\n"
    assert (proxy.round_trips, proxy.connections) == (3, 2)


def test_a_client_that_has_said_all_still_hears_the_answer(proxy: Proxy) -> None:
    with connected(proxy) as client:
        client.sendall(b"last\n")
        client.shutdown(socket.SHUT_WR)
        assert received(client, 100) == b"last\nbye\n"


def test_much_passes_whole(proxy: Proxy) -> None:
    text = b"x" * 999_999 + b"\n"
    with connected(proxy) as client:
        sender = threading.Thread(target=client.sendall, args=(text,))
        sender.start()
        assert received(client, len(text)) == text
        sender.join()
        assert proxy.bytes_to_client == len(text)


async def test_an_async_test_uses_it_too(echo: tuple[str, int]) -> None:
    with Proxy(echo) as proxy:
        reader, writer = await asyncio.open_connection(*proxy.address)
        writer.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        writer.close()
        await writer.wait_closed()
    assert proxy.round_trips == 1


def test_a_service_may_listen_on_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "echo"
    with serving(UnixServer(str(path), Echo)), Proxy(path) as proxy, connected(proxy) as client:
        assert said(client, b"one\n") == b"one\n"
        assert proxy.url == f"tcp://127.0.0.1:{proxy.port}"


def test_a_url_keeps_what_is_not_the_address() -> None:
    with Proxy("postgresql+asyncpg://me:secret@db.internal/shop?ssl=require") as proxy:
        assert (
            proxy.url == f"postgresql+asyncpg://me:secret@127.0.0.1:{proxy.port}/shop?ssl=require"
        )


def test_a_url_without_a_port_is_an_error() -> None:
    with pytest.raises(ComponentError, match=r"\[test.E004\].*nats.*write it"):
        Proxy("nats://127.0.0.1")


def test_the_end_of_the_block_closes_everything(echo: tuple[str, int]) -> None:
    with Proxy(echo) as proxy:
        client = connected(proxy)
        assert said(client, b"one\n") == b"one\n"
    with client, pytest.raises(ConnectionResetError):
        received(client, 1)
    with pytest.raises(ConnectionRefusedError):
        connected(proxy)


# --- faults --------------------------------------------------------------------------------------


def test_refuse_turns_new_connections_away_until_heal(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert said(client, b"one\n") == b"one\n"
        proxy.refuse()
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            connected(proxy)
        assert said(client, b"two\n") == b"two\n"
    port = proxy.port
    proxy.heal()
    assert proxy.port == port
    with connected(proxy) as client:
        assert said(client, b"three\n") == b"three\n"


def test_blackhole_lets_nothing_through_and_heal_delivers_it(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert said(client, b"one\n") == b"one\n"
        proxy.blackhole()
        client.sendall(b"two\n")
        with connected(proxy) as late:
            late.sendall(b"three\n")
            assert is_silent(client)
            assert is_silent(late)
            proxy.heal()
            assert received(client, 4) == b"two\n"
            assert received(late, 6) == b"three\n"


def test_reset_ends_what_is_there_and_serves_what_comes(proxy: Proxy) -> None:
    with connected(proxy) as client, connected(proxy) as other:
        assert said(client, b"one\n") == said(other, b"one\n") == b"one\n"
        proxy.reset()
        for each in (client, other):
            with pytest.raises(ConnectionResetError):
                received(each, 1)
    with connected(proxy) as client:
        assert said(client, b"two\n") == b"two\n"


def test_slow_delays_each_burst_and_still_delivers(proxy: Proxy) -> None:
    proxy.slow(latency_s=0.3)
    with connected(proxy) as client:
        client.sendall(b"one\n")
        assert is_silent(client)  # 0.1 s of at least 0.6
        assert received(client, 4) == b"one\n"
        proxy.heal()
        assert said(client, b"two\n") == b"two\n"


def test_a_narrow_network_passes_piece_by_piece(proxy: Proxy) -> None:
    proxy.slow(bytes_per_s=1000)
    with connected(proxy) as client:
        client.sendall(b"x" * 199 + b"\n")
        assert len(client.recv(1000)) < 200
        proxy.heal()


@pytest.mark.parametrize("bandwidth", [0, -1])
def test_a_network_without_any_width_is_refused(proxy: Proxy, bandwidth: int) -> None:
    with pytest.raises(ComponentError, match=r"\[test.E005\].*blackhole"):
        proxy.slow(bytes_per_s=bandwidth)


def test_cut_after_gives_so_many_bytes_of_the_answers_and_the_end(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert said(client, b"before\n") == b"before\n"
        proxy.cut_after(6)
        assert said(client, b"1234\n") == b"1234\n"
        assert said(client, b"5678\n") == b"5"
    with connected(proxy) as client:  # counts from its own beginning
        assert said(client, b"12345678\n") == b"123456"
    proxy.heal()
    with connected(proxy) as client:
        assert said(client, b"12345678\n") == b"12345678\n"


def test_cut_after_counts_requests_too(proxy: Proxy) -> None:
    proxy.cut_after(9, "to_server")
    with connected(proxy) as client:
        assert said(client, b"1234\n") == b"1234\n"
        assert said(client, b"12345678\n") == b""
    assert proxy.bytes_to_server == 9
    proxy.cut_after(0)
    with connected(proxy) as client:
        assert said(client, b"1\n") == b""


def test_a_direction_is_one_of_two(proxy: Proxy) -> None:
    with pytest.raises(ComponentError, match=r"\[test.E006\].*to_client, to_server"):
        proxy.cut_after(1, "up")  # type: ignore[arg-type]


def test_a_service_that_is_away_resets_the_client(tmp_path: Path) -> None:
    # It may come as early as while the client connects.
    with (
        Proxy(tmp_path / "nobody") as proxy,
        pytest.raises(ConnectionResetError),
        connected(proxy) as client,
    ):
        received(client, 1)
