"""Whose connection it is, and how the disk is shared."""

from typing import Any

import pytest

from paliapi.web_server.limits import Room, peer_of


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        (("192.0.2.7", 1234), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1234, 0, 0), "2001:db8:1:2::/64"),
        (("2001:db8:1:2:ffff::1", 1234, 0, 0), "2001:db8:1:2::/64"),
        (("::ffff:192.0.2.7", 1234, 0, 0), "192.0.2.7"),
        (("fe80::1%eth0", 1234, 0, 2), "fe80::/64"),
        ("", ""),
    ],
)
def test_peer_is_an_ipv4_address_or_an_ipv6_network(address: Any, peer: str) -> None:
    assert peer_of(address) == peer


def test_an_account_takes_half_of_the_room_at_most() -> None:
    room = Room(100)
    assert room.take("a", 50)
    assert not room.take("a", 1)
    assert room.take("b", 50)
    assert not room.take("c", 1)
    room.give_back("a", 20)
    assert room.take("c", 20)
    assert not room.take("a", 1)
