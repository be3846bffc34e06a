"""The address of the client, also behind proxies."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

Address = IPv4Address | IPv6Address

# A single client usually has a whole IPv6 network of this size.
_IPV6_PREFIX = 64


def client_address(request: HttpRequest | Request) -> str:
    """Return the address that the last trusted proxy saw, or that of the connection; empty if it has none.

    With `TRUST_PROXY`, the peer is a proxy, which appends the address of its own peer to X-Forwarded-For. From the
    right, the first entry that is not one of `TRUSTED_PROXIES` is the client; it can make up those to its left.
    """
    peer = str(request.META.get("REMOTE_ADDR") or "")
    if not settings.ENV.trust_proxy:
        return _text(peer)
    last = peer
    for entry in reversed(str(request.META.get("HTTP_X_FORWARDED_FOR") or "").split(",")):
        address = _parse(entry)
        if address is None:
            break
        last = str(address)
        if not any(address in network for network in settings.ENV.trusted_proxies):
            break
    return _text(last)


def client_network(request: HttpRequest | Request) -> str:
    """Return what budgets by address count: the IPv4 address, or the IPv6 network, of the client."""
    address = _parse(client_address(request))
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _IPV6_PREFIX), strict=False))
    return str(address or "")


def _text(address: str) -> str:
    parsed = _parse(address)
    return str(parsed) if parsed else ""


def _parse(entry: str) -> Address | None:
    """Parse an address, which some proxies send with a port or in brackets."""
    text = entry.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
