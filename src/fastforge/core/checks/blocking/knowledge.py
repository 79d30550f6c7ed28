"""Knowledge: what calls give back in the libraries whose calls block, and their other names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from ....observability.replacements import blocking_calls

__all__ = [
    "ATTRIBUTES",
    "CONTAINERS",
    "NAVIGATED",
    "RESULTS",
    "canonical",
    "is_bound_to_a_thread",
    "is_class",
]

_ALIASES: Final = MappingProxyType(
    {
        "MySQLdb.connections.Connection": "dbapi.Connection",
        "argon2._password_hasher.PasswordHasher": "argon2.PasswordHasher",
        "asyncio.events.AbstractEventLoop": "asyncio.AbstractEventLoop",
        "boto3.session.Session": "boto3.Session",
        "builtins.open": "open",
        "concurrent.futures.ProcessPoolExecutor": "concurrent.futures.Executor",
        "concurrent.futures.ThreadPoolExecutor": "concurrent.futures.Executor",
        "ftplib.FTP_TLS": "ftplib.FTP",
        "httpx2": "httpx",
        "io.open": "open",
        "multiprocessing.JoinableQueue": "multiprocessing.Queue",
        "multiprocessing.pool.Pool": "multiprocessing.Pool",
        "multiprocessing.pool.ThreadPool": "multiprocessing.Pool",
        "pathlib.PosixPath": "pathlib.Path",
        "pathlib.WindowsPath": "pathlib.Path",
        "posixpath": "os.path",
        "psycopg2.extensions.connection": "dbapi.Connection",
        "psycopg2.extensions.cursor": "dbapi.Cursor",
        "psycopg2.pool": "psycopg2",
        "pymysql.connections.Connection": "dbapi.Connection",
        "pymysql.cursors.Cursor": "dbapi.Cursor",
        "queue.LifoQueue": "queue.Queue",
        "queue.PriorityQueue": "queue.Queue",
        "queue.SimpleQueue": "queue.Queue",
        "redis.RedisCluster": "redis.Redis",
        "redis.StrictRedis": "redis.Redis",
        "redis.client.Redis": "redis.Redis",
        "redis.cluster.RedisCluster": "redis.Redis",
        "requests.api": "requests",
        "requests.session": "requests.Session",
        "requests.sessions.Session": "requests.Session",
        "smtplib.SMTP_SSL": "smtplib.SMTP",
        "sqlalchemy.engine": "sqlalchemy",
        "sqlalchemy.engine.base": "sqlalchemy",
        "sqlalchemy.orm.query.Query": "sqlalchemy.orm.Query",
        "sqlalchemy.orm.session": "sqlalchemy.orm",
        "sqlmodel.Session": "sqlalchemy.orm.Session",
        "sqlmodel.create_engine": "sqlalchemy.create_engine",
        "threading.BoundedSemaphore": "threading.Semaphore",
        "valkey.Valkey": "redis.Redis",
    }
)

# What a call gives. A class gives itself.
RESULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "MySQLdb.connect": "dbapi.Connection",
        "PIL.Image.new": "PIL.Image.Image",
        "PIL.Image.open": "PIL.Image.Image",
        "asyncio.get_event_loop": "asyncio.AbstractEventLoop",
        "asyncio.get_running_loop": "asyncio.AbstractEventLoop",
        "asyncio.new_event_loop": "asyncio.AbstractEventLoop",
        "asyncio.run_coroutine_threadsafe": "concurrent.futures.Future",
        "boto3.Session.client": "boto3.client",
        "boto3.Session.resource": "boto3.client",
        "boto3.client": "boto3.client",
        "boto3.resource": "boto3.client",
        "bz2.open": "io.IOBase",
        "concurrent.futures.Executor.submit": "concurrent.futures.Future",
        "dbapi.Connection.cursor": "dbapi.Cursor",
        "duckdb.connect": "dbapi.Connection",
        "gzip.open": "io.IOBase",
        "lzma.open": "io.IOBase",
        "mysql.connector.connect": "dbapi.Connection",
        "open": "io.IOBase",
        "oracledb.connect": "dbapi.Connection",
        "paramiko.SSHClient.open_sftp": "paramiko.SFTPClient",
        "pathlib.Path.absolute": "pathlib.Path",
        "pathlib.Path.cwd": "pathlib.Path",
        "pathlib.Path.expanduser": "pathlib.Path",
        "pathlib.Path.home": "pathlib.Path",
        "pathlib.Path.joinpath": "pathlib.Path",
        "pathlib.Path.open": "io.IOBase",
        "pathlib.Path.relative_to": "pathlib.Path",
        "pathlib.Path.resolve": "pathlib.Path",
        "pathlib.Path.with_name": "pathlib.Path",
        "pathlib.Path.with_stem": "pathlib.Path",
        "pathlib.Path.with_suffix": "pathlib.Path",
        "psycopg.Connection.connect": "psycopg.Connection",
        "psycopg.Connection.cursor": "psycopg.Cursor",
        "psycopg.Connection.execute": "psycopg.Cursor",
        "psycopg.connect": "psycopg.Connection",
        "psycopg2.connect": "dbapi.Connection",
        "psycopg_pool.ConnectionPool.connection": "psycopg.Connection",
        "psycopg_pool.ConnectionPool.getconn": "psycopg.Connection",
        "pwdlib.PasswordHash.recommended": "pwdlib.PasswordHash",
        "pymysql.connect": "dbapi.Connection",
        "pyodbc.connect": "dbapi.Connection",
        "redis.Redis.from_url": "redis.Redis",
        "redis.Redis.lock": "redis.lock.Lock",
        "redis.Redis.pipeline": "redis.client.Pipeline",
        "redis.Redis.pubsub": "redis.client.PubSub",
        "redis.from_url": "redis.Redis",
        "smtplib.SMTP": "smtplib.SMTP",
        "socket.create_connection": "socket.socket",
        "sqlalchemy.Engine.begin": "sqlalchemy.Connection",
        "sqlalchemy.Engine.connect": "sqlalchemy.Connection",
        "sqlalchemy.create_engine": "sqlalchemy.Engine",
        "sqlalchemy.orm.Session.connection": "sqlalchemy.Connection",
        "sqlalchemy.orm.Session.query": "sqlalchemy.orm.Query",
        "sqlalchemy.orm.scoped_session": "sqlalchemy.orm.Session",
        "sqlalchemy.orm.sessionmaker": "sqlalchemy.orm.sessionmaker",
        "sqlalchemy.orm.sessionmaker.__call__": "sqlalchemy.orm.Session",
        "sqlalchemy.orm.sessionmaker.begin": "sqlalchemy.orm.Session",
        "sqlite3.Connection.cursor": "sqlite3.Cursor",
        "sqlite3.Connection.execute": "sqlite3.Cursor",
        "sqlite3.connect": "sqlite3.Connection",
        "subprocess.Popen": "subprocess.Popen",
        "tarfile.open": "tarfile.TarFile",
        "zipfile.ZipFile": "zipfile.ZipFile",
    }
)

ATTRIBUTES: Final[Mapping[str, str]] = MappingProxyType(
    {"pathlib.Path.parent": "pathlib.Path", "asyncio.Runner.get_loop": "asyncio.AbstractEventLoop"}
)

NAVIGATED: Final = frozenset({"pymongo.MongoClient", "boto3.client"})
"""Classes whose attributes and items are of the same kind: databases, tables, buckets."""

CONTAINERS: Final = frozenset(
    f"{module}.{name}"
    for module in ("typing", "collections.abc", "builtins")
    for name in ("Iterator", "Iterable", "Generator", "Sequence", "Collection", "List", "Set")
) | {"list", "set", "tuple", "frozenset"}

_ALSO_CLASSES: Final = frozenset(
    {
        *("boto3.Session", "psycopg_pool.ConnectionPool", "sqlalchemy.orm.sessionmaker"),
        *(
            "concurrent.futures.Executor",
            "asyncio.AbstractEventLoop",
            "io.BytesIO",
            "io.StringIO",
            "socket.socket",
        ),
    }
)

_OF_ONE_THREAD: Final = ("sqlalchemy.", "sqlite3.", "dbapi.", "psycopg.", "io.IOBase", "threading.")


def canonical(name: str) -> str:
    """Return the dotted name by which the tables know something that has several."""
    if name in _ALIASES:
        return _ALIASES[name]
    owner, _, last = name.rpartition(".")
    return f"{canonical(owner)}.{last}" if owner else name


@cache
def _classes() -> frozenset[str]:
    owners = {each.name.rpartition(".")[0] for each in blocking_calls()}
    return frozenset(
        owner for owner in owners if owner.rpartition(".")[2].lstrip("_")[:1].isupper()
    )


def is_class(name: str) -> bool:
    """Return whether a dotted name is a class that one of the tables knows."""
    return (name in _classes() or name in _ALSO_CLASSES) and name != "PIL.Image"


def is_bound_to_a_thread(name: str) -> bool:
    """Return whether a call gives, or belongs to, what a single thread should work with."""
    owner = name.rpartition(".")[0]
    return name in RESULTS or is_class(name) or owner.startswith(_OF_ONE_THREAD)
