"""The sections that have to do with HTTP: SECURITY, CORS, HEALTH."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..conf import Section

__all__ = ["Cors", "Health", "Security"]


class Security(Section, setting="SECURITY"):
    """The headers that tell browsers what they may do with an answer.

    Each is set where the answer does not have it already; an empty value leaves it out.

    Attributes:
        content_type_options: X-Content-Type-Options.
        frame_options: X-Frame-Options.
        referrer_policy: Referrer-Policy.
        opener_policy: Cross-Origin-Opener-Policy.
        content_security_policy: Content-Security-Policy; none, because pages differ.
        hsts_max_age_s: How long a browser keeps to HTTPS, in seconds; sent over HTTPS alone.
        hsts_include_subdomains: Whether that holds for the subdomains as well.
    """

    content_type_options: Literal["nosniff", ""] = "nosniff"
    frame_options: Literal["DENY", "SAMEORIGIN", ""] = "DENY"
    referrer_policy: str = "strict-origin-when-cross-origin"
    opener_policy: str = "same-origin"
    content_security_policy: str = ""
    hsts_max_age_s: int = Field(default=31_536_000, ge=0)
    hsts_include_subdomains: bool = False


class Cors(Section, setting="CORS"):
    """Which other origins' pages may call the application; none unless written.

    Attributes:
        allow_origins: Whole origins, `https://shop.example`; `*` for every one.
        allow_origin_regex: A pattern for more of them; it has to match the whole origin.
        allow_methods: What they may use; `*` for every one.
        allow_headers: What they may send besides the harmless ones; `*` for every one.
        allow_credentials: Whether cookies and Authorization may be sent along.
        expose_headers: What their scripts may read of an answer.
        max_age_s: How long a browser keeps what a preflight said, in seconds.
    """

    allow_origins: list[str] = Field(default=[])
    allow_origin_regex: str = ""
    allow_methods: list[str] = Field(default=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
    allow_headers: list[str] = Field(default=["Content-Type", "Authorization"])
    allow_credentials: bool = False
    expose_headers: list[str] = Field(default=["X-Request-ID"])
    max_age_s: int = Field(default=600, ge=0)


class Health(Section, setting="HEALTH"):
    """Where a process is asked whether it lives and whether it can serve.

    Attributes:
        live_path: Answered as long as the event loop turns; empty for no such path.
        ready_path: Answered with 200 while the process should be given requests, else 503; empty
            for no such path.
        timeout_s: How long all resources together may take to answer, in seconds.
        cache_s: How long an answer about the resources is used again, in seconds.
    """

    live_path: str = Field(default="/livez", pattern=r"^(/.*)?$")
    ready_path: str = Field(default="/readyz", pattern=r"^(/.*)?$")
    timeout_s: float = Field(default=1, gt=0)
    cache_s: float = Field(default=1, ge=0)
