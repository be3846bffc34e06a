"""The address of the client, also behind proxies."""

from dataclasses import replace
from ipaddress import ip_network

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from pytest_django import Settings

from paliapi.http.client_address import client_address, client_network

PROXY = "192.0.2.1"


def request(forwarded: str | None = None, *, peer: str = PROXY) -> HttpRequest:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer)


@pytest.fixture
def behind_a_proxy(settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, trust_proxy=True)


def test_header_of_a_client_is_ignored_without_a_proxy() -> None:
    assert client_address(request("203.0.113.9")) == PROXY


@pytest.mark.usefixtures("behind_a_proxy")
@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("10.0.0.1, 127.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:51234", "203.0.113.9"),
        ("2001:db8::9", "2001:db8::9"),
        ("[2001:DB8:0::9]:51234", "2001:db8::9"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        (None, PROXY),
        ("", PROXY),
        ("203.0.113.9, unknown", PROXY),
        ("203.0.113.9,", PROXY),
    ],
)
def test_last_entry_is_the_client(forwarded: str | None, address: str) -> None:
    assert client_address(request(forwarded)) == address


def test_further_trusted_proxies_are_skipped(settings: Settings) -> None:
    trusted = (ip_network("198.51.100.0/24"), ip_network("2001:db8:1::/48"))
    settings.ENV = replace(settings.ENV, trust_proxy=True, trusted_proxies=trusted)
    assert client_address(request("1.2.3.4, 203.0.113.9, 2001:db8:1::5, 198.51.100.7")) == "203.0.113.9"
    assert client_address(request("198.51.100.8, 198.51.100.7")) == "198.51.100.8"
    assert client_address(request("1.2.3.4, unknown, 198.51.100.7")) == "198.51.100.7"


def test_connection_without_an_address_has_none() -> None:
    assert client_address(request(peer="")) == ""
    assert client_network(request(peer="")) == ""


def test_addresses_of_one_ipv6_network_share_a_budget() -> None:
    assert client_network(request(peer="2001:db8::1")) == client_network(request(peer="2001:db8::ffff:1"))
    assert client_network(request(peer="2001:db8::1")) != client_network(request(peer="2001:db8:0:1::1"))
    assert client_network(request(peer="203.0.113.9")) == "203.0.113.9"
    assert client_network(request(peer="::ffff:203.0.113.9")) == "203.0.113.9"
