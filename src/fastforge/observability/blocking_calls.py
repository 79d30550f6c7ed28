"""Blocking calls: functions and methods that block, by cause, with what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

__all__ = ["EVERY", "GROUPS", "Cause"]

Cause: TypeAlias = Literal["network", "wait", "files", "processor", "loop"]
"""Why it blocks: it waits for another machine; for time, a lock, a thread or another process; for
a disk; it computes; or it wants an event loop of its own, which there cannot be."""

EVERY: Final = "*"
"""Stands for every public method of a class but those that stand behind it with a minus."""

_HTTP: Final = "get post put patch delete head options request"
_QUERIES: Final = "execute executemany executescript fetchone fetchmany fetchall commit rollback"
_FILE: Final = "read readline readlines readinto read1 write writelines flush truncate"
_LOCK: Final = "acquire wait wait_for"
_JOIN: Final = "join"
_SOCKET: Final = "connect accept recv recv_into recvfrom sendall sendto sendfile"
_MAIL: Final = "connect login send_message sendmail starttls quit"
_SCHEDULED: Final = "run run_until_complete run_forever"

# Cause, what to write instead, and the calls by what they belong to.
GROUPS: Final[tuple[tuple[Cause, str, Mapping[str, str]], ...]] = (
    # HTTP
    (
        "network",
        "await http.{call}(...) with HttpClient",
        {"requests": _HTTP, "requests.Session": _HTTP, "httpx": _HTTP, "httpx.Client": _HTTP},
    ),
    (
        "network",
        "await http.send(...) with HttpClient",
        {"requests.Session": "send", "httpx.Client": "send"},
    ),
    (
        "network",
        "async with http.stream(...) with HttpClient",
        {"httpx": "stream", "httpx.Client": "stream"},
    ),
    (
        "network",
        "await http.get(...) with HttpClient",
        {
            "urllib.request": "urlopen urlretrieve",
            "urllib.request.OpenerDirector": "open",
            "urllib3": "request",
            "urllib3.PoolManager": "request urlopen",
            "http.client.HTTPConnection": "connect request getresponse",
            "http.client.HTTPSConnection": "connect request getresponse",
        },
    ),
    # Databases
    (
        "network",
        "await db.{call}(...) with DbSession",
        {
            "sqlalchemy.orm.Session": "execute scalar scalars get get_one commit rollback flush"
            " refresh merge query delete connection bulk_save_objects bulk_insert_mappings"
            " bulk_update_mappings",
        },
    ),
    (
        "network",
        "a DbSession, which is asynchronous",
        {
            "sqlalchemy.Engine": "connect begin raw_connection",
            "sqlalchemy.Connection": "execute scalar scalars exec_driver_sql commit rollback",
            "sqlalchemy.orm.Query": "all first one one_or_none scalar count get delete update",
            "sqlalchemy.MetaData": "create_all drop_all reflect",
        },
    ),
    (
        "network",
        "await psycopg.AsyncConnection.connect(...)",
        {"psycopg": "connect", "psycopg.Connection": "connect"},
    ),
    (
        "network",
        "a DbSession, or psycopg.AsyncConnection",
        {
            "psycopg.Connection": f"{_QUERIES} wait",
            "psycopg.Cursor": f"{_QUERIES} stream",
            "psycopg2": "connect",
            "psycopg_pool.ConnectionPool": "connection getconn open wait",
        },
    ),
    (
        "network",
        "a DbSession, or an asynchronous driver",
        {
            "dbapi.Connection": f"{_QUERIES} ping",
            "dbapi.Cursor": f"{_QUERIES} callproc",
            "pymysql": "connect",
            "MySQLdb": "connect",
            "mysql.connector": "connect",
            "oracledb": "connect",
            "pyodbc": "connect",
        },
    ),
    (
        "files",
        "a DbSession, or aiosqlite",
        {
            "sqlite3": "connect",
            "sqlite3.Connection": f"{_QUERIES} backup",
            "sqlite3.Cursor": _QUERIES,
            "duckdb": "connect sql query execute",
        },
    ),
    (
        "network",
        "pymongo.AsyncMongoClient",
        {
            "pymongo.MongoClient": "aggregate bulk_write command count_documents create_index"
            " delete_many delete_one distinct drop drop_database estimated_document_count find"
            " find_one find_one_and_delete find_one_and_replace find_one_and_update insert_many"
            " insert_one list_collection_names list_database_names rename replace_one server_info"
            " update_many update_one watch",
        },
    ),
    (
        "network",
        "await redis.{call}(...) with RedisClient",
        {
            "redis.Redis": f"{EVERY} -pipeline -transaction -lock -pubsub -register_script"
            " -from_url -get_encoder -get_connection_kwargs -set_response_callback",
        },
    ),
    (
        "network",
        "a RedisClient, which is asynchronous",
        {
            "redis.Redis": "transaction",
            "redis.client.Pipeline": "execute watch unwatch immediate_execute_command",
            "redis.client.PubSub": "subscribe psubscribe unsubscribe listen get_message",
            "redis.lock.Lock": "acquire release extend reacquire",
        },
    ),
    # Other machines
    (
        "network",
        "",
        {
            "boto3": "client resource",
            "boto3.Session": "client resource",
            "boto3.client": f"{EVERY} -get_paginator -get_waiter -can_paginate -close"
            " -generate_presigned_url -generate_presigned_post",
            "smtplib": "SMTP SMTP_SSL",
            "smtplib.SMTP": _MAIL,
            "ftplib": "FTP FTP_TLS",
            "ftplib.FTP": f"{EVERY} -set_debuglevel -set_pasv",
            "imaplib": "IMAP4 IMAP4_SSL",
            "poplib": "POP3 POP3_SSL",
            "paramiko.SSHClient": "connect exec_command open_sftp invoke_shell",
            "paramiko.SFTPClient": f"{EVERY} -close",
            "pika": "BlockingConnection",
            "ldap3.Connection": "bind search add modify",
        },
    ),
    (
        "network",
        "await loop.{call}(...)",
        {"socket": "getaddrinfo getnameinfo"},
    ),
    (
        "network",
        "await loop.getaddrinfo(...)",
        {"socket": "gethostbyname gethostbyname_ex gethostbyaddr getfqdn"},
    ),
    ("network", "await asyncio.open_connection(...)", {"socket": "create_connection"}),
    ("network", "await loop.sock_{call}(...)", {"socket.socket": _SOCKET}),
    (
        "network",
        "asyncio.open_connection(...)",
        {
            "socket.socket": "send recvmsg makefile",
            "ssl.SSLSocket": f"{_SOCKET} send recvmsg read write do_handshake",
        },
    ),
    # Time, locks, threads, other processes
    ("wait", "await asyncio.sleep(...)", {"time": "sleep"}),
    ("wait", "await asyncio.create_subprocess_exec(...)", {"subprocess": "Popen"}),
    (
        "wait",
        "await anyio.run_process(...)",
        {
            "subprocess": "run call check_call check_output getoutput getstatusoutput",
            "subprocess.Popen": "wait communicate",
            "os": "system popen wait wait3 wait4 waitpid waitid spawnl spawnv spawnlp spawnvp",
        },
    ),
    ("wait", "", {"": "input", "builtins": "input"}),
    ("wait", "an asyncio.Lock", {"threading.Lock": _LOCK, "threading.RLock": _LOCK}),
    ("wait", "an asyncio.Semaphore", {"threading.Semaphore": _LOCK}),
    ("wait", "an asyncio.Condition", {"threading.Condition": _LOCK}),
    ("wait", "an asyncio.Event", {"threading.Event": "wait"}),
    ("wait", "an asyncio.Barrier", {"threading.Barrier": "wait"}),
    ("wait", "an asyncio.Queue", {"queue.Queue": f"get {_JOIN}"}),
    (
        "wait",
        "await asyncio.wrap_future(future)",
        {"concurrent.futures.Future": "result exception"},
    ),
    ("wait", "await asyncio.wait(...)", {"concurrent.futures": "wait as_completed"}),
    (
        "wait",
        "",
        {
            "concurrent.futures.Executor": "shutdown map",
            "threading.Thread": _JOIN,
            "multiprocessing.Process": _JOIN,
            "multiprocessing.Pool": f"{_JOIN} apply map starmap",
            "multiprocessing.Queue": "get",
            "multiprocessing.Connection": "recv send",
            "select": "select",
            "signal": "pause sigwait",
        },
    ),
    # Disks
    ("files", "await anyio.open_file(...)", {"": "open", "builtins": "open", "io": "open"}),
    (
        "files",
        "",
        {
            "io": "open_code",
            **dict.fromkeys(
                (
                    *("io.IOBase", "io.FileIO", "io.TextIOWrapper", "io.BufferedReader"),
                    *("io.BufferedWriter", "io.BufferedRandom"),
                ),
                _FILE,
            ),
            "pathlib.Path": "open read_text read_bytes write_text write_bytes stat lstat exists"
            " is_file is_dir is_symlink is_mount iterdir glob rglob walk mkdir rmdir touch unlink"
            " rename replace chmod symlink_to hardlink_to readlink samefile owner group copy move"
            " copy_into move_into",
            "os": "stat lstat listdir scandir walk mkdir makedirs remove unlink rename renames"
            " replace rmdir removedirs link symlink readlink chmod chown utime truncate fsync"
            " access statvfs",
            "os.path": "exists lexists isfile isdir islink ismount getsize getmtime getatime"
            " getctime samefile",
            "shutil": "copy copy2 copyfile copyfileobj copymode copystat copytree move rmtree"
            " disk_usage which make_archive unpack_archive chown",
            "glob": "glob iglob",
            "tempfile": "TemporaryDirectory NamedTemporaryFile TemporaryFile mkstemp mkdtemp",
            "zipfile": "ZipFile",
            "zipfile.ZipFile": "read write writestr extract extractall open testzip",
            "tarfile": "open",
            "tarfile.TarFile": "add addfile extract extractall extractfile getmembers getnames",
            **dict.fromkeys(("gzip", "bz2", "lzma"), "open"),
            "fileinput": "input",
            "pandas": "read_csv read_excel read_json read_parquet read_sql read_html read_feather"
            " read_pickle read_xml read_table",
            "PIL.Image": "open",
        },
    ),
    # Processors
    (
        "processor",
        "",
        {
            "hashlib": "pbkdf2_hmac scrypt file_digest",
            "bcrypt": "hashpw checkpw kdf",
            "argon2.PasswordHasher": "hash verify",
            "argon2.low_level": "hash_secret hash_secret_raw verify_secret",
            "pwdlib.PasswordHash": "hash verify verify_and_update",
            "passlib.context.CryptContext": "hash verify verify_and_update encrypt",
            **dict.fromkeys(
                (
                    *("passlib.hash.bcrypt", "passlib.hash.argon2", "passlib.hash.scrypt"),
                    *("passlib.hash.pbkdf2_sha256", "passlib.hash.pbkdf2_sha512"),
                    *("passlib.hash.sha256_crypt", "passlib.hash.sha512_crypt"),
                ),
                "hash verify encrypt",
            ),
            "werkzeug.security": "generate_password_hash check_password_hash",
            "PIL.Image.Image": "save resize thumbnail convert rotate filter transform",
            **dict.fromkeys(("gzip", "bz2", "lzma"), "compress decompress"),
        },
    ),
    # An event loop in an event loop
    ("loop", "await it", {"asyncio": "run", "anyio": "run", "uvloop": "run", "trio": "run"}),
    ("loop", "await it", {"asyncio.Runner": "run", "asyncio.AbstractEventLoop": _SCHEDULED}),
    ("loop", "await it", {"anyio.from_thread": "run"}),
    ("loop", "call it", {"anyio.from_thread": "run_sync"}),
)
