"""A corpus of bad tokens: each is answered with 401, none with 500, and those that nobody has
written ask no database."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
import pytest

from fastforge import Project
from fastforge.contrib.auth.tokens import verifiers
from fastforge.contrib.auth.tokens.jwts import written
from fastforge.contrib.auth.tokens.keys import TokenKeys
from fastforge.contrib.auth.tokens.pairs import AccessToken
from fastforge.contrib.auth.tokens.texts import ACCESS, API_KEY, REFRESH, encoded
from fastforge.test import client, run_command
from tests.folder import ProjectFolder

from .conftest import KEY, text

ROUTES = """
    import sqlalchemy as sa
    from fastapi import APIRouter

    from fastforge.contrib.auth import (
        CurrentIdentity, create_api_key, create_user, issue, revoke, revoke_api_key
    )
    from fastforge.contrib.db import DbSession

    router = APIRouter()

    @router.post("/given")
    async def given(db: DbSession) -> dict[str, str]:
        user = await create_user(db, "ann@example.org")
        first, second = await issue(db, user), await issue(db, user)
        await revoke(db, second.refresh_token)
        keys = [await create_api_key(db, user, "ci"), await create_api_key(db, user, "old")]
        await revoke_api_key(db, keys[1].id)
        gone = await create_user(db, "gone@example.org")
        of_gone = await issue(db, gone)
        await db.delete(gone)
        return {
            "access": first.access_token, "refresh": first.refresh_token,
            "revoked": second.access_token, "key": keys[0].key, "revoked_key": keys[1].key,
            "of_gone": of_gone.access_token, "key_id": keys[0].id,
        }

    @router.get("/me")
    async def me(me: CurrentIdentity) -> str:
        return str(me.id)
"""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What an attacker may have: good tokens, our keys never, and for some cases what only we have.

    Those show that a check is made although the signature is right.
    """

    tokens: dict[str, str]
    keys: TokenKeys
    claims: dict[str, Any] = field(default_factory=dict)

    def forged(self, header: dict[str, Any], claims: Any, key: bytes = b"guessed" * 6) -> str:
        """A token with any header and any claims, signed with any key."""
        head = {"alg": "HS256", "typ": "at+jwt", **header}
        parts = [_part({k: v for k, v in head.items() if v is not None}), _part(claims)]
        signed = ".".join(parts)
        mac = hmac.digest(key, signed.encode(), hashlib.sha256)
        return f"{signed}.{encoded(mac)}"

    def signed(self, **changes: Any) -> str:
        """A token that our own key has signed, with other claims; None leaves one out."""
        claims = {k: v for k, v in {**self.claims, **changes}.items() if v is not None}
        return self.sealed(json.dumps(claims).encode())

    def sealed(self, payload: bytes) -> str:
        """A token that our own key has signed, whatever it says."""
        header = self.tokens["jwt"].partition(".")[0]
        signed = f"{header}.{encoded(payload)}"
        return f"{signed}.{encoded(self.keys.jwt.sign(signed.encode()))}"

    def parts(self) -> list[str]:
        return self.tokens["jwt"].split(".")


def _part(value: Any) -> str:
    return encoded(value if isinstance(value, bytes) else json.dumps(value).encode())


Make = Callable[[Given], str | bytes]

# What nobody of us has written: no database is asked.
GUESSES: dict[str, Make] = {
    "nothing of a token": lambda _: "x",
    "a prefix alone": lambda _: "ffa_",
    "of the right length": lambda _: "ffa_" + "A" * 80,
    "too short": lambda g: g.tokens["access"][:-1],
    "too long": lambda g: g.tokens["access"] + "A",
    "another letter at the end": lambda g: _flipped(g.tokens["access"], -1),
    "another letter in the handle": lambda g: _flipped(g.tokens["access"], 6),
    "another time in it": lambda g: _flipped(g.tokens["access"], 30),
    "the other alphabet of base64": lambda g: _standard(g.tokens["access"]),
    "a letter that base64 leaves out": lambda g: g.tokens["access"][:-2] + "!" + "A",
    "in capitals": lambda g: g.tokens["access"].upper(),
    "without its prefix": lambda g: g.tokens["access"][4:],
    "a refresh token": lambda g: g.tokens["refresh"],
    "a refresh token as an access token": lambda g: "ffa_" + g.tokens["refresh"][4:84],
    "an access token as an API key": lambda g: "ffk_" + g.tokens["access"][4:],
    "an API key as an access token": lambda g: "ffa_" + g.tokens["key"][4:],
    "the name of a key": lambda g: g.tokens["key_id"],
    "the MAC of another purpose": lambda g: ACCESS.write(g.keys.refresh, b"\1" * ACCESS.size),
    "8,192 letters": lambda _: "ffa_" + "A" * 8_188,
    "20,000 letters": lambda _: "A" * 20_000,
    "not ASCII": lambda _: "ffa_" + "é" * 80,
    "UTF-8": lambda _: ("ffa_" + "☃" * 26).encode(),
    "bytes that are no text": lambda _: b"ffa_" + b"\xff\xfe" * 40,
    "two of them": lambda g: f"{g.tokens['access']} {g.tokens['access']}",
    "with a comma": lambda g: f"{g.tokens['access']},{g.tokens['access']}",
    "in quotes": lambda g: f'"{g.tokens["access"]}"',
    "a JWT of nothing": lambda _: "..",
    "a JWT of two parts": lambda g: ".".join(g.parts()[:2]),
    "a JWT of four parts": lambda g: g.tokens["jwt"] + ".AA",
    "alg none, without a signature": lambda g: (
        f"{_part({'alg': 'none', 'typ': 'at+jwt'})}.{g.parts()[1]}."
    ),
    "alg nOnE": lambda g: f"{_part({'alg': 'nOnE'})}.{g.parts()[1]}.AA",
    "our header, no signature": lambda g: f"{g.parts()[0]}.{g.parts()[1]}.",
    "another key": lambda g: g.forged({}, g.claims),
    "another key under our kid": lambda g: g.forged({"kid": _kid(g)}, g.claims),
    "SECRET_KEY itself as the key": lambda g: g.forged({"kid": _kid(g)}, g.claims, KEY.encode()),
    "an empty key": lambda g: g.forged({"kid": _kid(g)}, g.claims, b""),
    "HS512 in the header, our key": lambda g: g.forged(
        {"alg": "HS512", "kid": _kid(g)}, g.claims, g.keys.jwt.newest
    ),
    "RS256 in the header, our key": lambda g: g.forged(
        {"alg": "RS256", "kid": _kid(g)}, g.claims, g.keys.jwt.newest
    ),
    "HS384 by PyJWT, our key": lambda g: jwt.encode(
        g.claims, g.keys.jwt.newest.ljust(48, b"0"), algorithm="HS384", headers={"kid": _kid(g)}
    ),
    "a jku of somebody's": lambda g: g.forged(
        {"jku": "https://evil.example/jwks", "kid": "1"}, g.claims
    ),
    "its own key in jwk": lambda g: g.forged(
        {"jwk": {"kty": "oct", "k": encoded(b"guessed" * 6)}}, g.claims
    ),
    "x5u and x5c": lambda g: g.forged({"x5u": "https://evil.example", "x5c": ["AA"]}, g.claims),
    "a kid that is a path": lambda g: g.forged({"kid": "../../../../dev/null"}, g.claims, b""),
    "a kid that is SQL": lambda g: g.forged({"kid": "x' OR '1'='1"}, g.claims),
    "a kid that is a list": lambda g: g.forged({"kid": ["a"]}, g.claims),
    "crit that nobody knows": lambda g: g.forged({"crit": ["exp"], "exp": 1}, g.claims),
    "b64 false": lambda g: g.forged({"b64": False, "crit": ["b64"]}, b""),
    "JWE": lambda _: ".".join([_part({"alg": "dir", "enc": "A128GCM"}), "", "AA", "AA", "AA"]),
    "a header that is no JSON": lambda g: f"{encoded(b'{')}.{g.parts()[1]}.AA",
    "a header of deep JSON": lambda g: f"{encoded(b'[' * 3000)}.{g.parts()[1]}.AA",
    "our token, another user in it": lambda g: _with_payload(g, {**g.claims, "sub": "2"}),
    "our token, a later end in it": lambda g: _with_payload(g, {**g.claims, "exp": 9e9}),
    "our token, its padding written": lambda g: g.tokens["jwt"] + "=",
    "our token, another spelling of its end": lambda g: _respelt(g.tokens["jwt"]),
    "our token, a NUL in it": lambda g: g.tokens["jwt"][:40] + "\0" + g.tokens["jwt"][40:],
}

# What is signed with our own key, and not good all the same: a stolen backup, a mistake of ours.
SIGNED: dict[str, Make] = {
    "ended": lambda g: g.signed(exp=time.time() - 11),
    "without exp": lambda g: g.signed(exp=None),
    "exp as text": lambda g: g.signed(exp=str(int(time.time()) + 60)),
    "exp true": lambda g: g.signed(exp=True),
    "exp infinite": lambda g: g.sealed(
        json.dumps({**g.claims, "exp": 1.0}).replace("1.0", "1e999").encode()
    ),
    "exp Infinity": lambda g: g.sealed(
        json.dumps({**g.claims, "exp": 1.0}).replace("1.0", "Infinity").encode()
    ),
    "exp of 5,000 digits": lambda g: g.sealed(
        json.dumps({**g.claims, "exp": 1.0}).replace("1.0", "9" * 5000).encode()
    ),
    "exp of 400 digits": lambda g: g.signed(exp=10**400),
    "not yet good": lambda g: g.signed(nbf=time.time() + 60),
    "written in the future": lambda g: g.signed(iat=time.time() + 60),
    "without iat": lambda g: g.signed(iat=None),
    "without sub": lambda g: g.signed(sub=None),
    "sub as a number": lambda g: g.signed(sub=1),
    "sub of nobody": lambda g: g.signed(sub="999"),
    "sub with a NUL": lambda g: g.signed(sub="1\0"),
    "sub of 10,000 letters": lambda g: g.signed(sub="1" * 300),
    "without jti": lambda g: g.signed(jti=None),
    "jti as a list": lambda g: g.signed(jti=["a"]),
    "another issuer": lambda g: g.signed(iss="evil"),
    "issuer as a list": lambda g: g.signed(iss=["shop"]),
    "without an issuer": lambda g: g.signed(iss=None),
    "another audience": lambda g: g.signed(aud="other"),
    "no audience": lambda g: g.signed(aud=[]),
    "audiences that are no texts": lambda g: g.signed(aud=[["shop"], 1, None]),
    "a part of the audience": lambda g: g.signed(aud="sho"),
    "without sid": lambda g: g.signed(sid=None),
    "sid of nothing": lambda g: g.signed(sid=encoded(b"x" * 16)),
    "sid as a number": lambda g: g.signed(sid=7),
    "sid of odd letters": lambda g: g.signed(sid="é\0"),
    "of somebody else's login": lambda g: g.signed(sub="2"),
    "says a list": lambda g: g.sealed(b"[]"),
    "says null": lambda g: g.sealed(b"null"),
    "says nothing": lambda g: g.sealed(b""),
    "says deep JSON": lambda g: g.sealed(b'{"a":' * 900 + b"1" + b"}" * 900),
    "says no UTF-8": lambda g: g.sealed(b'{"sub":"\xff"}'),
    "says it in UTF-16": lambda g: g.sealed(json.dumps(g.claims).encode("utf-16")),
    "an access token that has ended": lambda g: ACCESS.write(g.keys.access, b"\0" * ACCESS.size),
    "an access token of no login": lambda g: ACCESS.write(g.keys.access, b"\x7f" * ACCESS.size),
    "an API key that was never made": lambda g: API_KEY.write(g.keys.api_key, b"x" * 28),
    "a refresh token of no login": lambda g: REFRESH.write(g.keys.refresh, b"x" * REFRESH.size),
    "a login that was ended": lambda g: g.tokens["revoked"],
    "a key that was revoked": lambda g: g.tokens["revoked_key"],
    "a user who is gone": lambda g: g.tokens["of_gone"],
}


def _kid(given: Given) -> str:
    kid: str = jwt.get_unverified_header(given.tokens["jwt"])["kid"]
    return kid


def _flipped(token: str, place: int) -> str:
    letters = list(token)
    letters[place] = "B" if letters[place] == "A" else "A"
    return "".join(letters)


def _standard(token: str) -> str:
    """The same bytes, in letters that a lenient decoder takes as well."""
    found = token[4:].replace("-", "+").replace("_", "/")
    return token[:4] + (found if found != token[4:] else found[:-4] + "+/+/")


def _respelt(token: str) -> str:
    """The same bytes once more: the last letter of 32 bytes has two bits that mean nothing."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = letters[letters.index(token[-1]) + 1]
    respelt = token[:-1] + last
    both = [base64.urlsafe_b64decode(each[-43:] + "=") for each in (token, respelt)]
    assert both[0] == both[1]
    return respelt


def _with_payload(given: Given, claims: dict[str, Any]) -> str:
    header, _, signature = given.parts()
    return f"{header}.{_part(claims)}.{signature}"


@pytest.fixture
def project(folder: ProjectFolder) -> Project:
    folder.write(
        {"shop/settings.py": text(apps='"shop.web"'), "shop/web/routes.py": ROUTES},
    )
    project = folder.load()
    assert run_command(project, "migrate").exit_code == 0
    return project


@pytest.fixture
async def http(project: Project) -> AsyncIterator[httpx.AsyncClient]:
    async with client(project) as http:
        yield http


@pytest.fixture
async def given(project: Project, http: httpx.AsyncClient) -> Given:
    tokens: dict[str, str] = (await http.post("/given")).json()
    keys = TokenKeys(project.settings)
    access = AccessToken.read(keys, tokens["access"])
    assert access is not None
    now = int(time.time())
    claims = {"iss": "shop", "aud": "shop", "sub": "1", "iat": now, "exp": now + 600, "jti": "j"}
    claims["sid"] = encoded(access.handle)
    tokens["jwt"] = written(keys.jwt, claims)
    return Given(tokens=tokens, keys=keys, claims=claims)


async def statuses(http: httpx.AsyncClient, given: Given, cases: dict[str, Make]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, make in cases.items():
        token = make(given)
        raw = token if isinstance(token, bytes) else token.encode("latin-1")
        answer = await http.get("/me", headers={b"authorization": b"Bearer " + raw})
        found[name] = answer.status_code
        if answer.status_code == 401:
            assert answer.json()["detail"] == "the credential is wrong, or not good any more", name
    return found


async def test_the_good_ones_beside_them_are_good(http: httpx.AsyncClient, given: Given) -> None:
    cases: dict[str, Make] = {
        "access": lambda g: g.tokens["access"],
        "jwt": lambda g: g.tokens["jwt"],
        "key": lambda g: g.tokens["key"],
        "signed": lambda g: g.signed(),
        "of several audiences": lambda g: g.signed(aud=["other", "shop"]),
        "ended within the leeway": lambda g: g.signed(exp=time.time() - 5),
        "a fraction of a second": lambda g: g.signed(iat=time.time()),
    }
    assert await statuses(http, given, cases) == dict.fromkeys(cases, 200)


async def test_a_guess_is_refused_and_asks_no_database(
    http: httpx.AsyncClient, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked() -> None:
        pytest.fail("a guess asks the database")

    monkeypatch.setattr(verifiers, "reading", asked)
    assert len(GUESSES) > 30
    assert await statuses(http, given, GUESSES) == dict.fromkeys(GUESSES, 401)


async def test_what_our_own_key_has_signed_is_refused_if_it_is_not_good(
    http: httpx.AsyncClient, given: Given
) -> None:
    assert await statuses(http, given, SIGNED) == dict.fromkeys(SIGNED, 401)
