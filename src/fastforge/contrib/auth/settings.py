"""The setting AUTH."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from pydantic import Field

from ...conf import Section

__all__ = ["DEFAULT_USER_MODEL", "Auth"]

DEFAULT_USER_MODEL: Final = "fastforge.contrib.auth.default_user.models.User"
MEMORY_KIB: Final = 19 * 1024
ITERATIONS: Final = 2
"""With that memory: what OWASP's cheat sheet asks of argon2id, at the least."""
MEMORY_IN_TESTS_KIB: Final = 64


class Auth(Section, setting="AUTH"):
    """Who the users are, and how their passwords are kept.

    ```python
    AUTH = Auth(user_model="shop.accounts.models.User", password_min_length=10)
    ```

    Attributes:
        user_model: The dotted name of the model, a subclass of `AbstractUser`.
        argon2_memory_kib: The memory of one hash, in KiB.
        argon2_iterations: How often it goes over that memory.
        argon2_parallelism: In how many lanes.
        hashing_threads: How many hashes are worked on at the same time in one process.
        hashing_queue: How many more may wait for that; the next one is answered with 503.
        password_min_length: The number of characters of a new password, at the least.
        skipped_rules: The names of rules for new passwords that do not hold.
        old_hashers: Dotted names of pwdlib hashers that read what came from elsewhere.
        access_tokens: What access tokens are: `opaque`, or `jwt` for others who read them.
        access_ttl_s: How long an access token is good, in seconds.
        refresh_ttl_s: How long a login lasts that is not refreshed, in seconds.
        refresh_grace_s: How long a refresh token that was used gives the same pair once more, to a
            client that heard no answer, in seconds; 0: not at all.
        login_ttl_s: How long a login lasts at most, however often it is refreshed, in seconds.
        jwt_issuer: The `iss` of our JSON web tokens; the project's package unless set.
        jwt_audience: Their `aud`; the issuer unless set.
        reset_ttl_s: How long the link of a mail lets somebody choose another password.
        verification_ttl_s: How long the link of a mail proves that an address is somebody's.
        scheme: The word before a token in the Authorization header: `Bearer`, or `Token`.
        identity_ttl_s: For how long a credential that was checked is not checked again, in seconds.
        max_unconfirmed_s: For how long that holds while nobody can say what was revoked, because
            the database is away, in seconds.
        verify_concurrency: How many credentials are checked at the same time in one process.
        verify_queue: How many more may wait for that; the next one is answered with 503.
    """

    user_model: str = DEFAULT_USER_MODEL
    argon2_memory_kib: int | None = Field(default=None, ge=8, le=4 * 1024 * 1024)
    argon2_iterations: int | None = Field(default=None, ge=1)
    argon2_parallelism: int = Field(default=1, ge=1, le=255)
    hashing_threads: int = Field(default=2, ge=1)
    hashing_queue: int = Field(default=100, ge=0)
    password_min_length: int = Field(default=8, ge=1)
    skipped_rules: Sequence[str] = ()
    old_hashers: Sequence[str] = ()
    access_tokens: Literal["opaque", "jwt"] = "opaque"
    access_ttl_s: int = Field(default=900, ge=1, le=31_536_000)
    refresh_ttl_s: int = Field(default=1_209_600, ge=1, le=315_360_000)
    refresh_grace_s: float = Field(default=10, ge=0, le=300)
    login_ttl_s: int = Field(default=7_776_000, ge=1, le=315_360_000)
    jwt_issuer: str = Field(default="", max_length=255)
    jwt_audience: str = Field(default="", max_length=255)
    reset_ttl_s: float = Field(default=3600, gt=0)
    verification_ttl_s: float = Field(default=3 * 24 * 3600, gt=0)
    scheme: str = Field(default="Bearer", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    identity_ttl_s: float = Field(default=300, ge=0, le=86_400)
    max_unconfirmed_s: float = Field(default=30, ge=0)
    verify_concurrency: int = Field(default=10, ge=1)
    verify_queue: int = Field(default=1000, ge=0)

    def defaults_in(self, environment: str) -> dict[str, int]:
        """Return what holds where nothing is written."""
        return {
            "argon2_memory_kib": self.memory_kib_in(environment),
            "argon2_iterations": self.iterations_in(environment),
        }

    def memory_kib_in(self, environment: str) -> int:
        """Return the memory of one hash in an environment: tests have to be quick, not safe."""
        if self.argon2_memory_kib is not None:
            return self.argon2_memory_kib
        return MEMORY_IN_TESTS_KIB if environment == "test" else MEMORY_KIB

    def iterations_in(self, environment: str) -> int:
        """Return how often a hash goes over its memory in an environment."""
        if self.argon2_iterations is not None:
            return self.argon2_iterations
        return 1 if environment == "test" else ITERATIONS
