"""Code of a user's that blocks, and code that may."""

from __future__ import annotations

import asyncio
import concurrent.futures
import hashlib
import os
import pathlib
import queue
import shutil
import smtplib
import socket
import sqlite3
import subprocess
import threading
import time
import traceback
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from time import sleep
from typing import Any, Final

import psycopg
import redis
import sqlalchemy
import sqlalchemy.orm

__all__ = ["ALLOWED", "REFUSED"]

HERE: Final = pathlib.Path(__file__)
NOWHERE: Final = ("127.0.0.1", 9)

executor = concurrent.futures.ThreadPoolExecutor(1)
ours, theirs = socket.socketpair()
engine = sqlalchemy.create_engine("sqlite://")
connection = engine.connect()
select = sqlalchemy.text("SELECT 1")


def hold() -> None:
    time.sleep(0.2)


def wait_for_a_thread() -> None:
    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()


def query() -> None:
    with sqlalchemy.orm.Session(connection) as session:
        session.execute(select)


def start_a_thread() -> None:
    threading.Thread(target=int).start()


def import_something() -> None:
    import mailbox

    assert mailbox


def tell_of_a_failure() -> None:
    try:
        raise ValueError
    except ValueError:
        assert "raise ValueError" in traceback.format_exc()


async def run_a_program() -> None:
    process = await asyncio.create_subprocess_exec("true")
    await process.wait()


async def open_a_connection() -> None:
    async with await asyncio.start_server(lambda reader, writer: writer.close(), "localhost") as on:
        _, writer = await asyncio.open_connection(*on.sockets[0].getsockname()[:2])
        writer.close()


REFUSED: Final[Mapping[str, Callable[[], Any]]] = {
    "time.sleep": lambda: time.sleep(0.001),
    "time.sleep ": lambda: sleep(0.001),
    "open": lambda: open(__file__),  # noqa: SIM115 - it is not opened
    "pathlib.Path.read_text": lambda: HERE.read_text(),  # noqa: PLW0108 - the line is here
    "pathlib.Path.iterdir": lambda: list(HERE.parent.iterdir()),
    "shutil.copy": lambda: shutil.copy(__file__, "copy"),
    "subprocess.run": lambda: subprocess.run(["true"], check=True),
    "os.system": lambda: os.system("true"),
    "input": lambda: input("?"),
    "socket.create_connection": lambda: socket.create_connection(NOWHERE),
    "socket.getaddrinfo": lambda: socket.getaddrinfo("nowhere.invalid", 80),
    "socket.socket.recv": lambda: ours.recv(1),
    "socket.socket.sendall": lambda: ours.sendall(b"."),
    "urllib.request.urlopen": lambda: urllib.request.urlopen("http://127.0.0.1:9"),
    "smtplib.SMTP.connect": lambda: smtplib.SMTP(*NOWHERE),
    "sqlite3.connect": lambda: sqlite3.connect("rows.sqlite3"),
    "sqlalchemy.orm.Session.execute": query,
    "sqlalchemy.Connection.execute": lambda: connection.execute(select),
    "redis.Redis.get": lambda: redis.Redis(port=9).get("key"),
    "psycopg.Connection.connect": lambda: psycopg.connect("host=127.0.0.1 port=9"),
    "hashlib.pbkdf2_hmac": lambda: hashlib.pbkdf2_hmac("sha256", b"", b"", 1),
    "hashlib.scrypt": lambda: hashlib.scrypt(b"", salt=b"", n=2, r=1, p=1),
    "threading.Event.wait": lambda: threading.Event().wait(0.001),
    "threading.Thread.join": wait_for_a_thread,
    "queue.Queue.get": lambda: queue.Queue[int]().get(timeout=0.001),
    "concurrent.futures.Future.result": lambda: executor.submit(hold).result(),
}

ALLOWED: Final[Mapping[str, Callable[[], Awaitable[Any] | Any]]] = {
    "to sleep for no time": lambda: time.sleep(0),
    "to open a descriptor": lambda: open(os.dup(0)).close(),
    "to read of the kernel": lambda: os.path.exists("/proc") and open("/proc/self/stat").close(),
    "to look up an address": lambda: socket.getaddrinfo("127.0.0.1", 80),
    "to import": import_something,
    "to tell of a failure": tell_of_a_failure,
    "to start a thread": start_a_thread,
    "to hand over to a thread": lambda: executor.submit(int),
    "to take from a full queue": lambda: queue.Queue[int]().put(1),
    "to await a thread": lambda: asyncio.to_thread(HERE.read_text),
    "to await a program": run_a_program,
    "to await a connection": open_a_connection,
    "to hash what is short": partial(hashlib.sha256, b"short"),
}
