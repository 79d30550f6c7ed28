"""The sections that have to do with HTTP: SECURITY, CORS, HEALTH."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from ..conf import Section

__all__ = ["Cors", "Health", "Security"]

_SHORTEST_TOKEN: Final = 16
_A_STRANGER: Final = "https://whoever.invalid"


def _whole_origin(origin: str) -> str:
    if origin == "*":
        return origin
    if origin != origin.lower():
        raise ValueError(f"browsers send origins in lower case; write {origin.lower()!r}")
    parts = urlsplit(origin)
    if not parts.scheme or not parts.netloc:
        raise ValueError(f"this origin has no scheme; write 'https://{origin.lstrip('/')}'")
    whole = f"{parts.scheme}://{parts.netloc}"
    if origin != whole:
        raise ValueError(f"an origin has no path; write {whole!r}")
    if "*" in origin:
        raise ValueError("only '*' alone stands for more than one; write an allow_origin_regex")
    return origin


def _usable_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"this is no regular expression: {error}") from None
    return pattern


def _one_line(value: str) -> str:
    if not re.fullmatch(r"[ -~]*", value):
        raise ValueError("a header is one line of printable ASCII")
    return value


def _whole_path(path: str) -> str:
    if not re.fullmatch(r"(/[^\s?#]*)?", path):
        raise ValueError("a path begins with / and has no space, ? or #; '' leaves it out")
    return path


def _public_path(path: str) -> str:
    if not re.fullmatch(r"/[^\s?#]+", path):
        raise ValueError("write a path below which all is public, '/static'; '/' alone is refused")
    return path


def _upper_case(method: str) -> str:
    if method != method.upper():
        raise ValueError(f"browsers ask for methods in upper case; write {method.upper()!r}")
    return method


def _usable_network(network: str) -> str:
    try:
        ipaddress.ip_network(network)
    except ValueError:
        raise ValueError("this is no network; write '10.0.0.0/8', or an address") from None
    return network


def _unguessable(token: str) -> str:
    if token and (len(token) < _SHORTEST_TOKEN or not re.fullmatch(r"[!-~]+", token)):
        raise ValueError(
            f"a token has at least {_SHORTEST_TOKEN} printable characters and no space; make one"
            " with: python -c 'import secrets; print(secrets.token_urlsafe())'"
        )
    return token


HeaderValue = Annotated[str, AfterValidator(_one_line)]
PublicPath = Annotated[str, AfterValidator(_public_path)]
ProbePath = Annotated[str, AfterValidator(_whole_path)]
Method = Annotated[str, AfterValidator(_upper_case)]
Network = Annotated[str, AfterValidator(_usable_network)]
Token = Annotated[str, AfterValidator(_unguessable)]
Origin = Annotated[str, AfterValidator(_whole_origin)]
Pattern = Annotated[str, AfterValidator(_usable_pattern)]


class Security(Section, setting="SECURITY"):
    """The headers that tell browsers what they may do with an answer, and who may ask for what.

    Each header is set where the answer does not have it already; an empty value leaves it out.

    Attributes:
        content_type_options: X-Content-Type-Options.
        frame_options: X-Frame-Options.
        referrer_policy: Referrer-Policy.
        opener_policy: Cross-Origin-Opener-Policy.
        content_security_policy: Content-Security-Policy; none, because pages differ.
        hsts_max_age_s: How long a browser keeps to HTTPS, in seconds; sent over HTTPS alone.
        hsts_include_subdomains: Whether that holds for the subdomains as well.
        socket_origins: Whose pages may open web sockets besides those of the same host, and those
            that CORS allows with credentials: whole origins, `https://shop.example`; `*` for
            every one.
        require_policy: Whether `manage check` refuses a route that does not say who may ask for it.
        public_paths: Paths that anybody may ask for, with all that is below them: what is mounted,
            and routes of others, say it here.
    """

    content_type_options: Literal["nosniff", ""] = "nosniff"
    frame_options: Literal["DENY", "SAMEORIGIN", ""] = "DENY"
    referrer_policy: HeaderValue = "strict-origin-when-cross-origin"
    opener_policy: HeaderValue = "same-origin"
    content_security_policy: HeaderValue = ""
    hsts_max_age_s: int = Field(default=31_536_000, ge=0)
    hsts_include_subdomains: bool = False
    socket_origins: list[Origin] = Field(default=[])
    require_policy: bool = False
    public_paths: list[PublicPath] = Field(default=[])


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

    allow_origins: list[Origin] = Field(default=[])
    allow_origin_regex: Pattern = ""
    allow_methods: list[Method] = Field(default=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
    allow_headers: list[str] = Field(default=["Content-Type", "Authorization"])
    allow_credentials: bool = False
    expose_headers: list[str] = Field(default=["X-Request-ID"])
    max_age_s: int = Field(default=600, ge=0)

    @model_validator(mode="after")
    def _credentials_need_names(self) -> Self:
        is_open = "*" in self.allow_origins or re.fullmatch(self.allow_origin_regex, _A_STRANGER)
        if self.allow_credentials and is_open:
            raise ValueError(
                "every page of the web could act as whoever has logged in; name the origins, or"
                " leave allow_credentials out"
            )
        return self

    @property
    def is_wanted(self) -> bool:
        """Whether any other origin may call the application."""
        return bool(self.allow_origins or self.allow_origin_regex)


class Health(Section, setting="HEALTH"):
    """Where a process is asked whether it lives and whether it can serve.

    Attributes:
        startup_path: Answered with 503 until the start is over, then always with 200; empty for no
            such path.
        live_path: Answered as long as the event loop turns; empty for no such path.
        ready_path: Answered with 200 while the process should be given requests, else 503; empty
            for no such path.
        timeout_s: How long all resources together may take to answer, in seconds.
        cache_s: How long an answer about the resources is used again, in seconds.
        grace_s: How long a required resource that has worked may fail before the process is not
            ready, in seconds: a hiccup that all processes see takes none of them away.
        details_to: The networks that may read, with `?verbose`, why a resource fails.
        details_token: What anybody else has to send for that, as `Authorization: Bearer`; empty:
            it is not enough to have one.
    """

    startup_path: ProbePath = "/startupz"
    live_path: ProbePath = "/livez"
    ready_path: ProbePath = "/readyz"
    timeout_s: float = Field(default=1, gt=0)
    cache_s: float = Field(default=1, ge=0)
    grace_s: float = Field(default=5, ge=0)
    details_to: list[Network] = Field(default=[])
    details_token: Token = ""

    @model_validator(mode="after")
    def _paths_differ(self) -> Self:
        fields: dict[str, str] = {}
        for field in ("startup_path", "live_path", "ready_path"):
            path = getattr(self, field)
            if path and path in fields:
                raise ValueError(f"{fields[path]} and {field} are both {path!r}; one has to go")
            fields[path] = field
        return self
