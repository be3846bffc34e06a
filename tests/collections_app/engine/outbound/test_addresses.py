from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.engine.outbound.addresses import AllowList, AmbiguousHost, is_public, parse_literal

NOT_PUBLIC = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255",
    "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255",
    "192.0.0.8", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::2", "::127.0.0.1", "::10.0.0.1", "::8.8.8.8",
    "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "64:ff9b:1::8.8.8.8",
    "2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::1", "2002:6440:1::",
    "2001::1", "2001:0:7f00:1::1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:0:808:808::f7f7:f7f7",
    "2001:10::1", "2001:db8::1", "2001:db8:ffff::1", "3fff::1", "3fff:fff::1", "4000::1", "5f00::1", "100::1",
    "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "feff::1", "ff02::1", "ff0e::1",
    "2606:4700:4700::1111%1", "64:ff9b::8.8.8.8%1", "1fff::1", "ffff::1",
    "2606:4700::5efe:7f00:1", "2606:4700::200:5efe:10.0.0.1", "2606:4700::100:5efe:a9fe:a9fe",
    "2606:4700::300:5efe:0:1",
    "2002:808:808::5efe:7f00:1", "2002:7f00:1::5efe:8.8.8.8", "fe80::5efe:8.8.8.8", "fd00::200:5efe:8.8.8.8",
)  # fmt: skip
PUBLIC = (
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.255.255.255", "128.0.0.1",
    "168.63.129.15", "172.15.255.255", "172.32.0.1", "192.0.1.1", "192.167.1.1", "192.169.1.1", "198.17.1.1",
    "198.20.0.1", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e",
    "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2606:4700::5efe:8.8.8.8", "2606:4700::400:5efe:7f00:1",
    "2606:4700::5eff:7f00:1", "2606:4700::5efe:7f00:1:1", "2002:808:808::200:5efe:808:808",
)  # fmt: skip


@pytest.mark.parametrize("spelling", NOT_PUBLIC)
def test_non_public_addresses_are_not_public(spelling: str) -> None:
    assert not is_public(ip_address(spelling))


@pytest.mark.parametrize("spelling", PUBLIC)
def test_public_addresses_are_public(spelling: str) -> None:
    assert is_public(ip_address(spelling))


@given(st.ip_addresses(v=4))
def test_embedding_an_address_never_makes_it_public(address: object) -> None:
    inner = ip_address(str(address))
    number = int(inner)
    for wrapped in (0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80):
        assert is_public(ip_address(wrapped.to_bytes(16, "big"))) == is_public(inner)
    for interface in (0x5EFE, 0x200_5EFE, 0x100_5EFE, 0x300_5EFE):
        isatap = 0x2606_4700 << 96 | interface << 32 | number
        assert is_public(ip_address(isatap.to_bytes(16, "big"))) == is_public(inner)
    assert not is_public(ip_address(number.to_bytes(16, "big")))


@given(st.ip_addresses(v=6))
def test_ipv6_outside_the_public_range_is_public_only_by_its_embedded_address(address: object) -> None:
    parsed = ip_address(str(address))
    if not 0x20 <= parsed.packed[0] <= 0x3F:
        assert not is_public(parsed) or parsed.packed[:12] in (bytes(10) + b"\xff\xff", b"\0\x64\xff\x9b" + bytes(8))


@pytest.mark.parametrize("host", ["127.0.0.1", "8.8.8.8", "::1", "::ffff:7f00:1", "fe80::1%lo"])
def test_address_literals_are_parsed(host: str) -> None:
    assert parse_literal(host) == ip_address(host)


@pytest.mark.parametrize(
    "host",
    ["0177.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0X7F.1", "0x", "0", "127.0.0.1.",
     "010.0.0.1", "1.2.3.4.5", "256.256.256.256", "a.1", "017700000001", "::1::", "1:2", "4294967297"],
)  # fmt: skip
def test_ambiguous_address_spellings_are_rejected(host: str) -> None:
    with pytest.raises(AmbiguousHost):
        parse_literal(host)


@pytest.mark.parametrize("host", ["example.com", "localhost", "1e100.net", "0x7f.example", "a", "3com.com"])
def test_names_are_not_literals(host: str) -> None:
    assert parse_literal(host) is None


def test_private_addresses_are_not_permitted_by_default() -> None:
    assert not AllowList().permits(ip_address("127.0.0.1"), host="localhost")
    assert AllowList().permits(ip_address("8.8.8.8"), host="dns.google")


def test_an_allowed_network_is_permitted_in_every_embedding_and_no_other_is() -> None:
    allow = AllowList.parse(["10.1.0.0/16", "::1"])
    assert allow.permits(ip_address("10.1.2.3"), host="x")
    assert allow.permits(ip_address("::ffff:10.1.2.3"), host="x")
    assert allow.permits(ip_address("::1"), host="x")
    assert not allow.permits(ip_address("2606:4700::5efe:10.1.2.3"), host="x")
    assert not allow.permits(ip_address("10.2.0.1"), host="x")
    assert not allow.permits(ip_address("::2"), host="x")


def test_an_allowed_host_may_have_any_address() -> None:
    allow = AllowList.parse(["Wiki.Example"])
    assert allow.permits(ip_address("10.2.0.1"), host="wiki.example")
    assert not allow.permits(ip_address("10.2.0.1"), host="www.wiki.example")


@pytest.mark.parametrize("entry", ["", "10.0.0.1/8", "http://x", "a b", "*", "127.1", "x:80", "*.example", "-x"])
def test_invalid_allow_list_entries_are_rejected(entry: str) -> None:
    with pytest.raises(ValueError, match=r"neither a network nor a host name"):
        AllowList.parse([entry])
