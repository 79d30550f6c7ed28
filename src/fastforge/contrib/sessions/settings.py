"""The setting SESSIONS."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ...conf import Section
from ...web.settings import Origin

__all__ = ["DATABASE_STORE", "Sessions"]

DATABASE_STORE: Final = "database"
DAY_S: Final = 86_400


def _one_origin(origin: str) -> str:
    if origin == "*":
        raise ValueError("every page of the web could act as whoever has logged in; name origins")
    return origin


class Sessions(Section, setting="SESSIONS"):
    """How long browsers stay logged in, by which cookie, and whose pages may act for them.

    ```python
    SESSIONS = Sessions(idle_s=1800, lifetime_s=12 * 3600, same_site="strict")
    ```

    Attributes:
        idle_s: How long a session that nobody uses is kept, in seconds.
        lifetime_s: How long one is kept at all, from the login on, in seconds.
        is_persistent: Whether the cookie outlives the browser; it never outlives `lifetime_s`.
        same_site: What the cookie says of requests that other sites begin.
        secure: Whether the cookie is sent over HTTPS alone, as `__Host-session`; None: it is,
            unless a developer is served over plain HTTP.
        trusted_origins: Whole origins, `https://app.shop.example`, besides the application's own,
            whose pages may send what changes something with the cookie.
        max_bytes: How much one session may hold, as JSON.
        store: Where they are kept: `database`; with `fastforge.contrib.redis` `redis`; or the name
            of another one that an app brings.
    """

    idle_s: int = Field(default=14 * DAY_S, ge=1)
    lifetime_s: int = Field(default=90 * DAY_S, ge=1)
    is_persistent: bool = True
    same_site: Literal["lax", "strict", "none"] = "lax"
    secure: bool | None = None
    trusted_origins: list[Annotated[Origin, AfterValidator(_one_origin)]] = Field(default=[])
    max_bytes: int = Field(default=64 * 1024, ge=64)
    store: str = DATABASE_STORE

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.same_site == "none" and self.secure is False:
            raise ValueError("browsers refuse a cookie with SameSite=None that is not secure")
        return self

    def defaults_in(self, environment: str) -> dict[str, bool | None]:
        """Return what holds where nothing is written."""
        return {"secure": self.secure_in(environment)}

    def secure_in(self, environment: str) -> bool | None:
        """Return whether the cookie is for HTTPS alone; None: it is where the request came so."""
        if self.secure is not None or self.same_site == "none":
            return self.secure is not False
        return True if environment == "production" else None
