"""The headers for browsers are made once, from what the settings say."""

from __future__ import annotations

from fastforge.middleware.headers import hsts_header, security_headers


def test_each_value_gives_its_header_and_an_empty_one_none() -> None:
    assert security_headers(
        content_type_options="nosniff",
        frame_options="DENY",
        referrer_policy="no-referrer",
        opener_policy="",
        content_security_policy="default-src 'self'",
    ) == (
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"content-security-policy", b"default-src 'self'"),
    )


def test_https_is_asked_for_with_its_age() -> None:
    assert hsts_header(60, include_subdomains=False) == (
        (b"strict-transport-security", b"max-age=60"),
    )
    assert hsts_header(60, include_subdomains=True) == (
        (b"strict-transport-security", b"max-age=60; includeSubDomains"),
    )
    assert hsts_header(0, include_subdomains=True) == ()
