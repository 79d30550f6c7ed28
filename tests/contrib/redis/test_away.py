"""Redis is away, or is not as the settings say: one clear error each, and it comes back."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from redis import exceptions

from fastforge.contrib.redis import Redis, open_client
from fastforge.contrib.redis.errors import RedisAway, RedisLate, RedisRefused
from fastforge.contrib.redis.library import Client
from fastforge.contrib.redis.resources import breaker_of
from fastforge.contrib.redis.unavailable import unavailable
from fastforge.test.proxy import Proxy
from tests import services
from tests.processes import wait_until_async

LOGGER = "fastforge.lifecycle"
SUBJECT = "/CN=localhost"


@pytest.fixture
def server() -> Iterator[services.Server]:
    """A server whose settings a test may change."""
    server = services.start(
        *("redis", "--enable-debug-command", "yes"),
        *("--loading-process-events-interval-bytes", "1024"),
    )
    yield server
    server.close()


async def told(url: str, **limits: float) -> str:
    """Connect, and return what it is told."""
    config = Redis.model_validate({"url": url, **limits})
    client = open_client(config, retries=0)
    try:
        await client.ping()
    except (exceptions.RedisError, OSError) as error:
        return str(unavailable(config, error))
    finally:
        await client.aclose()
    return ""


async def test_one_line_tells_that_it_is_away_and_one_that_it_is_back(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", LOGGER)

    def lines() -> list[str]:
        return [each.getMessage() for each in caplog.records if each.name == LOGGER]

    async def answers() -> bool:
        try:
            return bool(await client.ping())
        except RedisRefused:
            return False

    with Proxy(redis_url) as proxy:
        config = Redis(url=proxy.url, read_timeout_s=0.1, connect_timeout_s=0.1)
        client = open_client(config, breaker=breaker_of(config))
        await client.ping()
        proxy.refuse()
        proxy.reset()
        for _ in range(20):
            with pytest.raises(exceptions.ConnectionError):
                await client.ping()
        (away,) = lines()
        assert away.startswith("the breaker 'redis' is open: [redis.E001] Redis at ")
        assert "nothing listens there" in away
        proxy.heal()
        await wait_until_async(answers)
        await client.ping()
        assert len(lines()) == 2
        assert lines()[1].startswith("the breaker 'redis' is closed")
        proxy.blackhole()
        for _ in range(20):
            with pytest.raises(exceptions.RedisError):
                await client.ping()
        assert len(lines()) == 3
        assert "0.1 s" in lines()[-1]
        proxy.heal()
        await wait_until_async(answers)
        assert len(lines()) == 4
        await client.aclose()


async def test_while_it_is_silent_commands_wait_a_few_times_and_then_not_at_all(
    redis_url: str,
) -> None:
    with Proxy(redis_url) as proxy:
        config = Redis(url=proxy.url, read_timeout_s=0.1, connect_timeout_s=0.1)
        breaker = breaker_of(config)
        client = open_client(config, breaker=breaker)
        await client.ping()
        proxy.blackhole()
        ends = [await end_of(client) for _ in range(50)]
        waited = [each for each in ends if not isinstance(each, RedisRefused)]
        assert {*map(type, waited)} == {RedisLate}
        assert 5 <= len(waited) < 10
        assert breaker.refused == len(ends) - len(waited)
        await client.aclose()


async def test_an_error_of_a_command_is_an_answer(redis_url: str) -> None:
    config = Redis(url=redis_url)
    breaker = breaker_of(config)
    client = open_client(config, breaker=breaker)
    breaker.failed(TimeoutError())
    with pytest.raises(exceptions.ResponseError):
        await client.execute_command("NO SUCH COMMAND")
    assert not breaker.is_troubled
    await client.aclose()


async def test_connections_that_a_restart_has_cut_do_not_count(redis_url: str) -> None:
    """The next commands make new ones: whether Redis is away shows there."""
    with Proxy(redis_url) as proxy, redis.Redis.from_url(redis_url) as admin:
        config = Redis(url=proxy.url, max_connections=20, read_timeout_s=30)
        breaker = breaker_of(config)
        client = open_client(config, breaker=breaker)
        for _ in range(3):
            waiting = [asyncio.ensure_future(client.blpop(["none"], 20)) for _ in range(20)]
            await wait_until_async(lambda: int(admin.info("clients")["blocked_clients"]) >= 20)
            proxy.reset()
            ends = await asyncio.gather(*waiting, return_exceptions=True)
            assert {*map(type, ends)} <= {RedisAway, type(None)}  # redis-py 6 sends it again
            assert await asyncio.gather(*(client.ping() for _ in range(20)))
        assert breaker.opened == 0
        await client.aclose()


async def end_of(client: Client) -> Exception | None:
    """How a ping ends."""
    try:
        await client.ping()
    except (RedisAway, RedisLate, RedisRefused) as error:
        return error
    return None


async def test_a_wrong_password_and_a_missing_one_are_told(server: services.Server) -> None:
    with redis.Redis.from_url(server.url) as admin:
        admin.config_set("requirepass", "hunter2")
    host = urlsplit(server.url).netloc
    assert not await told(f"redis://:hunter2@{host}/0")
    for wrong in (f"redis://:hunter3@{host}/0", f"redis://{host}/0", f"redis://u:p@{host}/0"):
        text = await told(wrong)
        assert "the user or password is wrong" in text
        assert "hunter" not in text


async def test_a_database_that_is_not_there_is_told(redis_url: str) -> None:
    host = urlsplit(redis_url).netloc
    assert not await told(f"redis://{host}/15")
    assert "the server has no database of that number" in await told(f"redis://{host}/99")


async def test_a_server_that_reads_its_data_is_told_and_then_used(server: services.Server) -> None:
    with redis.Redis.from_url(server.url) as admin:
        for number in range(100):
            admin.set(str(number), "x" * 2000)
        admin.config_set("key-load-delay", 30_000)
        reloading = threading.Thread(target=admin.execute_command, args=("DEBUG", "RELOAD"))
        reloading.start()
        try:
            texts: list[str] = []

            async def is_loading() -> bool:
                texts.append(await told(server.url))
                return bool(texts[-1])

            await wait_until_async(is_loading)
            assert "the server is reading its data" in texts[-1]
        finally:
            reloading.join()
    assert not await told(server.url)


async def test_a_host_that_is_not_known_and_a_port_on_which_nobody_listens_are_told() -> None:
    assert "the host name is unknown" in await told("redis://redis.invalid:6379/0")
    nobody = f"redis://127.0.0.1:{services.free_port()}/0"
    assert "nothing listens there" in await told(nobody)
    assert "nothing listens there" in await told("unix:///tmp/fastforge-no-such-socket")


async def test_a_unix_socket_serves(server: services.Server) -> None:
    with redis.Redis.from_url(server.url) as admin:
        folder = admin.config_get("dir")["dir"]
    assert not await told(f"unix://{folder}/socket?db=3")


@dataclass(frozen=True, kw_only=True)
class Certified:
    """Where it speaks TLS, and what trusts it."""

    port: int
    trust: str


@pytest.fixture
def certified(server: services.Server) -> Certified:
    """The server with a certificate for `localhost`, signed by a certificate authority of ours."""
    with redis.Redis.from_url(server.url) as admin:
        folder = Path(admin.config_get("dir")["dir"])  # which it may read
    openssl = ("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-sha256")
    ca = ("-x509", "-days", "2", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Test CA")
    own = ("-keyout", "own.key", "-out", "own.csr", "-subj", SUBJECT)
    sign = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
    named = ("-extfile", "names")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    for argv in (
        (*openssl, *ca),
        (*openssl, *own),
        ("openssl", "x509", "-req", "-in", "own.csr", "-out", "own.crt", *sign, *named),
    ):
        subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    for name in ("own.key", "own.crt", "ca.crt"):
        (folder / name).chmod(0o644)
    port = services.free_port()
    with redis.Redis.from_url(server.url) as admin:
        for name, value in {
            "tls-cert-file": folder / "own.crt",
            "tls-key-file": folder / "own.key",
            "tls-ca-cert-file": folder / "ca.crt",
            "tls-auth-clients": "no",
            "tls-port": port,
        }.items():
            admin.config_set(name, str(value))
    return Certified(port=port, trust=f"ssl_ca_certs={folder}/ca.crt")


async def test_tls_needs_the_authority_and_the_name(certified: Certified) -> None:
    port, trust = certified.port, certified.trust
    assert not await told(f"rediss://localhost:{port}/0?{trust}")
    assert "its certificate is not trusted" in await told(f"rediss://localhost:{port}/0")
    other = await told(f"rediss://127.0.0.1:{port}/0?{trust}")
    assert "its certificate is not trusted" in other
    assert not await told(f"rediss://127.0.0.1:{port}/0?{trust}&ssl_check_hostname=false")
    assert not await told(f"rediss://127.0.0.1:{port}/0?ssl_cert_reqs=none")
    assert "TLS needs rediss://" in await told(f"redis://127.0.0.1:{port}/0")


async def test_tls_where_there_is_none_is_told(server: services.Server) -> None:
    host = urlsplit(server.url).netloc
    text = await told(f"rediss://{host}/0", connect_timeout_s=0.5)
    assert "a server that does not speak TLS needs redis://" in text


async def test_limits_hold_through_tls_too(certified: Certified) -> None:
    with Proxy(("127.0.0.1", certified.port)) as proxy:
        _, port = proxy.address
        url = f"rediss://localhost:{port}/0?{certified.trust}"
        client = open_client(Redis(url=url, read_timeout_s=0.3))
        await client.set("n", 1)
        proxy.blackhole()
        with pytest.raises(exceptions.TimeoutError):
            await client.get("n")
        proxy.heal()
        assert await client.get("n") == b"1"
        await client.aclose()
