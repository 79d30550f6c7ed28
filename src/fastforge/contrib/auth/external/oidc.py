"""OidcIssuer: JSON web tokens that somebody else signs, checked with the keys they publish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ....lifecycle import current_container
from ..errors import InvalidToken
from ..identity.principal import Identity
from ..identity.verifier import TokenVerifier
from ..tokens.claims import Expected, audiences_of
from .asking import ask
from .errors import IssuerAway, IssuerRefused
from .key_sets import KINDS_OF_KEYS
from .library import PyJWK, PyJWS, PyJWTError
from .looking import Head, is_ours, looked_at
from .places import Places
from .resources import key_sets
from .whom import Identify, checked_name, stranger_of, user_of

__all__ = ["OidcIssuer"]

_DISCOVERY: Final = "/.well-known/openid-configuration"
_SIGNATURES: Final = PyJWS(algorithms=list(KINDS_OF_KEYS))


@dataclass(frozen=True, kw_only=True)
class OidcIssuer(TokenVerifier):
    """Access tokens of an issuer of OpenID Connect: Keycloak, Auth0, Entra, Google.

    An instance stands in an app's `token_verifiers.py`; `fastforge.contrib.auth.external` and
    `fastforge.contrib.http` are installed.

    ```python
    STAFF = OidcIssuer(
        name="staff", issuer="https://id.example.org/realms/staff", audience="shop"
    )
    ```

    The issuer is asked for the place of its keys, and for those: when the first token comes, every
    10 minutes, and when a token names a key that is not known, which is at most every 30 seconds
    whatever anybody sends. Keys that cannot be fetched hold for a day.

    Surprises: who asks is `staff:SUBJECT` and has no row here, and scopes as the token says.
    With `identify` it is a user of yours. The audience is your API: an issuer that writes tokens
    for several of them must not be able to let in those for others.

    Args:
        name: Unique in the project; `Identity.kind`, and what is before the subject.
        issuer: As its tokens and its discovery document say, to the letter.
        audience: Who the tokens are for: one name, or several of which one is enough.
        algorithms: Those that are accepted. None of them checks with a secret.
        types: The `typ` of its header that a token may have, in small letters.
        required: The claims that a token has to have, besides those that are always needed.
        scopes_claim: Where its scopes stand: `scope`, `scp`, `permissions`.
        jwks_url: Where its keys are; empty: where its discovery document says.
        allow_networks: Inner networks that it may stand in, and then also by plain http.
        identify: Returns the user of yours whom the claims name.

    Raises:
        IssuerRefused: It would not be safe so.
    """

    name: str
    issuer: str
    audience: str | Sequence[str]
    algorithms: Sequence[str] = ("RS256", "ES256")
    types: Sequence[str] = ("jwt", "at+jwt")
    required: Sequence[str] = ()
    scopes_claim: str = "scope"
    jwks_url: str = ""
    allow_networks: Sequence[str] = ()
    identify: Identify | None = None

    def __post_init__(self) -> None:
        checked_name(self.name)
        self._places.checked(self.issuer, named=f"the issuer of {self.name!r}")
        if self.jwks_url:
            self._places.checked(self.jwks_url, named=f"jwks_url of {self.name!r}")
        odd = [each for each in self.algorithms if each not in KINDS_OF_KEYS]
        if odd or not self.algorithms or not self._expected.audiences:
            raise IssuerRefused(
                f"{self.name!r} accepts the algorithms {', '.join(self.algorithms) or 'none'},"
                f" for {self._expected.audiences or 'nobody'}",
                code="auth.E035",
                hint=f"there are {', '.join(KINDS_OF_KEYS)}; and name your API as audience",
            )

    @property
    def _places(self) -> Places:
        return Places(allow_networks=self.allow_networks)

    @property
    def _expected(self) -> Expected:
        return Expected(
            issuer=self.issuer,
            audiences=audiences_of(self.audience),
            required=("exp", "iat", "sub", "iss", "aud", *self.required),
        )

    def accepts(self, token: str) -> bool:
        """Return whether a token says to be of this issuer, in a way that is accepted."""
        return not is_ours(token) and self._head(token) is not None

    async def verify(self, token: str) -> Identity:
        """Return whose a token is.

        Raises:
            InvalidToken: The issuer has not signed it, or it is not good here and now.
            IssuerAway: There are no keys to check it with, and they cannot be fetched.
        """
        head = self._head(token)
        if head is None:
            raise InvalidToken("it is no token of this issuer")
        keys = current_container()[key_sets].of(self.name, self._fetch, self.algorithms)
        candidates = await keys.find(head.kid, head.algorithm)
        payloads = (_payload(token, key, head.algorithm) for key in candidates)
        payload = next((each for each in payloads if each is not None), None)
        if payload is None:
            raise InvalidToken("none of the issuer's keys has signed it")
        claims = self._expected.read(payload)
        about: dict[str, Any] = {
            "issuer": self.name,
            "token_id": claims.token_id,
            "expires_at": claims.expires_at,
        }
        if self.identify is not None:
            return await user_of(claims.all, self.identify, **about)
        return stranger_of(
            claims.all, subject=claims.subject, scopes_claim=self.scopes_claim, **about
        )

    def _head(self, token: str) -> Head | None:
        head = looked_at(token)
        if head is None or head.issuer != self.issuer:
            return None
        return head if head.algorithm in self.algorithms and head.typ in self.types else None

    async def _fetch(self) -> Sequence[Any]:
        try:
            found = await ask(self._places, self.jwks_url or await self._discovered())
        except IssuerRefused as error:
            raise IssuerAway(error.message, code=error.code, hint=error.hint) from error
        keys = found.get("keys")
        if not isinstance(keys, list):
            raise self._odd("has no list of keys")
        return keys

    async def _discovered(self) -> str:
        document = await ask(self._places, self.issuer.rstrip("/") + _DISCOVERY)
        if document.get("issuer") != self.issuer:
            raise self._odd("says to be another issuer")
        url = document.get("jwks_uri")
        if not isinstance(url, str):
            raise self._odd("does not say where its keys are")
        return self._places.checked(url, named=f"jwks_uri of {self.name!r}")

    def _odd(self, problem: str) -> IssuerAway:
        return IssuerAway(
            f"{self.issuer} {problem}",
            code="auth.E036",
            hint="compare `issuer` with its discovery document, to the letter",
        )


def _payload(token: str, key: PyJWK, algorithm: str) -> bytes | None:
    """Return what a token says that a key has signed; None if it has not."""
    try:
        found = _SIGNATURES.decode_complete(
            token, key, algorithms=[algorithm], options={"enforce_minimum_key_length": True}
        )
    except (PyJWTError, ValueError, TypeError):
        return None
    payload: bytes = found["payload"]
    return payload
