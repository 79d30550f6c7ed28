"""A client that names where it wants to go on is led to ours, and nowhere else."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from fastapi.testclient import TestClient

from fastforge.exceptions import ComponentError
from fastforge.web import safe_redirect, safe_target

OURS = [
    "/",
    "/orders",
    "/orders/7?page=2&next=//evil.example#top",
    "/?q=https://evil.example",
    "/@evil.example",
    "/.evil.example",
    "/orders//7",
    "/%2F/evil.example",
    "/%5Cevil.example",
    "/%09/evil.example",
    "/http://evil.example",
    "/orders;v=1/ä",
]
FOREIGN = [
    "//evil.example",
    "///evil.example",
    "////evil.example/%2f..",
    "//evil.example/orders",
    "//shop.example@evil.example",
    "//evil.example\\@shop.example",
    "https://evil.example",
    "HTTPS://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https://shop.example.evil.example",
    "https://shop.example@evil.example",
    "https://shop.example:pw@evil.example",
    "https://shop.example%2eevil.example",
    "https://shop.example\\.evil.example",
    "https://shop.example:443@evil.example",
    "https://evil.example/https://shop.example",
    "https://evil.example#shop.example",
    "https://evil.example?https://shop.example",
    "http://shop.example",
    "ftp://shop.example",
    "\\\\evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "\x00//evil.example",
    "\x1b//evil.example",
    "/orders\r\nSet-Cookie: a=b",
    "/orders \x7f",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    " javascript:alert(1)",
    "javascript://shop.example/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "blob:https://shop.example/1",
    "evil.example",
    "orders",
    "../orders",
    "?next=1",
    "#top",
    ".evil.example",
    "@evil.example",
    "/\ud800",
    "",
    None,
]  # fmt: skip


@pytest.mark.parametrize("target", OURS)
def test_a_path_of_ours_is_followed(target: str) -> None:
    assert safe_target(target, fallback="/home") == target
    assert urlsplit(urljoin("https://shop.example/login", target)).netloc == "shop.example"


@pytest.mark.parametrize("target", FOREIGN)
def test_everything_else_is_not(target: str | None) -> None:
    assert safe_target(target, fallback="/home") == "/home"
    answer = safe_redirect(target)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("target", [each for each in FOREIGN if each != "https://shop.example"])
def test_an_origin_that_is_named_opens_no_other(target: str | None) -> None:
    assert safe_target(target, origins=["https://shop.example"]) == "/"


@pytest.mark.parametrize("rest", ["", "/", "/orders?page=2", "?page=2", "#top"])
def test_a_named_origin_is_followed(rest: str) -> None:
    target = f"https://shop.example{rest}"
    assert safe_target(target, origins=["https://a.example", "https://shop.example"]) == target
    assert safe_target(target) == "/"
    with_port = f"https://shop.example:8443{rest}"
    origins = ["https://shop.example", "https://shop.example:8443"]
    assert safe_target(with_port, origins=origins) == with_port


@pytest.mark.parametrize(
    "origin",
    ["", "https://", "https:", "shop.example", "https://Shop.example", "https://a.b/", "*"],
)
def test_an_origin_that_is_none_is_refused(origin: str) -> None:
    with pytest.raises(ComponentError, match="of a redirect is none") as caught:
        safe_redirect("/", origins=[origin])
    assert caught.value.code == "web.E022"


def test_a_handler_leads_on_with_get() -> None:
    app = FastAPI()

    @app.post("/login")
    async def login(next: str | None = None) -> RedirectResponse:
        return safe_redirect(next, fallback="/home")

    with TestClient(app, follow_redirects=False) as client:
        for target, where in (("/a?b=ä c", "/home"), ("/a?b=ä", "/a?b=%C3%A4"), ("//a", "/home")):
            answer = client.post("/login", params={"next": target})
            assert (answer.status_code, answer.headers["location"]) == (303, where)
