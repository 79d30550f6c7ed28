"""A server that does to each path what its name says; started as a program."""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
import sys

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ANSWERS = {
    "/fail": b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
    "/missing": b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
    "/cut": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
    "/cut-chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "/cut-head": b"HTTP/1.1 200",
    "/garbage": b"good morning\r\n\r\n",
    "/close": b"",
    "/ok": OK,
    "/readyz": OK,
    "/unready": b"HTTP/1.1 503 No\r\nContent-Length: 28\r\n\r\n" + b'{"checks":{"roof":["fail"]}}',
    "/once": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
}
ACCEPTED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: x\r\n\r\n"
)
FRAMES = {
    "/closes-with-1012": ACCEPTED + b"\x89\x00" + b"\x88\x02" + struct.pack("!H", 1012),
    "/closes-with-1011": ACCEPTED + b"\x88\x02" + struct.pack("!H", 1011),
    "/is-cut": ACCEPTED + b"\x81\x05he",
    "/is-refused": b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
}
KEPT = {"/ok", "/readyz", "/fail", "/missing"}


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while path := await path_of(reader):
            if path == "/hang":
                await asyncio.sleep(60)
            if path == "/reset":
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.write({**ANSWERS, **FRAMES}.get(path, b""))
            await writer.drain()
            if path in FRAMES:
                await asyncio.sleep(0.1)
            if path not in KEPT:
                break
    except (ConnectionError, asyncio.CancelledError):
        pass
    finally:
        writer.close()


async def path_of(reader: asyncio.StreamReader) -> str:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return ""
    return head.split(b" ")[1].decode()


async def main(port: int, ending: str) -> int:
    """Serve until SIGTERM; then end at once, wait before that, or take no notice."""
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    server = await asyncio.start_server(answer, "127.0.0.1", port)
    await told.wait()
    if ending == "stays":
        await asyncio.sleep(60)
    if ending == "raises":
        sys.stderr.write("Traceback (most recent call last)\n")
    if ending == "refuses":
        server.close()
        await asyncio.sleep(0.5)
    else:
        await asyncio.sleep(0.8)
    return 3 if ending == "raises" else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]), sys.argv[2])))
