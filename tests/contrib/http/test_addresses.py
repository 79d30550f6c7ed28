"""Which addresses are hosts of the internet."""

from __future__ import annotations

import pytest

from fastforge.contrib.http.external.addresses import address_of, is_metadata, special_use

SPECIAL = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "10.255.255.255": "private",
    "100.64.0.1": "carrier-grade NAT",
    "100.127.255.254": "carrier-grade NAT",
    "127.0.0.1": "loopback",
    "127.8.8.8": "loopback",
    "168.63.129.16": "metadata",
    "169.254.169.254": "link-local",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.192": "reserved",
    "192.0.2.1": "documentation",
    "192.88.99.1": "6to4 relay",
    "192.168.1.1": "private",
    "198.19.0.1": "benchmarks",
    "203.0.113.9": "documentation",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "::": "unspecified",
    "::1": "loopback",
    "::127.0.0.1": "reserved",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:169.254.169.254": "link-local",
    "::ffff:0:127.0.0.1": "reserved",
    "64:ff9b::7f00:1": "loopback",
    "64:ff9b::10.0.0.1": "private",
    "64:ff9b:1::1": "private",
    "100::1": "reserved",
    "2001::1": "Teredo",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2": "Teredo",
    "2001:10::1": "reserved",
    "2001:db8::1": "documentation",
    "2002:7f00:1::": "6to4",
    "2002:c000:204::1": "6to4",
    "2606:2800:220:1:0:5efe:10.0.0.1": "ISATAP",
    "2606:2800:220:1:200:5efe:10.0.0.1": "ISATAP",
    "3fff::1": "documentation",
    "5f00::1": "reserved",
    "fc00::1": "unique-local",
    "fd00:ec2::254": "unique-local",
    "fe80::1": "link-local",
    "fe80::1%lo": "link-local",
    "febf::1": "link-local",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
}
PUBLIC = (
    "1.1.1.1", "9.255.255.255", "11.0.0.0", "93.184.216.34", "100.63.255.255", "100.128.0.0",
    "172.15.255.255", "172.32.0.0", "192.167.255.255", "198.20.0.0", "223.255.255.255",
    "2001:200::1", "2606:2800:220:1::34", "2a00:1450:4001:82a::200e", "::ffff:9.9.9.9",
    "64:ff9b::909:909",
)  # fmt: skip


@pytest.mark.parametrize("address", SPECIAL)
def test_what_is_no_host_of_the_internet_is_named(address: str) -> None:
    assert special_use(address_of(address)) == SPECIAL[address]


@pytest.mark.parametrize("address", PUBLIC)
def test_all_others_are_public_also_beside_the_limits_of_the_tables(address: str) -> None:
    assert special_use(address_of(address)) == ""


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "fd00:ec2::254",
     "fd20:ce::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "192.0.0.192"],
)  # fmt: skip
def test_clouds_answer_at_addresses_that_are_known(address: str) -> None:
    assert is_metadata(address_of(address))
    assert special_use(address_of(address))
