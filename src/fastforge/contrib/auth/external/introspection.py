"""Introspection: tokens that nobody but another service can read, which is asked (RFC 7662)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from pydantic import SecretStr

from ..errors import InvalidToken
from ..identity.principal import Identity
from ..identity.verifier import TokenVerifier
from ..tokens.claims import Expected, audiences_of
from .asking import ask
from .looking import is_our_jwt, is_ours, is_token
from .places import Places
from .whom import Identify, checked_name, stranger_of, user_of

__all__ = ["Introspection"]


@dataclass(frozen=True, kw_only=True)
class Introspection(TokenVerifier):
    """Tokens that another service knows, which is asked as RFC 7662 says.

    An instance stands in an app's `token_verifiers.py`; `fastforge.contrib.auth.external` and
    `fastforge.contrib.http` are installed.

    ```python
    PARTNERS = Introspection(
        name="partners",
        url="https://id.example.org/oauth2/introspect",
        client_id="shop",
        client_secret=env.secret("PARTNERS_SECRET"),
    )
    ```

    Surprises: it takes every token that no verifier before it takes, so let it be the last one, or
    give it a `prefix`. The other service sees those, though never one of ours. What it says is
    remembered for AUTH.identity_ttl_s at most: so long a token that was revoked there is good
    here. Who asks is `partners:SUBJECT`, without a row here, unless `identify` says whom of yours
    it is.

    Args:
        name: Unique in the project; `Identity.kind`, and what is before the subject.
        url: That of the endpoint.
        client_id: Who asks it.
        client_secret: What proves that.
        prefix: What its tokens begin with; empty: anything.
        issuer: The `iss` that its answer has to have; empty: any, or none.
        audience: The `aud` that its answer has to have: one name, or several of which one is
            enough; empty: any, or none.
        scopes_claim: Where scopes stand in its answer.
        allow_networks: Inner networks that it may stand in, and then also by plain http.
        identify: Returns the user of yours whom the answer names.

    Raises:
        IssuerRefused: It would not be safe so.
    """

    name: str
    url: str
    client_id: str
    client_secret: str | SecretStr = field(repr=False)
    prefix: str = ""
    issuer: str = ""
    audience: str | Sequence[str] = ()
    scopes_claim: str = "scope"
    allow_networks: Sequence[str] = ()
    identify: Identify | None = None

    def __post_init__(self) -> None:
        checked_name(self.name)
        self._places.checked(self.url, named=f"the url of {self.name!r}")

    @property
    def _places(self) -> Places:
        return Places(allow_networks=self.allow_networks)

    def accepts(self, token: str) -> bool:
        """Return whether a token may be one of these."""
        may_be = is_token(token) and token.startswith(self.prefix)
        return may_be and not is_ours(token) and not is_our_jwt(token)

    async def verify(self, token: str) -> Identity:
        """Return whose a token is.

        Raises:
            InvalidToken: The other service says that it is none, or not good for us.
            IssuerAway: It is away, or does not let us ask.
        """
        if not self.accepts(token):
            raise InvalidToken("it is no token of theirs")
        answer = await ask(
            self._places,
            self.url,
            form={"token": token, "token_type_hint": "access_token"},
            headers={"Authorization": self._credentials()},
        )
        if answer.get("active") is not True:  # neither "true" nor 1
            raise InvalidToken("they say that it is not active")
        expected = Expected(
            issuer=self.issuer, audiences=audiences_of(self.audience), required=("sub",)
        )
        claims = expected.check(answer)
        about: dict[str, Any] = {
            "issuer": self.name,
            "token_id": claims.token_id,
            "expires_at": claims.expires_at,
        }
        if self.identify is not None:
            return await user_of(answer, self.identify, **about)
        return stranger_of(answer, subject=claims.subject, scopes_claim=self.scopes_claim, **about)

    def _credentials(self) -> str:
        secret = self.client_secret
        if isinstance(secret, SecretStr):
            secret = secret.get_secret_value()
        # RFC 6749 2.3.1: each is encoded for itself, since the secret may have a colon.
        pair = f"{quote_plus(self.client_id)}:{quote_plus(secret)}"
        return f"Basic {b64encode(pair.encode()).decode()}"
