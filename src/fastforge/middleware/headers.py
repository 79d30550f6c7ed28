"""Headers: what browsers are told that they may do with an answer."""

from __future__ import annotations

from typing import Final

from .policy import Header

__all__ = ["hsts_header", "security_headers"]

_NAMES: Final = {
    "content_type_options": b"x-content-type-options",
    "frame_options": b"x-frame-options",
    "referrer_policy": b"referrer-policy",
    "opener_policy": b"cross-origin-opener-policy",
    "content_security_policy": b"content-security-policy",
}


def security_headers(**values: str) -> tuple[Header, ...]:
    """Return the headers that every answer gets which does not have them already.

    ```python
    assert security_headers(frame_options="DENY") == ((b"x-frame-options", b"DENY"),)
    ```

    Args:
        values: By the field of the section `Security` that gives them; an empty one leaves its
            header out.
    """
    return tuple((_NAMES[name], value.encode()) for name, value in values.items() if value)


def hsts_header(max_age_s: int, *, include_subdomains: bool) -> tuple[Header, ...]:
    """Return what an answer gets in addition where it goes over HTTPS; nothing for an age of 0."""
    if max_age_s == 0:
        return ()
    value = f"max-age={max_age_s}" + ("; includeSubDomains" if include_subdomains else "")
    return ((b"strict-transport-security", value.encode()),)
