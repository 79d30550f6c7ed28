"""Who the client is behind proxies: what a client writes about itself is not believed."""

from __future__ import annotations

import pytest

from fastforge.middleware.proxies import (
    LONGEST_KNOWN_CHAIN,
    MOST_KNOWN_CHAINS,
    MOST_PROXIES,
    TrustedProxies,
    usable_proxy,
)

PROXY, INNER, CLIENT, FORGED = "10.0.0.1", "10.0.0.2", "203.0.113.7", "6.6.6.6"
TRUSTED = ["10.0.0.0/8", "fd00::/8", "192.0.2.1"]


def client_of(
    *lines: str, peer: str = PROXY, proto: tuple[str, ...] = ()
) -> tuple[str, str] | None:
    return TrustedProxies(TRUSTED).client_of(
        peer, [line.encode("latin-1") for line in lines], [line.encode() for line in proto]
    )


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        ([], PROXY),
        ([""], PROXY),
        ([CLIENT], CLIENT),
        # What the client sent itself stands left of what our proxy saw.
        ([f"{FORGED}, {CLIENT}"], CLIENT),
        ([f"{INNER}, {CLIENT}"], CLIENT),
        ([f"127.0.0.1,{CLIENT}"], CLIENT),
        ([f"{FORGED}, {CLIENT}, {INNER}"], CLIENT),
        ([f"{CLIENT}, {INNER}, 192.0.2.1"], CLIENT),
        # Several lines are one list.
        ([FORGED, CLIENT], CLIENT),
        ([f"{FORGED}, {CLIENT}", INNER], CLIENT),
        ([f"{CLIENT},", f" ,{INNER}"], CLIENT),
        # A chain of ours alone: a proxy of ours is the client.
        ([f"{INNER}, {PROXY}"], INNER),
        # Junk ends the reading at the last good one.
        (["unknown"], PROXY),
        (["_hidden, 10.0.0.3"], "10.0.0.3"),
        ([f"{CLIENT}, junk"], PROXY),
        ([f"{CLIENT}, junk, {INNER}"], INNER),
        ([f"{CLIENT}, <script>"], PROXY),
        ([f"{CLIENT}, 999.0.0.1"], PROXY),
        ([f"{CLIENT}, 010.0.0.1"], PROXY),
        ([f"{CLIENT}, \xb2.0.0.1"], PROXY),
        # Ports and brackets.
        ([f"{CLIENT}:4711"], CLIENT),
        ([f"{FORGED}, {CLIENT}:4711, {INNER}:80"], CLIENT),
        (["[2001:db8::7]:4711"], "2001:db8::7"),
        (["[2001:db8::7]"], "2001:db8::7"),
        (["2001:DB8:0::7"], "2001:db8::7"),
        (["2001:db8::7, fd00::1"], "2001:db8::7"),
        ([f"::ffff:{CLIENT}"], CLIENT),
        ([f"{CLIENT}, ::ffff:{INNER}"], CLIENT),
        ([f"{FORGED}, {CLIENT}:port"], PROXY),
        ([f"{FORGED}, [2001:db8::7"], PROXY),
        ([f"{FORGED}, [2001:db8::7]x"], PROXY),
        ([f"{FORGED}, fe80::1%eth0"], PROXY),
        (['"[2001:db8::7]"'], PROXY),
    ],
)
def test_the_client_is_the_first_from_the_right_who_is_no_proxy_of_ours(
    lines: list[str], address: str
) -> None:
    assert client_of(*lines) == (address, "")


@pytest.mark.parametrize("peer", [CLIENT, "11.0.0.1", "2001:db8::1", "testclient", "", "unix"])
def test_whoever_is_no_trusted_proxy_is_the_client(peer: str) -> None:
    assert client_of(FORGED, peer=peer, proto=("https",)) is None


@pytest.mark.parametrize("peer", ["10.255.0.1", "192.0.2.1", "fd00::1", "::ffff:10.0.0.1"])
def test_an_address_in_a_trusted_network_is_a_proxy(peer: str) -> None:
    assert client_of(CLIENT, peer=peer) == (CLIENT, "")


def test_who_comes_through_a_unix_socket_is_trusted_where_the_settings_say_so() -> None:
    trusted = TrustedProxies(["unix"])
    assert trusted.client_of("", [CLIENT.encode()], [b"https"]) == (CLIENT, "https")
    assert trusted.client_of("unix", [CLIENT.encode()], []) is None


@pytest.mark.parametrize(
    ("lines", "proto", "scheme"),
    [
        ([CLIENT], ["https"], "https"),
        ([CLIENT], ["HTTPS"], "https"),
        ([CLIENT], ["http"], "http"),
        ([CLIENT], ["wss"], "https"),
        ([CLIENT], ["ws"], "http"),
        ([CLIENT], ["gopher"], ""),
        ([CLIENT], ["https://evil.example"], ""),
        ([CLIENT], [], ""),
        # As many as addresses: each was written with the address that stands at its place.
        ([f"{FORGED}, {CLIENT}"], ["https, http"], "http"),
        ([f"{CLIENT}, {INNER}"], ["https, http"], "https"),
        ([CLIENT, INNER], ["https", "http"], "https"),
        # Else the last: that of the proxy which is nearest to us.
        ([f"{FORGED}, {CLIENT}"], ["https"], "https"),
        ([CLIENT], ["https, http"], "http"),
        ([], ["http, https"], "https"),
        (["junk"], ["https"], "https"),
    ],
)
def test_the_scheme_is_the_one_that_the_client_used(
    lines: list[str], proto: list[str], scheme: str
) -> None:
    found = client_of(*lines, proto=tuple(proto))
    assert found is not None
    assert found[1] == scheme


def test_a_chain_without_end_is_not_walked() -> None:
    found = client_of(", ".join([CLIENT, *[INNER] * 5000]))
    assert found == (INNER, "")
    assert client_of(", ".join([CLIENT, *[INNER] * MOST_PROXIES])) == (CLIENT, "")


def test_chains_that_nobody_has_sent_before_do_not_fill_the_memory() -> None:
    trusted = TrustedProxies(TRUSTED)
    for number in range(2 * MOST_KNOWN_CHAINS):
        trusted.client_of(PROXY, [b"203.0.113.7:%d" % number], [])
    trusted.client_of(PROXY, [b"x" * (LONGEST_KNOWN_CHAIN + 1)], [])
    assert len(trusted._known) <= MOST_KNOWN_CHAINS
    assert all(len(fors[0]) < LONGEST_KNOWN_CHAIN for _, fors, _ in trusted._known)


@pytest.mark.parametrize("entry", ["10.0.0.0/8", "10.0.0.1", "::1", "fd00::/8", "unix"])
def test_a_usable_entry_is_taken_as_it_is(entry: str) -> None:
    assert usable_proxy(entry) == entry


@pytest.mark.parametrize(
    ("entry", "cure"),
    [
        ("*", "write your proxies' networks"),
        ("10.0.0.1/8", "write '10.0.0.0/8'"),
        ("10.0.0.0/33", "write '10.0.0.0/8'"),
        ("proxy.internal", "write '10.0.0.0/8'"),
        ("UNIX", "'unix' for a Unix socket"),
        ("", "write '10.0.0.0/8'"),
    ],
)
def test_an_entry_that_is_no_network_is_refused_with_what_to_write(entry: str, cure: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        usable_proxy(entry)
    assert cure in str(caught.value)
