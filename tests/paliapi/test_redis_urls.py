"""Redis URLs for Celery."""

import pytest

from paliapi.redis_urls import for_celery


@pytest.mark.parametrize("url", ["redis://localhost:6379/0", "rediss://:secret@cache:6380/2"])
def test_tcp_url_is_unchanged(url: str) -> None:
    assert for_celery(url) == url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock?virtual_host=0"),
        ("unix:///run/redis.sock?password=a%2Fb&db=3", "redis+socket://:a%2Fb@/run/redis.sock?virtual_host=3"),
        ("unix:///run/a.sock?username=me&password=b&db=0", "redis+socket://me:b@/run/a.sock?virtual_host=0"),
    ],
)
def test_socket_url_is_translated(url: str, expected: str) -> None:
    assert for_celery(url) == expected
