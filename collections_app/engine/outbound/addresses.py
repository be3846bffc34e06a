"""Which network addresses may be reached on behalf of a user: public ones, and those an operator allows.

`ipaddress.is_global` is not enough: it treats loopback behind NAT64, 6to4 or ISATAP as global, and its results differ
between versions of Python. So IPv6 addresses that embed an IPv4 address are unwrapped, and networks that are not public
are listed here.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_BLOCKED_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, and one cloud's metadata service
        "127.0.0.0/8",
        "168.63.129.16/32",  # the host as one cloud's virtual machines see it
        "169.254.0.0/16",  # link-local, including metadata services
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_PUBLIC_V6 = IPv6Network("2000::/3")
_BLOCKED_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, including Teredo
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_LAST_32_BITS = 0xFFFFFFFF
# The interface identifier of an ISATAP tunnel: 0000:5efe and an IPv4 address, whatever its bits "global" and "group".
_INTERFACE_ID = 0xFCFF_FFFF << 32
_ISATAP = 0x0000_5EFE << 32
# Spellings that resolvers read as an address: 2130706433, 127.1, 0x7f.1, 0177.0.0.1.
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?", re.DOTALL)


class AmbiguousHost(Exception):
    """A host that some programs read as an address and others as a name."""


def is_public(address: Address) -> bool:
    """Return whether the address, and any address it embeds, belongs to the public network."""
    return not _has_zone(address) and all(_is_directly_public(part) for part in unwrap(address))


def unwrap(address: Address) -> tuple[Address, ...]:
    """Return the addresses that are reached through this one: those it embeds, or itself."""
    if isinstance(address, IPv4Address):
        return (address,)
    last = IPv4Address(int(address) & _LAST_32_BITS)
    if address.ipv4_mapped or address in _NAT64:
        return (last,)
    through_tunnel = (last,) if int(address) & _INTERFACE_ID == _ISATAP else ()
    if address.sixtofour:
        return (address.sixtofour, *through_tunnel)
    return (*(address.teredo or ()), *through_tunnel, address)


def _is_directly_public(address: Address) -> bool:
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _BLOCKED_V4)
    return address in _PUBLIC_V6 and not any(address in network for network in _BLOCKED_V6)


def _has_zone(address: Address) -> bool:
    # A zone names an interface of this machine.
    return isinstance(address, IPv6Address) and address.scope_id is not None


def parse_literal(host: str) -> Address | None:
    """Return the address that a host spells out, or None for a name; raise AmbiguousHost if programs disagree."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        if ":" in host or _NUMERIC.fullmatch(host):
            raise AmbiguousHost from None
        return None


@dataclass(frozen=True, slots=True)
class AllowList:
    """Networks and hosts that an operator allows in addition to the public network."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> "AllowList":
        """Parse entries such as `10.1.0.0/16`, `fd00::1` and `wiki.example`."""
        networks: list[Network] = []
        hosts: set[str] = set()
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry))
            except ValueError:
                hosts.add(_parse_host(entry))
        return cls(tuple(networks), frozenset(hosts))

    def permits(self, address: Address, *, host: str) -> bool:
        """Return whether `address` may be connected to when it was resolved from `host`."""
        if host in self.hosts or self._lists(address) or is_public(address):
            return True
        return all(self._lists(part) for part in unwrap(address))

    def _lists(self, address: Address) -> bool:
        return any(address in network for network in self.networks if network.version == address.version)


def _parse_host(entry: str) -> str:
    host = entry.lower()
    if not re.fullmatch(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", host) or _NUMERIC.fullmatch(host):
        raise ValueError(f"{entry!r} is neither a network nor a host name")
    return host
