"""Tokens of an issuer of OpenID Connect: whose they are, and what is none of its tokens."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fastforge.contrib.auth import Identity, InvalidToken, create_user
from fastforge.contrib.auth.default_user.models import User
from fastforge.contrib.auth.external import IssuerAway, IssuerRefused, OidcIssuer
from fastforge.contrib.auth.tokens.texts import encoded
from fastforge.contrib.db import Model, session
from fastforge.contrib.db.resources import database
from fastforge.lifecycle import Container

from .conftest import (
    DISCOVERY,
    ISSUER,
    JWKS,
    Issuer,
    Time,
    claims,
    ec_key,
    ed_key,
    jwk,
    rsa_key,
    token,
)

STAFF = OidcIssuer(name="staff", issuer=ISSUER, audience="shop")
PEM = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo


async def verified(text: str, by: OidcIssuer = STAFF) -> Identity:
    """Whose a token is, as whoever asks verifiers finds out."""
    if not by.accepts(text):
        raise InvalidToken("it is not accepted")
    return await by.verify(text)


async def is_good(text: str, by: OidcIssuer = STAFF) -> bool:
    try:
        await verified(text, by)
    except InvalidToken:
        return False
    return True


async def test_a_token_of_the_issuer_says_who_asks(container: Container, issuer: Issuer) -> None:
    found = await verified(token(scope="orders:read orders:write", jti="j-1"))
    assert (found.id, found.kind, found.version) == ("staff:7", "staff", 0)
    assert found.scopes == {"orders:read", "orders:write"}
    assert (found.token_id, found.is_superuser) == ("staff:j-1", False)
    assert found.expires_at is not None
    await verified(token(sub="8"))
    assert issuer.asked == [DISCOVERY, JWKS]


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [("RS256", rsa_key), ("PS512", rsa_key), ("ES256", ec_key), ("EdDSA", ed_key)],
)
async def test_the_usual_algorithms_are_understood(
    container: Container, issuer: Issuer, algorithm: str, key: Callable[[], Any]
) -> None:
    by = OidcIssuer(
        name="own", issuer=ISSUER, audience=["other", "shop"], algorithms=[algorithm], jwks_url=JWKS
    )
    issuer.keys = [jwk(key(), alg=algorithm, use="sig")]
    assert await is_good(token(key(), alg=algorithm, typ="application/at+jwt"), by)
    assert issuer.asked == [JWKS]


@pytest.mark.parametrize("claim", ["scp", "permissions"])
async def test_scopes_stand_where_the_issuer_puts_them(
    container: Container, issuer: Issuer, claim: str
) -> None:
    by = OidcIssuer(name="own", issuer=ISSUER, audience="shop", scopes_claim=claim)
    found = await verified(token(**{claim: ["a", "b", 7]}, scope="c"), by)
    assert found.scopes == {"a", "b"}


async def test_somebody_who_is_a_user_here_has_their_own_scopes(
    container: Container, issuer: Issuer
) -> None:
    async def identify(told: Any) -> Any:
        async with session() as db:
            return await db.get(User, int(told["sub"]) - 6)

    async with container[database].engine.begin() as own:
        await own.run_sync(Model.metadata.create_all, [User.__table__])
    async with session() as db, db.atomic():
        user = await create_user(db, "ann@example.org", scopes=["here"])
        gone = await create_user(db, "bob@example.org", is_active=False)
    by = OidcIssuer(name="own", issuer=ISSUER, audience="shop", identify=identify)
    found = await verified(token(scope="there"), by)
    assert (found.id, found.version, found.scopes) == (str(user.id), 1, {"here"})
    assert not await is_good(token(sub=str(gone.id + 6)), by)
    assert not await is_good(token(sub="99"), by)


def by_hand(header: dict[str, Any], told: Any, key: bytes = b"") -> str:
    parts = [encoded(json.dumps(each).encode()) for each in (header, told)]
    mac = hmac.digest(key, ".".join(parts).encode(), hashlib.sha256)
    return ".".join([*parts, encoded(mac)])


BAD: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "two dots": lambda: "..",
    "not ASCII": lambda: "é.é.é",
    "half a character": lambda: "\ud800.a.a",
    "a NUL": lambda: token() + "\0",
    "a blank": lambda: f"{token()} x",
    "10,000 letters": lambda: token(note="x" * 10_000),
    "alg none": lambda: by_hand({"alg": "none"}, claims()),
    "no alg": lambda: by_hand({}, claims()),
    "alg as a list": lambda: by_hand({"alg": ["ES256"]}, claims()),
    "HS256 with the public key": lambda: by_hand(
        {"alg": "HS256", "kid": "1"}, claims(), ec_key().public_key().public_bytes(*PEM)
    ),
    "ES256 with an HMAC": lambda: by_hand(
        {"alg": "ES256", "kid": "1"}, claims(), ec_key().public_key().public_bytes(*PEM)
    ),
    "an algorithm that is not accepted": lambda: token(rsa_key(), alg="RS512"),
    "RS256 with the kid of an EC key": lambda: token(rsa_key(), alg="RS256"),
    "another key": lambda: token(ec_key(9)),
    "another kid": lambda: token(kid="2"),
    "a kid that is a path": lambda: token(kid="../../dev/null"),
    "a kid of 10,000 letters": lambda: token(kid="x" * 300),
    "a kid that is a number": lambda: by_hand({"alg": "ES256", "kid": 1}, claims()),
    "a jku": lambda: by_hand({"alg": "ES256", "jku": "https://evil.example"}, claims()),
    "its own jwk": lambda: by_hand({"alg": "ES256", "jwk": jwk(ec_key(9))}, claims()),
    "crit": lambda: by_hand({"alg": "ES256", "kid": "1", "crit": ["x"]}, claims()),
    "an ID token of another type": lambda: token(typ="id+jwt"),
    "a logout token": lambda: token(typ="logout+jwt"),
    "another issuer": lambda: token(iss="https://evil.example"),
    "an issuer that begins so": lambda: token(iss=ISSUER + "/"),
    "without an issuer": lambda: token(iss=None),
    "for somebody else": lambda: token(aud="other"),
    "for nobody": lambda: token(aud=None),
    "for a list of somebody elses": lambda: token(aud=["other", "sho", "shop2"]),
    "ended": lambda: token(exp=int(time.time()) - 11),
    "without an end": lambda: token(exp=None),
    "not yet good": lambda: token(nbf=int(time.time()) + 60),
    "written in the future": lambda: token(iat=int(time.time()) + 60),
    "without a subject": lambda: token(sub=None),
    "an empty subject": lambda: token(sub=""),
    "a subject with a NUL": lambda: token(sub="7\0"),
    "deep JSON": lambda: f"{encoded(b'[' * 3000)}.{encoded(b'[' * 3000)}.AA",
    "a token of ours": lambda: "ffa_" + "A" * 80,
    "another spelling": lambda: token() + "=",
}


async def test_what_is_no_token_of_the_issuer_is_refused_as_such(
    container: Container, issuer: Issuer
) -> None:
    issuer.keys = [jwk(ec_key()), jwk(rsa_key(), kid="rsa")]
    assert await is_good(token())
    good = [name for name, make in BAD.items() if await is_good(make())]
    assert good == []


async def test_a_claim_that_is_asked_for_has_to_be_there(
    container: Container, issuer: Issuer
) -> None:
    by = OidcIssuer(name="own", issuer=ISSUER, audience="shop", required=["email"])
    assert not await is_good(token(), by)
    assert await is_good(token(email="ann@example.org"), by)


async def test_a_thousand_tokens_at_once_fetch_the_keys_once(
    container: Container, issuer: Issuer
) -> None:
    gate = asyncio.Event()
    issuer.before = gate.wait
    text = token()
    waiting = [asyncio.create_task(verified(text)) for _ in range(1000)]
    await asyncio.sleep(0)
    gate.set()
    assert {each.id for each in await asyncio.gather(*waiting)} == {"staff:7"}
    assert issuer.fetched == 1


async def test_whoever_fetches_and_leaves_keeps_nobody_waiting(
    container: Container, issuer: Issuer
) -> None:
    gate = asyncio.Event()
    issuer.before = gate.wait
    first, second = asyncio.create_task(verified(token())), asyncio.create_task(verified(token()))
    while not issuer.asked:
        await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert (await second).id == "staff:7"


async def test_tokens_with_unknown_keys_ask_the_issuer_twice_a_minute_at_most(
    container: Container, issuer: Issuer, clock: Time
) -> None:
    for number in range(50):
        assert not await is_good(token(ec_key(9), kid=f"kid-{number}"))
    assert issuer.fetched == 1
    clock.now += 31
    found = await asyncio.gather(
        *(is_good(token(ec_key(9), kid=f"kid-{number}")) for number in range(50))
    )
    assert found == [False] * 50
    assert issuer.fetched == 2
    assert await is_good(token())


async def test_a_new_key_of_the_issuer_is_fetched_when_a_token_names_it(
    container: Container, issuer: Issuer, clock: Time
) -> None:
    assert await is_good(token())
    issuer.keys = [jwk(ec_key()), jwk(ec_key(2), kid="2")]
    clock.now += 31
    assert await is_good(token(ec_key(2), kid="2"))
    assert issuer.fetched == 2


async def test_a_key_that_the_issuer_has_withdrawn_is_good_for_ten_minutes(
    container: Container, issuer: Issuer, clock: Time
) -> None:
    assert await is_good(token())
    issuer.keys = [jwk(ec_key(2), kid="2")]
    clock.now += 599
    assert await is_good(token())
    clock.now += 1
    assert not await is_good(token())


async def test_keys_hold_for_a_day_while_the_issuer_is_away(
    container: Container, issuer: Issuer, clock: Time
) -> None:
    assert await is_good(token())
    issuer.failure = IssuerAway("it is away", code="auth.E034")
    clock.now += 3600
    for _ in range(20):
        assert await is_good(token())
    assert len(issuer.asked) == 3  # the two before, and one more
    assert not await is_good(token(kid="unknown"))
    clock.now += 86_400
    with pytest.raises(IssuerAway):
        await verified(token())


@pytest.mark.parametrize("keys", [[], [{"kty": "oct", "k": "AA", "kid": "1"}], [None]])
async def test_an_issuer_that_suddenly_has_no_keys_keeps_those_from_before(
    container: Container, issuer: Issuer, clock: Time, keys: list[Any]
) -> None:
    assert await is_good(token())
    issuer.keys = keys
    clock.now += 601
    assert await is_good(token())
    clock.now += 86_400
    with pytest.raises(IssuerAway, match=r"auth\.E038"):
        await verified(token())


async def test_an_issuer_that_was_never_there_is_a_503_and_not_asked_with_each_request(
    container: Container, issuer: Issuer, clock: Time
) -> None:
    issuer.failure = IssuerAway("it is away", code="auth.E034")
    for _ in range(20):
        with pytest.raises(IssuerAway) as caught:
            await verified(token())
        assert (caught.value.status, caught.value.retry_after_s) == (503, 5)
    assert len(issuer.asked) == 1
    issuer.failure = None
    clock.now += 5
    assert await is_good(token())


async def test_while_old_keys_are_fetched_anew_nobody_waits(
    container: Container, issuer: Issuer, clock: Time
) -> None:
    assert await is_good(token())
    clock.now += 601
    gate = asyncio.Event()
    issuer.before = gate.wait
    fetching = asyncio.create_task(is_good(token()))
    while len(issuer.asked) < 3:
        await asyncio.sleep(0)
    assert await is_good(token())
    gate.set()
    assert await fetching


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example", "jwks_uri": JWKS},
        {"issuer": ISSUER},
        {"issuer": ISSUER, "jwks_uri": 7},
        {"issuer": ISSUER, "jwks_uri": "http://id.example.org/keys"},
        {"issuer": ISSUER, "jwks_uri": "file:///etc/passwd"},
    ],
)
async def test_a_discovery_document_that_leads_elsewhere_is_not_followed(
    container: Container, issuer: Issuer, document: dict[str, Any]
) -> None:
    issuer.document = document
    with pytest.raises(IssuerAway):
        await verified(token())
    assert issuer.fetched == 0


ODD_KEYS: dict[str, Callable[[], Any]] = {
    "a secret one": lambda: {"kty": "oct", "k": encoded(b"k" * 32), "kid": "1"},
    "the private one": lambda: jwk(ec_key(), private=True),
    "for encryption": lambda: jwk(ec_key(), use="enc"),
    "for signing alone": lambda: jwk(ec_key(), key_ops=["sign"]),
    "of another algorithm": lambda: jwk(ec_key(), alg="ES384"),
    "on another curve": lambda: jwk(ec_key(3, ec.SECP384R1)),
    "without a point": lambda: {"kty": "EC", "crv": "P-256", "kid": "1"},
    "a point that is none": lambda: {**jwk(ec_key()), "x": encoded(b"\1" * 32)},
    "no object": lambda: ["1"],
    "of a kind that nobody knows": lambda: {"kty": "XX", "kid": "1"},
    "operations as a number": lambda: jwk(ec_key(), key_ops=7),
}


async def test_odd_keys_of_an_issuer_check_nothing_and_break_nothing(
    container: Container, issuer: Issuer
) -> None:
    for number, (name, make) in enumerate(ODD_KEYS.items()):
        by = OidcIssuer(name=f"n{number}", issuer=ISSUER, audience="shop")
        issuer.keys = [make(), jwk(ec_key(5), kid="5")]
        assert not await is_good(token(), by), name
        assert await is_good(token(ec_key(5), kid="5"), by), name


async def test_an_rsa_key_that_can_be_factored_checks_nothing(
    container: Container, issuer: Issuer
) -> None:
    issuer.keys = [jwk(rsa_key(1024))]
    with pytest.warns(UserWarning, match="1024 bits"):
        weak = token(rsa_key(1024), alg="RS256")
    assert not await is_good(weak)


async def test_a_token_without_a_kid_needs_an_issuer_with_one_key(
    container: Container, issuer: Issuer, clock: Time
) -> None:
    assert await is_good(token(kid=None))
    issuer.keys = [jwk(ec_key()), jwk(ec_key(2), kid="2")]
    clock.now += 601
    assert not await is_good(token(kid=None))


async def test_keys_that_are_no_list_are_an_issuer_that_is_away(
    container: Container, issuer: Issuer
) -> None:
    issuer.keys = "abc"  # type: ignore[assignment]
    with pytest.raises(IssuerAway, match=r"auth\.E036"):
        await verified(token())


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("auth.E032", {"issuer": "id.example.org"}),
        ("auth.E032", {"issuer": "https://"}),
        ("auth.E032", {"issuer": "https://ann:pw@id.example.org"}),
        ("auth.E032", {"issuer": "https://id.example.org:99999"}),
        ("auth.E033", {"issuer": "http://id.example.org"}),
        ("auth.E033", {"jwks_url": "http://id.example.org/keys"}),
        ("auth.E033", {"issuer": "ftp://id.example.org", "allow_networks": ["10.0.0.0/8"]}),
        ("auth.E035", {"algorithms": ["HS256"]}),
        ("auth.E035", {"algorithms": ["none"]}),
        ("auth.E035", {"algorithms": []}),
        ("auth.E035", {"audience": ""}),
        ("auth.E035", {"audience": []}),
        ("auth.E060", {"allow_networks": ["10.0.0.1/8"]}),
        ("auth.E060", {"allow_networks": "10.0.0.0/8"}),
        ("auth.E037", {"name": "token"}),
        ("auth.E037", {"name": "session"}),
        ("auth.E037", {"name": "a:b"}),
        ("auth.E037", {"name": ""}),
    ],
)
def test_an_issuer_is_not_declared_so_that_it_would_not_be_safe(
    code: str, options: dict[str, Any]
) -> None:
    with pytest.raises(IssuerRefused) as caught:
        OidcIssuer(**{"name": "own", "issuer": ISSUER, "audience": "shop", **options})
    assert caught.value.code == code


def test_an_issuer_in_a_network_of_ones_own_may_be_asked_by_plain_http() -> None:
    by = OidcIssuer(
        name="own", issuer="http://keycloak:8080", audience="a", allow_networks=["10.0.0.0/8"]
    )
    assert not by.accepts(token())
