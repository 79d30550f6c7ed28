"""URLs by which an inner network was reached elsewhere: none is asked, and each by its rule."""

# ruff: noqa: RUF001 - the digits of other alphabets are meant
from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastforge.contrib.http import ExternalClient, ExternalHttp, ExternalRefused, UpstreamAway
from fastforge.contrib.http.external import network
from fastforge.contrib.http.external.addresses import address_of, special_use
from fastforge.contrib.http.external.connections import ExternalConnections
from fastforge.contrib.http.external.network import SystemNetwork
from fastforge.exceptions import ForgeError

from .internet import PUBLIC, V6, Internet, NameServer, Site, answer, leads_to, look_up

Open = Callable[..., ExternalClient]
FORM, SCHEME, USER, PORT, ADDRESS = "http.E003", "http.E004", "http.E005", "http.E006", "http.E008"

CORPUS = {
    # addresses in the usual form
    "http://127.0.0.1/": ADDRESS,
    "http://127.255.255.254/": ADDRESS,
    "http://0.0.0.0/": ADDRESS,
    "http://10.0.0.1/": ADDRESS,
    "http://172.16.0.1/": ADDRESS,
    "http://192.168.0.1/": ADDRESS,
    "http://169.254.169.254/latest/meta-data/": ADDRESS,
    "http://100.100.100.200/latest/": ADDRESS,
    "http://100.64.0.1/": ADDRESS,
    "http://168.63.129.16/": ADDRESS,
    "http://224.0.0.1/": ADDRESS,
    "http://255.255.255.255/": ADDRESS,
    "https://127.0.0.1/": ADDRESS,
    # the same number, written otherwise
    "http://2130706433/": FORM,
    "http://017700000001/": FORM,
    "http://0x7f000001/": FORM,
    "http://0x7f.0x0.0x0.0x1/": FORM,
    "http://0177.0.0.1/": FORM,
    "http://0177.0x0.0.1/": FORM,
    "http://127.1/": FORM,
    "http://127.0.1/": FORM,
    "http://0/": FORM,
    "http://127.0.0.1./": FORM,
    "http://2130706433./": FORM,
    "http://127.0.0.0x1/": FORM,
    "http://0x/": FORM,
    "http://256.256.256.256/": FORM,
    "http://99999999999/": FORM,
    # digits and dots of other alphabets
    "http://１２７.０.０.１/": FORM,
    "http://①②⑦.⓪.⓪.①/": FORM,
    "http://127。0。0。1/": ADDRESS,
    "http://127．0．0．1/": ADDRESS,
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/": FORM,
    # IPv6, and IPv4 within it
    "http://[::1]/": ADDRESS,
    "http://[::]/": ADDRESS,
    "http://[0:0:0:0:0:0:0:1]/": ADDRESS,
    "http://[::ffff:127.0.0.1]/": ADDRESS,
    "http://[::ffff:7f00:1]/": ADDRESS,
    "http://[::ffff:169.254.169.254]/": ADDRESS,
    "http://[::127.0.0.1]/": ADDRESS,
    "http://[64:ff9b::7f00:1]/": ADDRESS,
    "http://[64:ff9b::10.0.0.1]/": ADDRESS,
    "http://[2002:7f00:1::]/": ADDRESS,
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/": ADDRESS,
    "http://[fd00:ec2::254]/latest/meta-data/": ADDRESS,
    "http://[fe80::1]/": ADDRESS,
    "http://[fe80::1%25lo]/": FORM,
    "http://[fe80::1%lo]/": FORM,
    "http://[::1%251]/": FORM,
    "http://[fc00::1]/": ADDRESS,
    "http://[ff02::1]/": ADDRESS,
    "http://[::1/": FORM,
    # names
    "http://localhost/": ADDRESS,
    "http://LOCALHOST/": ADDRESS,
    "http://localhost./": ADDRESS,
    "http://localhost../": FORM,
    "http://inner.example/": ADDRESS,
    "http://mixed.example/": ADDRESS,
    "http://mapped.example/": ADDRESS,
    "http://metadata.google.internal/computeMetadata/v1/": ADDRESS,
    "http://%6c%6f%63%61%6c%68%6f%73%74/": FORM,
    "http://local\u00adhost/": FORM,
    "http://-public.example/": FORM,
    "http://public..example/": FORM,
    "http://public.example%00.other.example/": FORM,
    "http:///": SCHEME,
    "http://" + "a." * 200 + "example/": FORM,
    # who is asked, and what is said to be
    "http://public.example@127.0.0.1/": USER,
    "http://public.example:80@127.0.0.1/": USER,
    "http://user:secret@public.example/": USER,
    "http://127.0.0.1\\@public.example/": USER,
    "http://127.0.0.1#@public.example/": ADDRESS,
    "http://127.0.0.1?@public.example/": ADDRESS,
    "http://public.example\t.inner.example/": FORM,
    "http://public.example\r\nHost: inner.example/": FORM,
    "http://public.example /": FORM,
    # ports and schemes
    "http://public.example:22/": PORT,
    "http://public.example:6379/": PORT,
    "https://public.example:8443/": PORT,
    "http://public.example:0/": PORT,
    "http://public.example:65616/": PORT,
    "http://public.example:80a/": FORM,
    "file:///etc/passwd": SCHEME,
    "file://public.example/etc/passwd": SCHEME,
    "gopher://127.0.0.1:6379/_FLUSHALL": SCHEME,
    "dict://127.0.0.1:11211/stats": SCHEME,
    "ftp://public.example/": SCHEME,
    "ldap://127.0.0.1/": SCHEME,
    "jar:http://public.example!/": SCHEME,
    "data:text/plain,hello": SCHEME,
    "javascript:alert(1)": SCHEME,
    "unix:///var/run/docker.sock": SCHEME,
    "ws://public.example/": SCHEME,
    "//public.example/": SCHEME,
    "public.example": SCHEME,
    "/inner": SCHEME,
    "": SCHEME,
}
INNER = {
    "localhost": ["127.0.0.1", "::1"],
    "localhost.": ["127.0.0.1"],
    "inner.example": ["10.1.2.3"],
    "mixed.example": [PUBLIC, "10.1.2.3"],
    "mapped.example": ["::ffff:10.1.2.3"],
    "metadata.google.internal": ["169.254.169.254"],
}


@pytest.mark.parametrize("url", CORPUS)
async def test_a_url_that_leads_inside_is_not_asked(
    url: str, external: Open, internet: Internet
) -> None:
    internet.names |= INNER
    with pytest.raises(ExternalRefused) as caught:
        await external().get(url)
    assert caught.value.code == CORPUS[url], caught.value
    assert internet.connected == []


# What no header can say, or means a path of the site itself.
NO_LOCATION = ("//public.example/", "public.example", "/inner", "")


def _is_no_location(url: str) -> bool:
    return url in NO_LOCATION or "\r" in url


@pytest.mark.parametrize("url", [url for url in CORPUS if not _is_no_location(url)])
async def test_nor_is_it_when_a_public_site_leads_to_it(
    url: str, external: Open, internet: Internet, site: Site
) -> None:
    internet.names |= INNER
    site.respond = lambda _: leads_to(url)
    with pytest.raises(ExternalRefused) as caught:
        await external(max_redirects=3).get("http://public.example/")
    assert isinstance(caught.value, ForgeError)
    assert set(internet.connected) == {(PUBLIC, 80)}


@pytest.mark.parametrize("url", ["http://inner.example/", "http://mixed.example/"])
async def test_what_is_told_names_the_rule_and_no_inner_address(
    url: str, external: Open, internet: Internet, caplog: pytest.LogCaptureFixture
) -> None:
    internet.names |= INNER
    caplog.set_level("INFO", "fastforge.http")
    with pytest.raises(ExternalRefused) as caught:
        await external().get(url)
    error = caught.value
    assert (error.code, error.status) == (ADDRESS, 422)
    assert "10.1.2.3" not in f"{error} {error.__dict__} {error.__cause__} {error.__context__}"
    assert "10.1.2.3 is private" in caplog.text  # the log of the process says it
    assert isinstance(error, httpx.RequestError)  # who handles httpx's errors has handled it
    assert error.request.url == url


@pytest.mark.parametrize(
    "url",
    ["http://public.example/", "http://PUBLIC.example:80/", "http://public.example./",
     f"http://{PUBLIC}/", f"http://[{V6}]/", "http://bücher.example/", "http://six.example/"],
)  # fmt: skip
async def test_a_host_of_the_internet_is_asked(
    url: str, external: Open, internet: Internet, site: Site
) -> None:
    internet.names |= {
        "public.example.": [PUBLIC], "xn--bcher-kva.example": [PUBLIC], "six.example": [V6, PUBLIC],
    }  # fmt: skip
    internet.sites[V6, 80] = site
    answered = await external().get(url)
    assert (answered.status_code, answered.text) == (200, "hello")


# --- names whose answers change ------------------------------------------------------------------


@dataclass
class Rebinding(Internet):
    """An internet whose names are asked for at a server that a stranger runs."""

    server: tuple[str, int] = ("127.0.0.1", 0)
    inner: list[tuple[str, int]] = field(default_factory=list)

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        return await look_up(host, self.server)

    async def connect(
        self, address: str, port: int, timeout_s: float | None, options: Iterable[Any] | None
    ) -> Any:
        if address.startswith("127."):
            self.inner.append((address, port))
        return await super().connect(address, port, timeout_s, options)


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to(site: Site) -> None:
    """A name that is public when it is checked, and an inner one a moment later."""
    names = NameServer([PUBLIC, "127.0.0.1"])
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: names, ("127.0.0.1", 0))
    internet = Rebinding(
        names={}, sites={(PUBLIC, 80): site}, server=transport.get_extra_info("sockname")
    )
    client = ExternalClient(ExternalHttp(), ExternalConnections(5, internet))
    try:
        assert (await client.get("http://rebinding.example/")).text == "hello"
        assert (names.questions, internet.connected) == (1, [(PUBLIC, 80)])
        with pytest.raises(ExternalRefused) as caught:
            await client.get("http://rebinding.example/")
        assert (names.questions, caught.value.code) == (2, ADDRESS)
        # A site that leads to itself, so that its name is looked up again, is no way either.
        names.questions = 0
        site.respond = lambda _: leads_to("http://rebinding.example/latest/meta-data/")
        with pytest.raises(ExternalRefused):
            await client.get("http://rebinding.example/")
        assert internet.inner == []
    finally:
        transport.close()


async def test_no_connection_is_kept_for_a_name_that_has_moved_inside(
    external: Open, internet: Internet, site: Site
) -> None:
    client = external()
    await client.get("http://public.example/")
    internet.names["public.example"] = ["10.0.0.1"]
    with pytest.raises(ExternalRefused):
        await client.get("http://public.example/")
    assert len(site.requests) == 1


# --- with the resolver of this machine -----------------------------------------------------------


@pytest.fixture
def machine() -> ExternalConnections:
    return ExternalConnections(5, SystemNetwork())


async def test_the_resolver_of_the_machine_is_asked_for_names(machine: ExternalConnections) -> None:
    client = ExternalClient(ExternalHttp(), machine)
    for url in ("http://localhost/", "http://127.0.0.1/", "http://[::1]/"):
        with pytest.raises(ExternalRefused) as caught:
            await client.get(url)
        assert caught.value.code == ADDRESS


async def test_names_that_are_never_looked_up_hold_up_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever gives us URLs may run a server of names that does not answer."""
    go_on, asked = threading.Event(), threading.Semaphore(0)

    def hang(*arguments: Any, **options: Any) -> list[Any]:
        asked.release()
        go_on.wait()
        raise OSError("nobody")

    monkeypatch.setattr(network, "LOOK_UPS", 3)
    monkeypatch.setattr(network.socket, "getaddrinfo", hang)
    connections = ExternalConnections(100, SystemNetwork())
    client = ExternalClient(ExternalHttp(connect_timeout_s=0.2), connections)
    try:
        urls = [f"http://hang-{number}.example/" for number in range(40)]
        ended = await asyncio.gather(*map(client.get, urls), return_exceptions=True)
        assert {type(each).__name__ for each in ended} == {"ConnectTimeout"}
        assert await asyncio.to_thread(lambda: "free") == "free"
        assert [asked.acquire(blocking=False) for _ in range(4)] == [True, True, True, False]
    finally:
        go_on.set()
    async with asyncio.timeout(30):  # each is free again when its thread has its answer
        with pytest.raises(UpstreamAway):
            await ExternalClient(ExternalHttp(), connections).get(urls[0])


async def test_an_inner_network_is_asked_where_the_settings_name_it(
    machine: ExternalConnections, site: Site
) -> None:
    site.respond = lambda _: answer(b"inner")
    config = ExternalHttp(allow_networks=["127.0.0.0/8"], ports=[site.port])
    client = ExternalClient(config, machine)
    assert (await client.get(f"http://127.0.0.1:{site.port}/")).text == "inner"


# --- whatever else somebody thinks of -------------------------------------------------------------

_HOSTS = st.text("0123456789.xX:[]%abcdeflost１２７。．①-_@/\\#?", max_size=24)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(host=_HOSTS)
def test_no_text_is_connected_to_that_is_not_of_the_internet(host: str) -> None:
    async def asked() -> None:
        internet = Internet(names=dict(INNER), sites={})
        client = ExternalClient(ExternalHttp(), ExternalConnections(1, internet))
        with pytest.raises(ForgeError):
            await client.get(f"http://{host}")
        assert not any(special_use(address_of(address)) for address, _ in internet.connected)

    asyncio.run(asked())
