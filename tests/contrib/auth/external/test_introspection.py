"""Tokens that another service knows: what it is asked, and what it has to say."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest

from fastforge.contrib.auth import Identity, InvalidToken
from fastforge.contrib.auth.external import Introspection, IssuerAway, IssuerRefused
from fastforge.contrib.auth.resources import token_keys
from fastforge.contrib.auth.tokens.jwts import written
from fastforge.lifecycle import Container
from fastforge.signing import Keys

from .conftest import Issuer

URL = "https://id.example.org/introspect"
GOOD: dict[str, Any] = {"active": True, "sub": "7", "scope": "a b", "exp": time.time() + 86_400}


def partners(**options: Any) -> Introspection:
    usual = {"name": "partners", "url": URL, "client_id": "shop", "client_secret": "s:3cret/é"}
    return Introspection(**{**usual, **options})


async def verified(answer: dict[str, Any], there: Issuer, **options: Any) -> Identity:
    there.answer = answer
    return await partners(**options).verify("opaque")


async def test_a_token_that_they_know_says_who_asks(container: Container, issuer: Issuer) -> None:
    found = await verified({**GOOD, "jti": "j-1"}, issuer)
    assert (found.id, found.kind, found.version) == ("partners:7", "partners", 0)
    assert (found.scopes, found.token_id) == ({"a", "b"}, "partners:j-1")
    assert found.expires_at is not None
    assert issuer.asked == [URL]
    assert issuer.forms == [{"token": "opaque", "token_type_hint": "access_token"}]
    scheme, _, pair = issuer.headers[0]["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(pair)) == ("Basic", b"shop:s%3A3cret%2F%C3%A9")
    assert "s:3cret" not in repr(partners())


async def test_an_answer_without_an_end_has_none(container: Container, issuer: Issuer) -> None:
    assert (await verified({"active": True, "sub": "7"}, issuer)).expires_at is None


UNCLEAR: list[dict[str, Any]] = [
    {"active": False},
    {"active": None},
    {"active": "true"},
    {"active": 1},
    {"sub": None},
    {"sub": 7},
    {"sub": ""},
    {"sub": "7\0"},
    {"sub": "7" * 300},
    {"exp": 1},
    {"exp": "tomorrow"},
    {"exp": True},
    {"exp": float("inf")},
    {"nbf": time.time() + 86_400},
    {"jti": ["a"]},
    {"iss": "https://evil.example"},
    {"iss": None},
    {"aud": "other"},
    {"aud": None},
    {"aud": {"shop": 1}},
]


async def test_what_they_do_not_say_clearly_lets_nobody_in(
    container: Container, issuer: Issuer
) -> None:
    usual = {**GOOD, "iss": "https://id.example.org", "aud": ["shop"]}
    expected = {"issuer": "https://id.example.org", "audience": "shop"}
    await verified(usual, issuer, **expected)
    for changes in UNCLEAR:
        with pytest.raises(InvalidToken):
            await verified({**usual, **changes}, issuer, **expected)


async def test_scopes_of_another_form_are_none(container: Container, issuer: Issuer) -> None:
    for scopes in (7, None, {"a": 1}, [["a"]]):
        assert (await verified({**GOOD, "scope": scopes}, issuer)).scopes == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        "ffa_" + "A" * 80,
        "ffr_x",
        "ffk_x",
        "fsu_x",
        "fsg_x",
        "x" * 10_000,
        "é",
        "a b",
        "a\0",
        "a\n",
        "\ud800",
    ],
    ids=lambda text: ascii(text)[:12],
)
async def test_they_see_no_token_of_ours_and_nothing_that_is_none(
    issuer: Issuer, text: str
) -> None:
    assert not partners().accepts(text)
    with pytest.raises(InvalidToken):
        await partners().verify(text)
    assert issuer.asked == []


async def test_they_see_no_json_web_token_of_ours(container: Container, issuer: Issuer) -> None:
    """Nor where their app stands before contrib.auth, so that they are asked first."""
    keys = container[token_keys]
    assert not partners().accepts(written(keys.jwt, {"sub": "7"}))
    assert partners().accepts(written(Keys((b"k" * 32,)), {"sub": "7"}))


def test_a_prefix_says_which_tokens_are_theirs() -> None:
    assert partners(prefix="p_").accepts("p_1")
    assert not partners(prefix="p_").accepts("1")
    assert partners().accepts("1")


async def test_a_service_that_is_away_is_a_503(container: Container, issuer: Issuer) -> None:
    issuer.failure = IssuerAway("it is away", code="auth.E034")
    with pytest.raises(IssuerAway):
        await partners().verify("opaque")


def test_a_secret_is_sent_to_nobody_by_plain_http() -> None:
    with pytest.raises(IssuerRefused, match=r"auth\.E033"):
        partners(url="http://id.example.org/introspect")


def test_a_name_that_is_one_of_ours_is_refused() -> None:
    with pytest.raises(IssuerRefused, match=r"auth\.E037"):
        partners(name="api_key")
