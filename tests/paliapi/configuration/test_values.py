"""Parsers for the values of variables."""

import pytest

from collections_app.engine.outbound.addresses import AllowList
from paliapi.configuration.values import hosts_and_networks, ports


@pytest.mark.parametrize(
    "word", ["10.1.0.0/16", "10.1.2.3", "::1", "fd00::/8", "wiki.corp", "Wiki", "a_b.example", "1e.net"]
)
def test_accepted_host_can_be_allowed(word: str) -> None:
    assert hosts_and_networks(word) == (word,)
    AllowList.parse(hosts_and_networks(word))


@pytest.mark.parametrize(
    "word", ["10.0.0.1/8", "10.1", "0177.0.0.1", "0x7f", "a.1", "-a", "a:80", "http://a", "*", "[::1]"]
)
def test_host_that_cannot_be_allowed_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="networks and host names"):
        hosts_and_networks(word)
    with pytest.raises(ValueError, match="neither a network nor"):
        AllowList.parse([word])


def test_hosts_and_ports_are_split_at_commas() -> None:
    assert hosts_and_networks(" 10.1.0.0/16, wiki.corp,") == ("10.1.0.0/16", "wiki.corp")
    assert hosts_and_networks("") == ()
    assert ports("80, 8443") == {80, 8443}
