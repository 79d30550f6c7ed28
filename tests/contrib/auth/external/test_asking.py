"""Asking a service for real: what it may be, and what may come back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fastforge import Project
from fastforge.contrib.auth.external import IssuerAway
from fastforge.contrib.auth.external.asking import ask
from fastforge.contrib.auth.external.places import MAX_BYTES, Places
from fastforge.lifecycle import Container
from fastforge.test import client
from tests.contrib.auth.conftest import settings
from tests.contrib.http.internet import Site, answer, leads_to, running
from tests.folder import ProjectFolder

HERE = Places(allow_networks=("127.0.0.0/8",))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with running(Site()) as site:
        yield site


async def test_an_object_comes_back(container: Container, site: Site) -> None:
    site.respond = lambda _: answer(b'{"active": true}')
    url = f"http://127.0.0.1:{site.port}/introspect"
    assert await ask(HERE, url, form={"token": "t&=1"}, headers={"X-A": "b"}) == {"active": True}
    assert site.requests[0].startswith("POST /introspect HTTP/1.1")
    assert (site.header("x-a"), site.header("accept")) == ("b", "application/json")
    assert await ask(HERE, url) == {"active": True}
    assert site.requests[1].startswith("GET ")


@pytest.mark.parametrize(
    "sent",
    [
        answer(b"{}", status=401),
        answer(b"{}", status=500),
        answer(b"{}", status=204),
        answer(b"[]"),
        answer(b"no"),
        answer(b"\xff"),
        answer(b"[" * 5000),
        answer(b" " * (MAX_BYTES + 1)),
        leads_to("http://127.0.0.1:1/"),
        b"nothing of HTTP",
    ],
    ids=lambda sent: repr(sent[:40]),
)
async def test_whatever_else_comes_back_is_a_service_that_is_away(
    container: Container, site: Site, sent: bytes
) -> None:
    site.respond = lambda _: sent
    with pytest.raises(IssuerAway, match=r"auth\.E034"):
        await ask(HERE, f"http://127.0.0.1:{site.port}/", form={"token": "se-cret"})
    assert len(site.requests) == 1


async def test_inner_addresses_are_not_asked_unless_they_are_named(
    container: Container, site: Site
) -> None:
    for places in (Places(), Places(allow_networks=("10.0.0.0/8",))):
        with pytest.raises(IssuerAway) as caught:
            await ask(places, f"http://127.0.0.1:{site.port}/", form={"token": "se-cret"})
        assert "se-cret" not in str(caught.value)
    assert site.requests == []


VERIFIERS = """
    from fastforge.contrib.auth.external import Introspection

    PARTNERS = Introspection(
        name="partners", url="http://127.0.0.1:{port}/", client_id="shop", client_secret="s",
        allow_networks=["127.0.0.0/8"],
    )
"""
ROUTES = """
    from fastapi import APIRouter

    from fastforge.contrib.auth import CurrentIdentity

    router = APIRouter()

    @router.get("/me")
    async def me(me: CurrentIdentity) -> str:
        return me.id
"""


def project(folder: ProjectFolder, site: Site) -> Project:
    text = settings(apps='"fastforge.contrib.auth.external", "shop.web"').replace(
        '"fastforge.contrib.auth",', '"fastforge.contrib.http", "fastforge.contrib.auth",'
    )
    folder.write(
        {
            "shop/settings.py": text,
            "shop/web/routes.py": ROUTES,
            "shop/web/token_verifiers.py": VERIFIERS.format(port=site.port),
        }
    )
    return folder.load()


async def test_a_request_is_let_in_by_another_service_and_is_told_nothing_of_it(
    folder: ProjectFolder, site: Site
) -> None:
    told: dict[str, Any] = {"active": True, "sub": "7"}
    site.respond = lambda _: answer(json.dumps(told).encode())
    async with client(project(folder, site)) as http:

        async def asked(token: str) -> Any:
            return await http.get("/me", headers={"Authorization": f"Bearer {token}"})

        assert (await asked("good")).json() == "partners:7"
        told["active"] = False
        assert (await asked("bad")).status_code == 401
        site.respond = lambda _: answer(b"", status=500)
        away = await asked("other")
        assert (away.status_code, away.headers["Retry-After"]) == (503, "5")
        assert "127.0.0.1" not in away.text
