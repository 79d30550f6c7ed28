"""Only the hosts of ALLOWED_HOSTS are answered, however they are written."""

from __future__ import annotations

import pytest

from fastforge.middleware.hosts import MOST_KNOWN_HOSTS, AllowedHosts, usable_host_pattern

OURS = ["shop.example", "*.cdn.example", "127.0.0.1", "[::1]"]


@pytest.mark.parametrize(
    "host",
    [
        b"shop.example", b"shop.example:8000", b"SHOP.Example", b"shop.example.",
        b"shop.example.:80", b"a.cdn.example", b"a.b.cdn.example:443",
        b"127.0.0.1", b"127.0.0.1:8000", b"[::1]", b"[::1]:8000", b"[0:0::1]",
    ],
)  # fmt: skip
def test_a_host_of_ours_is_answered(host: bytes) -> None:
    allows_host = AllowedHosts(OURS)
    assert allows_host(host)
    assert allows_host(host)  # as it was kept


@pytest.mark.parametrize(
    "host",
    [
        b"evil.example", b"shop.example.evil.example", b"evilshop.example", b"www.shop.example",
        b"cdn.example", b"evilcdn.example", b"127.0.0.2", b"[::2]",
    ],
)  # fmt: skip
def test_another_host_is_not_answered(host: bytes) -> None:
    assert not AllowedHosts(OURS)(host)


@pytest.mark.parametrize(
    "host",
    [
        b"", b".", b"..", b"shop.example..", b".shop.example", b"shop..example", b":8000",
        b"shop.example:", b"shop.example:http", b"shop.example:99999", b"shop.example:-1",
        b"shop.example/x", b"shop.example@evil.example", b"user:pw@shop.example", b"shop.example?",
        b"shop.example, evil.example", b"shop.example evil", b" shop.example", b"shop.example\n",
        b"::1", b"[::1", b"[::1]x", b"[::1]]", b"[shop.example]", b"[fe80::1%25eth0]", b"[]",
        b"sh\xf6p.example", b"*.cdn.example", b"a" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_host_is_refused_even_where_every_host_is_allowed(host: bytes) -> None:
    assert not AllowedHosts(OURS)(host)
    assert not AllowedHosts(["*"])(host)


def test_a_star_allows_every_host() -> None:
    assert AllowedHosts(["*"])(b"whoever.example:8000")


def test_hosts_that_nobody_has_sent_before_do_not_fill_the_memory() -> None:
    allows_host = AllowedHosts(["*"])
    for number in range(3 * MOST_KNOWN_HOSTS):
        assert allows_host(b"%d.example" % number)
    assert len(allows_host._known) <= MOST_KNOWN_HOSTS


@pytest.mark.parametrize("pattern", ["*", "shop.example", "*.shop.example", "10.0.0.1", "[::1]"])
def test_a_usable_pattern_is_taken_as_it_is(pattern: str) -> None:
    assert usable_host_pattern(pattern) == pattern


@pytest.mark.parametrize(
    ("pattern", "cure"),
    [
        ("https://shop.example/", "'shop.example'"),
        ("http://shop.example:8000", "'shop.example'"),
        ("shop.example:8000", "'shop.example'"),
        (".shop.example", "'*.shop.example'"),
        ("::1", "'[::1]'"),
        ("shop.*", "this is no host"),
        ("*shop.example", "this is no host"),
        ("shop example", "this is no host"),
        ("", "this is no host"),
    ],
)
def test_a_pattern_that_matches_nothing_is_refused_with_what_to_write(
    pattern: str, cure: str
) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        usable_host_pattern(pattern)
    assert cure in str(caught.value)
