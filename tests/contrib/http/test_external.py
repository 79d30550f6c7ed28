"""`http.external()`: redirects, sizes, times, certificates, and what a call carries."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import subprocess
import sys
import textwrap
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import get_type_hints

import httpx
import pytest

from fastforge.asgi import get_asgi_application
from fastforge.contrib.http import (
    AnswerRefused,
    Client,
    ExternalClient,
    ExternalHttp,
    ExternalRefused,
    Http,
    UpstreamAway,
    UpstreamLate,
    http_client,
    measured,
)
from fastforge.contrib.http.external import network
from fastforge.contrib.http.external.client import ExternalOptions
from fastforge.contrib.http.external.connections import ExternalConnections
from fastforge.exceptions import ErrorGroup, ForgeError
from fastforge.lifecycle import Role
from fastforge.test import client as served
from tests.folder import ProjectFolder, isolated
from tests.processes import run

from .internet import OTHER, PUBLIC, V6, Internet, Site, answer, leads_to, running

Open = Callable[..., ExternalClient]
URL = "http://public.example/"


# --- redirects -----------------------------------------------------------------------------------


async def test_redirects_are_followed_and_told(external: Open, site: Site, other: Site) -> None:
    site.respond = lambda _: leads_to("http://other.example/there?x=1")
    answered = await external().get(URL)
    assert (answered.text, str(answered.url)) == ("hello", "http://other.example/there?x=1")
    assert [each.status_code for each in answered.history] == [302]
    assert other.requests[0].startswith("GET /there?x=1 ")


async def test_redirects_are_left_to_the_caller_who_says_so(external: Open, site: Site) -> None:
    site.respond = lambda _: leads_to("/there")
    answered = await external().get(URL, follow_redirects=False)
    assert (answered.status_code, answered.headers["location"]) == (302, "/there")


async def test_so_many_redirects_are_followed_and_no_more(external: Open, site: Site) -> None:
    site.respond = lambda _: leads_to("/again")
    with pytest.raises(ExternalRefused) as caught:
        await external(max_redirects=2).get(URL)
    assert (caught.value.code, len(site.requests)) == ("http.E010", 3)


async def test_the_first_url_of_a_chain_that_is_inside_ends_it(
    external: Open, internet: Internet, site: Site, other: Site
) -> None:
    internet.names["inner.example"] = ["10.0.0.7"]
    site.respond = lambda _: leads_to("http://other.example/", status=307)
    other.respond = lambda _: leads_to("http://inner.example/", status=308)
    with pytest.raises(ExternalRefused) as caught:
        await external().post(URL, content=b"body")
    assert caught.value.code == "http.E008"
    assert internet.connected == [(PUBLIC, 80), (OTHER, 80)]


async def test_credentials_stay_with_the_host_they_are_for(
    external: Open, site: Site, other: Site
) -> None:
    site.respond = lambda head: (
        answer() if "/end" in head else leads_to("/end" if "/same" in head else "http://other.example/")
    )  # fmt: skip
    headers = {"x-api-key": "k", "cookie": "a=b", "accept": "text/plain", "x-request-id": "r"}
    auth = ("user", "secret")
    await external().get(f"{URL}same", headers=headers, auth=auth)
    assert site.header("x-api-key") == "k"
    assert site.header("authorization") is not None
    await external().get(URL, headers=headers, auth=auth)
    assert other.header("accept") == "text/plain"
    assert other.header("host") == "other.example"
    for name in ("x-api-key", "cookie", "authorization", "x-request-id"):
        assert other.header(name) is None


async def test_cookies_are_not_kept(external: Open, site: Site) -> None:
    site.respond = lambda _: answer(headers=[("set-cookie", "seen=1; path=/")])
    client = external()
    assert (await client.get(URL)).headers["set-cookie"] == "seen=1; path=/"
    await client.get(URL)
    assert site.header("cookie") is None


# --- sizes ---------------------------------------------------------------------------------------


async def test_an_answer_that_says_that_it_is_too_long_is_not_read(
    external: Open, site: Site
) -> None:
    site.respond = lambda _: b"HTTP/1.1 200 OK\r\ncontent-length: 101\r\n\r\n"
    with pytest.raises(AnswerRefused) as caught:
        await external(max_bytes=100).get(URL)
    assert (caught.value.code, caught.value.status) == ("http.E011", 502)
    site.respond = lambda _: answer(b"x" * 100)
    assert len((await external(max_bytes=100).get(URL)).content) == 100


async def test_an_answer_that_does_not_say_how_long_it_is_is_counted(
    external: Open, site: Site
) -> None:
    site.respond = lambda _: b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000
    with pytest.raises(AnswerRefused):
        await external(max_bytes=100_000).get(URL)
    read = 0
    with pytest.raises(AnswerRefused):
        async with external(max_bytes=100_000).stream("GET", URL) as answered:
            async for part in answered.aiter_bytes():
                read += len(part)
    assert read <= 100_000


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "x-gzip", "raw deflate"])
async def test_encoded_answers_are_decoded(external: Open, site: Site, encoding: str) -> None:
    text = b"0123456789" * 30_000
    packed = {"deflate": zlib.compress(text), "raw deflate": zlib.compress(text)[2:-4]}
    body = packed.get(encoding) or gzip.compress(text[:7]) + gzip.compress(text[7:])
    said = encoding.removeprefix("raw ")
    site.respond = lambda _: answer(body, headers=[("content-encoding", said)])
    answered = await external().get(URL)
    assert answered.content == text
    assert "content-encoding" not in answered.headers
    assert site.header("accept-encoding") == "gzip, deflate"


async def test_a_bomb_is_counted_as_what_it_becomes_and_takes_no_memory(
    external: Open, site: Site
) -> None:
    """100 MB in 100 KB: no more of it is decoded than what may be read."""
    import tracemalloc

    bomb = gzip.compress(b"\0" * 100_000_000)
    site.respond = lambda _: answer(bomb, headers=[("content-encoding", "gzip")])
    tracemalloc.start()
    try:
        with pytest.raises(AnswerRefused) as caught:
            await external(max_bytes=1_000_000).get(URL)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.code == "http.E011"
    assert peak < 8_000_000


@pytest.mark.parametrize("said", ["br", "gzip, gzip", "deflate, gzip", "zstd", "x-unknown"])
async def test_an_encoding_that_was_not_asked_for_is_refused(
    external: Open, site: Site, said: str
) -> None:
    site.respond = lambda _: answer(b"?", headers=[("content-encoding", said)])
    with pytest.raises(AnswerRefused) as caught:
        await external().get(URL)
    assert caught.value.code == "http.E012"


async def test_a_damaged_answer_is_refused_and_one_without_body_is_not(
    external: Open, site: Site
) -> None:
    site.respond = lambda _: answer(b"not gzip", headers=[("content-encoding", "gzip")])
    with pytest.raises(AnswerRefused) as caught:
        await external().get(URL)
    assert caught.value.code == "http.E012"
    site.respond = lambda _: (
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\ncontent-encoding: br\r\n\r\n"
    )
    assert (await external().head(URL)).headers["content-length"] == "99999999"


# --- times ---------------------------------------------------------------------------------------


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a byte whenever the reader is about to lose patience."""
    try:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)
    except ConnectionError:
        return
    finally:
        writer.close()


async def test_a_call_ends_in_all_however_steady_its_drops_fall(
    external: Open, internet: Internet
) -> None:
    dripping = Site()
    dripping.handle = _drip  # type: ignore[method-assign]
    async with running(dripping):
        internet.sites[PUBLIC, 80] = dripping
        with pytest.raises(UpstreamLate) as caught:
            await external(total_timeout_s=0.4, timeout_s=30).get(URL)
        assert (caught.value.code, caught.value.status) == ("http.E013", 504)
        assert isinstance(caught.value, httpx.ReadTimeout)
        with pytest.raises(UpstreamLate):
            async with external(total_timeout_s=0.4).stream("GET", URL, timeout=None) as answered:
                async for _ in answered.aiter_raw():
                    pass


async def test_the_time_for_all_counts_redirects_together(external: Open, site: Site) -> None:
    site.respond = lambda _: leads_to("/again")
    with pytest.raises(UpstreamLate):
        await external(total_timeout_s=0.5, max_redirects=10**6).get(URL)
    assert len(site.requests) > 1


async def test_a_name_that_is_not_looked_up_in_time_is_late(
    external: Open, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(self: Internet, host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(Internet, "addresses", never)
    with pytest.raises(UpstreamLate) as caught:
        await external(connect_timeout_s=0.1).get(URL)
    assert (caught.value.code, internet.connected) == ("http.E002", [])


async def test_connections_are_given_back_however_a_call_ends(
    external: Open, site: Site, internet: Internet
) -> None:
    client = external(connections=1, max_bytes=100, timeout_s=20)
    internet.names["inner.example"] = ["10.0.0.7"]
    bodies = iter([answer(b"x" * 101), leads_to("http://inner.example/"), b"nonsense\r\n\r\n"])
    site.respond = lambda _: next(bodies, answer())
    for kind in (AnswerRefused, ExternalRefused, UpstreamAway):
        with pytest.raises(kind):
            await client.get(URL)
    with pytest.raises(UpstreamAway):
        await client.get("http://nobody.example/")
    async with client.stream("GET", URL):
        pass  # without reading
    cancelled = asyncio.create_task(client.get(URL))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert (await client.get(URL)).text == "hello"


async def test_no_more_connections_are_made_than_there_may_be(external: Open, site: Site) -> None:
    client = external(connections=1, timeout_s=0.1)
    async with client.stream("GET", URL):
        with pytest.raises(UpstreamLate) as caught:
            await client.get(URL)
    assert isinstance(caught.value, httpx.PoolTimeout)


async def test_addresses_are_tried_one_after_the_other(
    external: Open, internet: Internet, site: Site
) -> None:
    internet.names["public.example"] = [V6, OTHER, PUBLIC]
    del internet.sites[OTHER, 80]
    assert (await external().get(URL)).text == "hello"
    assert internet.connected == [(V6, 80), (OTHER, 80), (PUBLIC, 80)]


# --- lists ---------------------------------------------------------------------------------------


async def test_lists_say_which_hosts_are_asked(external: Open) -> None:
    named = external(allow_hosts=["*.example", "public.test"], deny_hosts=["Other.example."])
    assert (await named.get(URL)).status_code == 200
    for url in (
        "http://other.example/",
        "http://example/",
        "http://xexample/",
        f"http://{PUBLIC}/",
    ):
        with pytest.raises(ExternalRefused) as caught:
            await named.get(url)
        assert caught.value.code == "http.E007"


async def test_lists_say_which_networks_are_connected_to(
    external: Open, internet: Internet, site: Site
) -> None:
    internet.names |= {"inner.example": ["10.1.2.3"], "mapped.example": ["::ffff:10.1.2.3"]}
    internet.sites |= {("10.1.2.3", 80): site, ("::ffff:10.1.2.3", 80): site}
    lists = {"allow_networks": ["10.1.0.0/16", "0.0.0.0/0"], "deny_networks": ["93.184.0.0/16"]}
    client = external(**lists)
    for name in ("inner", "mapped"):
        assert (await client.get(f"http://{name}.example/")).text == "hello"
    for url in (URL, "http://169.254.169.254/", "http://168.63.129.16/"):  # keys: whoever allows it
        with pytest.raises(ExternalRefused) as caught:
            await client.get(url)
        assert caught.value.code == "http.E008"


async def test_http_can_be_refused(external: Open) -> None:
    with pytest.raises(ExternalRefused) as caught:
        await external(https_only=True).get(URL)
    assert caught.value.code == "http.E004"


def test_networks_that_are_none_are_refused_where_they_are_written() -> None:
    with pytest.raises(ForgeError, match="allow_networks"):
        _client_of(ExternalHttp()).external(allow_networks=["10.0.0.0/99"])


def test_options_are_the_fields_of_the_setting() -> None:
    fields = set(ExternalHttp.model_fields) - {"max_connections"}
    assert set(get_type_hints(ExternalOptions)) == fields
    with pytest.raises(ErrorGroup) as caught:
        _client_of(ExternalHttp()).external(max_byte=1)  # type: ignore[call-arg]
    assert "did you mean 'max_bytes'?" in str(caught.value)


def _client_of(config: ExternalHttp) -> Client:
    return Client(
        config=Http(), external=config, connections=ExternalConnections(1, Internet({}, {}))
    )


# --- certificates --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    make = [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        "-subj", "/CN=public.example", "-addext", "subjectAltName=DNS:public.example",
        "-keyout", "key", "-out", "certificate",
    ]  # fmt: skip
    subprocess.run(make, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
async def secure(
    certificate: Path, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "certificate"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate / "certificate", certificate / "key")
    async with running(Site(), tls) as site:
        internet.sites |= {(PUBLIC, 443): site, (OTHER, 443): site}
        yield site


async def test_certificates_are_those_of_the_name(external: Open, secure: Site) -> None:
    """The connection is to an address; its name is what TLS asks for and compares."""
    assert (await external().get("https://public.example/")).text == "hello"
    assert (secure.server_names, secure.header("host")) == (["public.example"], "public.example")
    for url in ("https://other.example/", f"https://{PUBLIC}/"):
        # Nor can a caller ask TLS for another one.
        with pytest.raises(UpstreamAway, match="CERTIFICATE_VERIFY_FAILED"):
            await external().get(url, extensions={"sni_hostname": "public.example"})
    assert len(secure.requests) == 1


async def test_https_does_not_lead_to_http_and_http_leads_to_https(
    external: Open, secure: Site, site: Site
) -> None:
    secure.respond = lambda _: leads_to("http://other.example/")
    with pytest.raises(ExternalRefused) as caught:
        await external().get("https://public.example/")
    assert caught.value.code == "http.E009"
    secure.respond = lambda _: answer(b"safe")
    site.respond = lambda _: leads_to("https://public.example/")
    answered = await external().get(URL, headers={"x-api-key": "k"})
    assert (answered.text, secure.header("x-api-key")) == ("safe", "k")


# --- in a project --------------------------------------------------------------------------------

SHOP = {
    "shop/settings.py": """
        from fastforge.contrib.http import ExternalHttp

        INSTALLED_APPS = ["fastforge.contrib.http", "shop.orders"]
        EXTERNAL_HTTP = ExternalHttp(max_bytes=1000)
        """,
    "shop/orders/routes.py": """
        from fastapi import APIRouter
        from fastforge.contrib.http import HttpClient

        router = APIRouter()

        @router.get("/ask")
        async def ask(url: str, http: HttpClient, propagate: bool = False) -> str:
            external = http.external(propagate=True) if propagate else http.external()
            return (await external.get(url)).text
        """,
}


@pytest.fixture
async def shop(
    tmp_path: Path, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ProjectFolder]:
    monkeypatch.setattr(network, "SystemNetwork", lambda: internet)
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        yield folder


async def test_a_request_that_is_led_inside_is_answered_without_an_address(
    shop: ProjectFolder, internet: Internet, site: Site
) -> None:
    internet.names["inner.example"] = ["10.1.2.3"]
    async with served(get_asgi_application(shop.load())) as client:
        refused = await client.get("/ask", params={"url": "http://inner.example/"})
        assert (refused.status_code, refused.json()["code"]) == (422, "http.E008")
        assert "10.1.2.3" not in refused.text
        site.respond = lambda _: answer(b"x" * 1001)
        refused = await client.get("/ask", params={"url": URL})
        assert (refused.status_code, refused.json()["code"]) == (502, "http.E011")


async def test_calls_carry_no_id_unless_that_is_asked_for(shop: ProjectFolder, site: Site) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with served(get_asgi_application(shop.load())) as client:
        asked = await client.get("/ask", params={"url": URL}, headers={"traceparent": trace})
        assert asked.status_code == 200
        assert (site.header("x-request-id"), site.header("traceparent")) == (None, None)
        params = {"url": URL, "propagate": "true"}
        asked = await client.get("/ask", params=params, headers={"traceparent": trace})
        assert site.header("x-request-id") == asked.headers["x-request-id"]
        assert str(site.header("traceparent")).split("-")[1] == trace.split("-")[1]


async def test_proxies_of_the_environment_are_not_asked(
    shop: ProjectFolder, site: Site, other: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{other.port}")
    async with shop.load().running(Role.COMMAND) as container:
        external = container[http_client].external()
        assert (await external.get(URL)).text == "hello"
    assert (len(site.requests), other.requests) == (1, [])


async def test_each_is_a_client_of_its_own_that_nobody_has_to_close(
    shop: ProjectFolder, site: Site
) -> None:
    async with shop.load().running(Role.COMMAND) as container:
        http = container[http_client]
        async with http.external(max_bytes=5) as external:
            external.headers["authorization"] = "Bearer mine"
            assert (await external.get(URL)).text == "hello"
            assert site.header("authorization") == "Bearer mine"
        assert (await external.get(URL)).text == "hello"
        await http.external().get(URL)
        assert site.header("authorization") is None
        assert (await http.external().request("POST", URL, json=[])).status_code == 200


async def test_hosts_of_others_are_one_in_the_metric_of_calls(
    shop: ProjectFolder, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever gives us URLs fills it until services of our own are told apart no longer."""
    counted: list[tuple[str, ...]] = []

    class Meter:
        def record(self, metric: object, *labels: str, value: float) -> None:
            counted.append(labels)

    monkeypatch.setattr(measured, "is_exported", lambda _: True)
    monkeypatch.setattr(measured, "meter_of", lambda _: Meter())
    async with shop.load().running(Role.COMMAND) as container:
        external = container[http_client].external()
        await external.get(URL)
        with pytest.raises(UpstreamAway):
            await external.get("http://nobody.example/")
    assert counted == [("GET", "external", "200"), ("GET", "external", "")]


def test_the_end_of_a_process_does_not_wait_for_a_name(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text('INSTALLED_APPS = ["fastforge.contrib.http"]')
    script = """
        import asyncio, socket, time
        from fastforge import Project, Role
        from fastforge.contrib.http import UpstreamLate, http_client

        async def main():
            async with Project.load("settings").running(Role.COMMAND) as container:
                socket.getaddrinfo = lambda *arguments, **options: time.sleep(3600)
                try:
                    await container[http_client].external(connect_timeout_s=0.1).get("http://a.b/")
                except UpstreamLate as late:
                    print(late.code)

        asyncio.run(main())
        """
    done = run([sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path)
    assert (done.stdout, done.returncode) == ("http.E002\n", 0), done.stderr


def test_a_start_imports_nothing_that_makes_connections(tmp_path: Path) -> None:
    """Few processes call others, and reading that takes longer than all else of the client."""
    (tmp_path / "settings.py").write_text('INSTALLED_APPS = ["fastforge.contrib.http"]')
    script = """
        import asyncio, sys
        from fastforge import Project, Role
        from fastforge.contrib.http import http_client

        async def main():
            async with Project.load("settings").running(Role.COMMAND) as container:
                container[http_client].external()

        asyncio.run(main())
        print({"httpcore", "h11"} & {*sys.modules})
        """
    done = run([sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path)
    assert (done.stdout, done.returncode) == ("set()\n", 0), done.stderr
