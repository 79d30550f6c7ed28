"""An issuer that is the test's: its keys, what it signs, and how often it is asked."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from fastforge import Role
from fastforge.contrib.auth.external import introspection, key_sets, oidc
from fastforge.lifecycle import Container, use_container
from tests.contrib.auth.conftest import settings
from tests.folder import ProjectFolder

ISSUER = "https://id.example.org/realms/shop"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
JWKS = "https://id.example.org/keys"

Start = Callable[..., AbstractAsyncContextManager[Container]]


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(which: int = 0, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> Any:
    return ec.generate_private_key(curve())


@cache
def ed_key() -> Any:
    return ed25519.Ed25519PrivateKey.generate()


def jwk(key: Any, kid: str | None = "1", *, private: bool = False, **more: Any) -> dict[str, Any]:
    """A key as an issuer publishes it."""
    shown = key if private else key.public_key()
    kind: Any = (
        RSAAlgorithm
        if isinstance(key, rsa.RSAPrivateKey)
        else OKPAlgorithm
        if isinstance(key, ed25519.Ed25519PrivateKey)
        else ECAlgorithm
    )
    found: dict[str, Any] = json.loads(kind.to_jwk(shown))
    return {**found, **({} if kid is None else {"kid": kid}), **more}


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {"iss": ISSUER, "aud": "shop", "sub": "7", "iat": now, "exp": now + 300}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def token(
    key: Any = None, *, kid: str | None = "1", alg: str = "ES256", typ: str = "JWT", **changes: Any
) -> str:
    headers = {"typ": typ, **({} if kid is None else {"kid": kid})}
    return jwt.encode(claims(**changes), key or ec_key(), algorithm=alg, headers=headers)


@dataclass
class Issuer:
    """What answers in the place of the other side."""

    keys: list[Any] = field(default_factory=lambda: [jwk(ec_key())])
    document: dict[str, Any] = field(default_factory=lambda: {"issuer": ISSUER, "jwks_uri": JWKS})
    answer: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    forms: list[Any] = field(default_factory=list)
    headers: list[Any] = field(default_factory=list)
    failure: Exception | None = None
    before: Callable[[], Any] | None = None

    async def ask(
        self, places: Any, url: str, *, form: Any = None, headers: Any = None
    ) -> dict[str, Any]:
        self.asked.append(url)
        self.forms.append(form)
        self.headers.append(headers)
        if self.before is not None:
            await self.before()
        if self.failure is not None:
            raise self.failure
        if form is not None:
            return self.answer
        return self.document if url == DISCOVERY else {"keys": self.keys}

    @property
    def fetched(self) -> int:
        return self.asked.count(JWKS)


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Issuer:
    found = Issuer()
    monkeypatch.setattr(oidc, "ask", found.ask)
    monkeypatch.setattr(introspection, "ask", found.ask)
    return found


class Time:
    """The time by which keys get old."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    found = Time()
    monkeypatch.setattr(key_sets, "time", found)
    return found


@pytest.fixture
async def container(folder: ProjectFolder) -> AsyncIterator[Container]:
    async with running(folder) as found:
        yield found


@asynccontextmanager
async def running(folder: ProjectFolder) -> AsyncIterator[Container]:
    text = settings().replace(
        '"fastforge.contrib.auth",',
        '"fastforge.contrib.http", "fastforge.contrib.auth", "fastforge.contrib.auth.external",',
    )
    folder.write({"shop/settings.py": text})
    async with folder.load().running(Role.COMMAND) as found:
        with use_container(found):
            yield found
