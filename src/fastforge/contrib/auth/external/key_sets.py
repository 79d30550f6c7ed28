"""KeySets: the public keys of issuers, as one process remembers them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final

from ..events import ISSUER_AWAY
from .errors import IssuerAway
from .library import PyJWK, PyJWTError

__all__ = ["KINDS_OF_KEYS", "KeySet", "KeySets"]

KINDS_OF_KEYS: Final[Mapping[str, tuple[str, str | None]]] = {
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""By what is told of them in public: none of these is checked with anything that is secret."""
GOOD_S: Final = 600.0
"""After that they are fetched again."""
PAUSE_S: Final = 30.0
"""So long nothing is fetched because of a token with an unknown key: anybody can write one."""
RETRY_S: Final = 5.0
"""So long nothing is fetched after it could not be."""
STALE_S: Final = 86_400.0
"""So long they hold when they cannot be fetched."""
MOST_KEYS: Final = 100
LEAST_RSA_BITS: Final = 2048

Fetch = Callable[[], Awaitable[Sequence[Any]]]


class KeySet:
    """The keys of one issuer: fetched when first needed, when old, and when one is not known.

    One fetches and the others wait; while one that is still good is fetched anew, nobody waits.

    Args:
        fetch: Gives the issuer's keys, as JWKs.
        algorithms: Those that are accepted.
    """

    def __init__(self, fetch: Fetch, algorithms: Collection[str]) -> None:
        self._fetch: Final = fetch
        self._algorithms: Final = algorithms
        self._lock: Final = asyncio.Lock()
        self._keys: Sequence[Mapping[str, Any]] = ()
        self._made: dict[tuple[str | None, str], tuple[PyJWK, ...]] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._failure: IssuerAway | None = None

    async def find(self, kid: str | None, algorithm: str) -> tuple[PyJWK, ...]:
        """Return the keys that may have signed a token; mostly one, and often none.

        Args:
            kid: What the token says; None: nothing, so that there must be one key alone.
            algorithm: What the token says, and what is accepted.

        Raises:
            IssuerAway: There are no keys, and they cannot be fetched.
        """
        if self._is_older_than(GOOD_S) and not (self._keys_hold() and self._lock.locked()):
            await self._renew(lambda: self._is_older_than(GOOD_S), pause_s=RETRY_S)
        found = self._known(kid, algorithm)
        if not found and kid is not None:
            await self._renew(lambda: not self._known(kid, algorithm), pause_s=PAUSE_S)
            found = self._known(kid, algorithm)
        return found

    async def _renew(self, is_needed: Callable[[], bool], *, pause_s: float) -> None:
        async with self._lock:
            tried = self._tried_at
            if is_needed() and (tried is None or time.monotonic() - tried >= pause_s):
                await self._try()
        if not self._keys_hold():
            assert self._failure is not None
            raise self._failure

    async def _try(self) -> None:
        try:
            self._keys = self._usable(await self._fetch())
        except IssuerAway as error:
            self._failure = error
            ISSUER_AWAY.write(problem=error.message)
        else:
            self._made = {}
            self._fetched_at = time.monotonic()
        # Not when it is cancelled: whoever waits next tries at once.
        self._tried_at = time.monotonic()

    def _usable(self, keys: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        """Return the keys that can be used; an issuer without any is one that is away.

        Raises:
            IssuerAway: There are none: those from before go on.
        """
        found = [each for each in keys[:MOST_KEYS] if _is_usable(each)]
        if not found:
            raise IssuerAway(
                f"the issuer publishes {len(keys)} keys, and none that signatures are checked with",
                code="auth.E038",
                hint="see what its `jwks_uri` answers, and whether it has keys for signing",
            )
        return found

    def _known(self, kid: str | None, algorithm: str) -> tuple[PyJWK, ...]:
        if (kid, algorithm) not in self._made:
            fitting = [each for each in self._keys if _fits(each, kid, algorithm)]
            if not fitting or (kid is None and len(fitting) > 1):
                return ()  # not remembered: there are as many kids as anybody likes
            made = (_made(each, algorithm) for each in fitting)
            self._made[kid, algorithm] = tuple(each for each in made if each is not None)
        return self._made[kid, algorithm]

    def _keys_hold(self) -> bool:
        return not self._is_older_than(STALE_S)

    def _is_older_than(self, seconds: float) -> bool:
        return self._fetched_at is None or time.monotonic() - self._fetched_at >= seconds


def _is_usable(key: Any) -> bool:
    """Return whether a key is a public one that signatures are checked with."""
    if not isinstance(key, dict) or key.get("use", "sig") != "sig" or "d" in key:
        return False  # with "d" it is the private one, and anybody signs with it
    operations = key.get("key_ops", ["verify"])
    may_verify = isinstance(operations, list) and "verify" in operations
    return may_verify and key.get("kty") in {kind for kind, _ in KINDS_OF_KEYS.values()}


def _fits(key: Mapping[str, Any], kid: str | None, algorithm: str) -> bool:
    kind, curve = KINDS_OF_KEYS[algorithm]
    return (
        (kid is None or key.get("kid") == kid)
        and key.get("kty") == kind
        and (curve is None or key.get("crv") == curve)
        and key.get("alg", algorithm) == algorithm
    )


def _made(key: Mapping[str, Any], algorithm: str) -> PyJWK | None:
    try:
        made = PyJWK({**key}, algorithm)
    except (PyJWTError, ValueError, TypeError, KeyError):
        return None
    if getattr(made.key, "key_size", LEAST_RSA_BITS) < LEAST_RSA_BITS and key["kty"] == "RSA":
        return None
    return made


class KeySets:
    """The keys of all issuers of a project, in one process."""

    def __init__(self) -> None:
        self._sets: Final[dict[str, KeySet]] = {}

    def of(self, name: str, fetch: Fetch, algorithms: Collection[str]) -> KeySet:
        """Return those of one issuer."""
        if name not in self._sets:
            self._sets[name] = KeySet(fetch, algorithms)
        return self._sets[name]
