"""The budget by client address for requests without a valid key."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from accounts.limits.address_budget import _FREE, _is_owned
from paliapi.units import MEBIBYTE
from tests.admin_client import PASSWORD, AdminClient, superuser
from tests.cast import Someone


@pytest.fixture(autouse=True)
def two_requests(db: None, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, address_rate_per_minute=4)


def statuses(path: str, *, address: str = "", count: int = 3, **headers: str) -> list[int]:
    """Send requests from an address, by default one of their own, and return their statuses."""
    client = Client(REMOTE_ADDR=address or f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1")
    return [client.get(path, headers=headers).status_code for _ in range(count)]


def routes(patterns: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        path = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path)
        else:
            yield path, pattern


def test_every_route_without_a_key_is_limited() -> None:
    open_routes = [
        (path, pattern)
        for path, pattern in routes(get_resolver().url_patterns)
        if not _is_owned(pattern.callback) and pattern.name not in _FREE
    ]
    assert len(open_routes) >= 10
    for path, _ in open_routes:
        url = "/" + path.replace("<str:", "").replace(">", "")
        assert statuses(url)[2] == 429, url


@pytest.mark.parametrize("path", ["/nowhere", "/v1/nowhere/", "/v1/me/", "/v1/search/", "/admin/login/"])
def test_refusals_and_unknown_urls_are_limited(path: str) -> None:
    assert statuses(path)[2] == 429


def test_refusals_of_invalid_keys_are_limited(alice: Someone) -> None:
    header = f"Bearer {alice.key[:-4]}AAAA"
    assert statuses("/v1/me/", Authorization=header) == [401, 401, 429]


def test_invalid_key_does_not_open_what_needs_none() -> None:
    assert statuses("/v1/openapi.json", Authorization="Bearer x")[2] == 429


def test_refusal_has_retry_after() -> None:
    client = Client(REMOTE_ADDR="198.51.100.7")
    refused = [client.get("/v1/docs") for _ in range(3)][2]
    assert (refused.status_code, refused.json()["code"]) == (429, "address_rate_limited")
    assert 0 < int(refused["Retry-After"]) <= 15


def test_valid_key_pays_nothing_and_needs_nothing_from_its_address(alice: Someone) -> None:
    address = "198.51.100.8"
    valid = {"Authorization": f"Bearer {alice.key}"}
    assert statuses("/v1/me/", address=address, count=5, **valid) == [200] * 5
    assert statuses("/v1/documents/absent/", address=address, count=5, **valid) == [404] * 5
    assert statuses("/v1/docs", address=address) == [200, 200, 429]
    assert statuses("/v1/me/", address=address, count=5, **valid) == [200] * 5


def test_addresses_of_one_ipv6_network_share_a_budget() -> None:
    assert statuses("/v1/docs", address="2001:db8:1:2::1", count=2) == [200, 200]
    assert statuses("/v1/docs", address="2001:db8:1:2:ffff::9", count=1) == [429]
    assert statuses("/v1/docs", address="2001:db8:1:3::1", count=1) == [200]


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/v1/health/"])
def test_probes_are_always_answered(path: str) -> None:
    assert 429 not in statuses(path, count=4)


def test_browser_that_has_signed_in_does_not_depend_on_others_at_its_address(db: None) -> None:
    superuser("staff@example.com")
    address = "198.51.100.9"
    staff, stranger = AdminClient(), AdminClient()
    form = {"username": "staff@example.com", "password": PASSWORD}
    assert staff.post("/admin/login/?next=/admin/", form, REMOTE_ADDR=address).status_code == 302
    assert [stranger.get("/admin/login/", REMOTE_ADDR=address).status_code for _ in range(3)] == [200, 429, 429]
    assert [staff.get("/admin/", REMOTE_ADDR=address).status_code for _ in range(3)] == [200] * 3


def test_unknown_urls_of_the_admin_are_limited(db: None) -> None:
    client = AdminClient()
    assert client.get("/nowhere", REMOTE_ADDR="198.51.100.10").status_code == 404
    assert [client.get("/nowhere", REMOTE_ADDR="198.51.100.10").status_code for _ in range(2)] == [404, 429]


@pytest.mark.parametrize(("length", "address"), [(MEBIBYTE, "198.51.100.11"), (10**6 * MEBIBYTE, "198.51.100.12")])
def test_large_bodies_without_a_key_are_limited(length: int, address: str) -> None:
    """The web server does not receive them, and lets the application respond."""
    client = Client(REMOTE_ADDR=address)

    def status() -> int:
        answer = client.generic("POST", "/v1/search/", b"x", "application/json", CONTENT_LENGTH=str(length))
        return answer.status_code

    assert [status() for _ in range(3)] == [401, 401, 429]
