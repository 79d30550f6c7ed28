"""The setting AUTH."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

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
        scheme: The word before a token in the Authorization header: `Bearer`, or `Token`.
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
    scheme: str = Field(default="Bearer", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")

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
