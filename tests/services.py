"""Real PostgreSQL, PgBouncer and Redis that live exactly as long as the process that asked.

Uses the standard library only, so that `scripts/ensure_services.py` can ask it, before anything is
installed, whether the servers are there.

Each server is started by a keeper, a small process of its own (this file, run as a program). The
keeper ends its server when the pipe to its parent closes: also when a test run is killed, nothing
is left running and no folder is left behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

START_DEADLINE_S = 60
STOP_DEADLINE_S = 30
ATTEMPTS = 5
DURABLE = "fsync=on"  # such a server stays on the disk
MEMORY = Path("/dev/shm")
MEMORY_BYTES_PER_CORE = 2**30

POSTGRES_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_FOLDERS = "/usr/bin:/snap/bin:/Applications/Chromium.app/Contents/MacOS"
SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin"
INSTALL = {
    "postgres": ("apt-get install -y postgresql", "brew install postgresql@17"),
    "pgbouncer": ("apt-get install -y pgbouncer", "brew install pgbouncer"),
    "redis": ("apt-get install -y redis-server", "brew install redis"),
    "chromium": ("apt-get install -y chromium", "brew install --cask chromium"),
}


class MissingServer(Exception):
    """A server program is not installed; the message is the one line that says what to do."""

    def __init__(self, server: str) -> None:
        linux, macos = INSTALL[server]
        line = macos if sys.platform == "darwin" else linux
        what = "browser" if server == "chromium" else "server"
        super().__init__(f"the tests need a real {server} {what}: {line}")


class ServerFailed(Exception):
    """A server was started and did not come up; the message holds the end of its log."""


# --- finding the programs ------------------------------------------------------------------------


def find_postgres() -> Path:
    """The folder that holds `initdb` and `postgres`, the newest release first."""
    on_path = shutil.which("initdb")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    for pattern in POSTGRES_FOLDERS:
        candidates += sorted(Path("/").glob(pattern[1:]), key=_release, reverse=True)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise MissingServer("postgres")


def find_redis() -> Path:
    """The `redis-server` program."""
    found = shutil.which("redis-server")
    if found is None:
        raise MissingServer("redis")
    return Path(found)


def find_pgbouncer() -> Path:
    """The `pgbouncer` program; Debian puts it where only root looks."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path=SYSTEM_FOLDERS)
    if found is None:
        raise MissingServer("pgbouncer")
    return Path(found)


def find_chromium() -> Path:
    """The program of a browser that can be steered; playwright brings none of its own here."""
    for name in BROWSERS:
        found = shutil.which(name) or shutil.which(name, path=BROWSER_FOLDERS)
        if found is not None:
            return Path(found)
    raise MissingServer("chromium")


def _release(folder: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", str(folder)))


# --- the servers, as a test run sees them --------------------------------------------------------


@dataclass(slots=True)
class Server:
    """A server that answers at `url` until `close()` is called or this process ends."""

    url: str
    pid: int
    keeper: subprocess.Popen[str]

    def close(self) -> None:
        """End the server and remove its folder."""
        assert self.keeper.stdin is not None and self.keeper.stdout is not None
        self.keeper.stdin.close()
        try:
            self.keeper.wait(2 * STOP_DEADLINE_S)
        finally:
            self.keeper.stdout.close()


def start(name: str, *arguments: str) -> Server:
    """Start a private "postgres", "redis" or "pgbouncer" and return once it answers.

    A pgbouncer is given the address of its PostgreSQL, a postgres parameters as `fsync=on`. Raises
    `MissingServer` when it is not installed and `ServerFailed` when it does not come up.
    """
    {"postgres": find_postgres, "redis": find_redis, "pgbouncer": find_pgbouncer}[name]()
    keeper = subprocess.Popen(
        [sys.executable, __file__, name, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C in the terminal is for the test run, which then closes us
    )
    assert keeper.stdin is not None and keeper.stdout is not None
    answer = json.loads(keeper.stdout.readline() or '{"error": "the keeper died"}')
    if "error" in answer:
        keeper.stdin.close()
        keeper.stdout.close()
        keeper.wait()
        raise ServerFailed(answer["error"])
    return Server(url=answer["url"], pid=answer["pid"], keeper=keeper)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# --- the keeper ----------------------------------------------------------------------------------


def keep(name: str, *arguments: str) -> None:
    """Start one server, tell its address on standard output, end it when standard input closes."""
    starters: dict[str, Callable[..., tuple[subprocess.Popen[bytes], str]]] = {
        "postgres": start_postgres,
        "redis": start_redis,
        "pgbouncer": start_pgbouncer,
    }
    with temporary_folder(None if DURABLE in arguments else memory()) as folder:
        try:
            server, url = starters[name](folder, *arguments)
        except (ServerFailed, OSError) as error:
            print(json.dumps({"error": str(error)}), flush=True)
            return
        try:
            print(json.dumps({"url": url, "pid": server.pid}), flush=True)
            sys.stdin.read()
        finally:
            if name == "pgbouncer":  # it would wait for its clients, and has nothing to lose
                server.kill()
            stop(server)


def start_postgres(folder: Path, *parameters: str) -> tuple[subprocess.Popen[bytes], str]:
    """Make a cluster in `folder` and start it, with further parameters: (process, address)."""
    programs, data = find_postgres(), folder / "data"
    password, password_file = secrets.token_hex(16), folder / "password"
    password_file.write_text(password)
    os.chown(password_file, *_owner())
    initialise = [
        f"{programs}/initdb", f"--pgdata={data}", "--username=fastforge", "--auth=password",
        f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C", "--no-sync",
    ]  # fmt: skip
    made = subprocess.run(
        initialise, cwd=folder, capture_output=True, text=True, check=False, **_unprivileged()
    )
    if made.returncode != 0:
        raise ServerFailed(f"initdb: {made.stderr.strip()[-2000:]}")

    def command(port: int) -> list[str]:
        return [
            f"{programs}/postgres", "-D", str(data), "-p", str(port),
            "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}",
            "-c", "max_connections=200", "-c", "shared_buffers=32MB",
            # The folder is thrown away: surviving a power cut is not what is tested here.
            "-c", "fsync=off", "-c", "max_wal_size=128MB",
            *(word for each in parameters for word in ("-c", each)),
        ]  # fmt: skip

    def is_ready(port: int) -> bool:
        # The protocol's start-up message, version 3.0, for a user and a database.
        body = b"\x00\x03\x00\x00user\x00fastforge\x00database\x00postgres\x00\x00"
        answer = exchange(folder / f".s.PGSQL.{port}", (len(body) + 4).to_bytes(4, "big") + body)
        # "R" asks for the password; "E" says that the database system is still starting up.
        return answer.startswith(b"R")

    process, port = start_on_free_port(command, folder, is_ready=is_ready)
    return process, f"postgresql://fastforge:{password}@127.0.0.1:{port}/postgres"


def start_redis(folder: Path, *options: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start a server that keeps nothing on disk unless options say so: (process, address)."""
    program = find_redis()

    def command(port: int) -> list[str]:
        return [
            str(program), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder),
            "--unixsocket", "socket", "--save", "", "--appendonly", "no", *options,
        ]  # fmt: skip

    def is_ready(_port: int) -> bool:
        return exchange(folder / "socket", b"PING\r\n").startswith(b"+PONG")

    process, port = start_on_free_port(command, folder, is_ready=is_ready)
    return process, f"redis://127.0.0.1:{port}/0"


def start_pgbouncer(folder: Path, behind: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start a pooler in transaction mode with few connections to a PostgreSQL: (process, address).

    Its clients are many more than the connections, so that they get each other's.
    """
    program, server = find_pgbouncer(), urlsplit(behind)
    users, settings = folder / "users", folder / "pgbouncer.ini"
    users.write_text(f'"{server.username}" "{server.password}"\n')

    def command(port: int) -> list[str]:
        settings.write_text(
            f"""
            [databases]
            * = host={server.hostname} port={server.port}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir = {folder}
            auth_type = md5
            auth_file = {users}
            pool_mode = transaction
            default_pool_size = 3
            max_client_conn = 500
            """.replace("            ", "")
        )
        for file in (users, settings):
            os.chown(file, *_owner())
        return [str(program), str(settings)]

    def is_ready(port: int) -> bool:
        body = b"\x00\x03\x00\x00user\x00fastforge\x00database\x00postgres\x00\x00"
        answer = exchange(folder / f".s.PGSQL.{port}", (len(body) + 4).to_bytes(4, "big") + body)
        return answer.startswith(b"R")

    process, port = start_on_free_port(command, folder, is_ready=is_ready)
    return process, server._replace(
        netloc=f"{server.username}:{server.password}@127.0.0.1:{port}"
    ).geturl()


def start_on_free_port(
    command: Callable[[int], list[str]], folder: Path, *, is_ready: Callable[[int], bool]
) -> tuple[subprocess.Popen[bytes], int]:
    """Start `command(port)` on a port nobody has; another one when somebody was faster."""
    for _ in range(ATTEMPTS):
        port = free_port()
        with open(folder / "log", "ab") as log:
            process = subprocess.Popen(
                command(port),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **_unprivileged(),
            )
        deadline = time.monotonic() + START_DEADLINE_S
        while process.poll() is None and time.monotonic() < deadline:
            if is_ready(port):
                return process, port
            time.sleep(0.02)
        stop(process)
    raise ServerFailed((folder / "log").read_text(errors="replace")[-2000:])


def exchange(path: Path, message: bytes) -> bytes:
    """Send some bytes to a server's own socket and return the first ones that come back, if any.

    On a TCP port somebody else may answer: both servers take the port first, and end when they
    cannot, so an answer on the socket in their own folder is theirs on the port too.
    """
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(path))
        connection.sendall(message)
        return connection.recv(64)
    return b""


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a server to end now, and make it."""
    if process.poll() is None:
        # To PostgreSQL SIGINT means: roll back, disconnect everybody, end. Redis knows it too.
        process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """A folder that belongs to the user the servers run as."""
    folder = Path(tempfile.mkdtemp(prefix="fastforge-", dir=parent))
    try:
        os.chown(folder, *_owner())
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def memory() -> Path | None:
    """A file system in memory with much room, if there is one: a new database is 300 files.

    On a disk, making and dropping those takes longer than most tests. Containers often have one of
    64 MB, which would soon be full.
    """
    if not os.access(MEMORY, os.W_OK):
        return None
    needed = MEMORY_BYTES_PER_CORE * (os.cpu_count() or 1)  # `pytest -n auto` has as many servers
    return MEMORY if shutil.disk_usage(MEMORY).free > needed else None


def _owner() -> tuple[int, int]:
    """Who the servers run as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            account = pwd.getpwnam(name)
            return account.pw_uid, account.pw_gid
    raise ServerFailed("PostgreSQL refuses to run as root, and there is no user postgres or nobody")


def _unprivileged() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    user, group = _owner()
    return {"user": user, "group": group, "extra_groups": []}


if __name__ == "__main__":
    keep(*sys.argv[1:])
