"""A small internet for tests: sites on 127.0.0.1 that stand for public addresses."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpcore

Answer = Callable[[bytes], bytes]
PUBLIC = "93.184.216.34"
OTHER = "93.184.216.35"
V6 = "2606:2800:220:1::34"


def answer(
    body: bytes = b"hello", *, status: int = 200, headers: Iterable[tuple[str, str]] = ()
) -> bytes:
    """What a site sends."""
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def leads_to(url: str, *, status: int = 302) -> bytes:
    return answer(b"", status=status, headers=[("location", url)])


@dataclass
class Site:
    """A server that answers each request with what a function of it returns."""

    respond: Callable[[str], bytes] = lambda _: answer()
    requests: list[str] = field(default_factory=list)
    server_names: list[str | None] = field(default_factory=list)
    port: int = 0

    def header(self, name: str, of: int = -1) -> str | None:
        lines = self.requests[of].split("\r\n")[1:]
        found = (line.partition(": ") for line in lines)
        return next((value for key, _, value in found if key.lower() == name), None)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(head)
            writer.write(self.respond(head))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def running(site: Site, tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    if tls is not None:
        tls.sni_callback = lambda _, name, __: site.server_names.append(name)
    server = await asyncio.start_server(site.handle, "127.0.0.1", 0, ssl=tls)
    async with server:
        site.port = server.sockets[0].getsockname()[1]
        yield site


@dataclass
class Internet:
    """What the policy of tests connects: public addresses are sites, and there are no others.

    Args:
        names: The addresses of each host.
        sites: The site at each address and port.
    """

    names: dict[str, list[str]]
    sites: dict[tuple[str, int], Site]
    asked: list[str] = field(default_factory=list)
    connected: list[tuple[str, int]] = field(default_factory=list)

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host in self.names:
            return self.names[host]
        try:  # numbers mean what they mean to the resolver of this machine
            flags = socket.AI_NUMERICHOST
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
        except OSError:
            return []
        return [str(each[4][0]) for each in found]

    async def connect(
        self, address: str, port: int, timeout_s: float | None, options: Iterable[Any] | None
    ) -> httpcore.AsyncNetworkStream:
        self.connected.append((address, port))
        site = self.sites.get((address, port))
        if site is None:
            raise httpcore.ConnectError("nobody is there")
        backend: Any = httpcore.AnyIOBackend()
        stream: httpcore.AsyncNetworkStream = await backend.connect_tcp(
            "127.0.0.1", site.port, timeout=timeout_s
        )
        return stream


class NameServer(asyncio.DatagramProtocol):
    """A server of names whose answers change: the first is used once, the last for ever."""

    def __init__(self, addresses: list[str]) -> None:
        self.addresses = addresses
        self.questions = 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        address = self.addresses[min(self.questions, len(self.addresses) - 1)]
        self.questions += 1
        head = data[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0)
        record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(address)
        assert self._transport is not None
        self._transport.sendto(head + data[12:] + record, addr)


class _Client(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self.answered.done():
            self.answered.set_result(data)


async def look_up(host: str, server: tuple[str, int]) -> list[str]:
    """Ask a server of names for the IPv4 address of a host."""
    question = b"".join(bytes([len(each)]) + each.encode() for each in host.split("."))
    packet = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + question + b"\0" + b"\0\1\0\1"
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_datagram_endpoint(_Client, remote_addr=server)
    try:
        transport.sendto(packet)
        async with asyncio.timeout(30):
            data = await client.answered
    finally:
        transport.close()
    return [socket.inet_ntoa(data[-4:])]
