"""Where a URL leads, read once and strictly; what is contacted later is what was read here."""

import re
from dataclasses import dataclass

import httpx

from collections_app.engine.outbound.addresses import Address, Allowed, NotAnAddress, literal
from collections_app.engine.outbound.errors import FetchRefused

WEB_PORTS = frozenset({80, 443})

_LONGEST = 8192
_USUAL_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
# Never delegated in the public tree of names, or used for what is near.
_NEAR = ("localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa")


@dataclass(frozen=True, slots=True)
class Destination:
    """A web server and what to ask it for."""

    scheme: str
    host: str
    port: int | None  # None: the usual one
    authority: str
    target: str
    address: Address | None

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"

    def joined(self, reference: str, *, ports: frozenset[int]) -> "Destination":
        """Where a reference found there leads."""
        _check_text(reference)
        try:
            return destination(str(httpx.URL(self.url).join(reference)), ports=ports)
        except (httpx.InvalidURL, ValueError):
            raise FetchRefused("The URL redirects to what is not a URL.") from None


def destination(url: str, *, ports: frozenset[int] = WEB_PORTS) -> Destination:
    """The destination of a URL, or FetchRefused. No name is looked up."""
    _check_text(url)
    try:
        parts = httpx.URL(url)
        host = parts.raw_host.decode("ascii").removesuffix(".")
        address = literal(host)
    except (httpx.InvalidURL, ValueError, NotAnAddress):
        raise FetchRefused("This is not a URL with the plain name or address of a host.") from None
    if parts.scheme not in _USUAL_PORTS:
        raise FetchRefused("Only http and https URLs are fetched.")
    if parts.userinfo:
        raise FetchRefused("A URL with a user name or password is not fetched.")
    if address is None and not _NAME.fullmatch(host):
        raise FetchRefused("This is not a URL with the plain name or address of a host.")
    usual = _USUAL_PORTS[parts.scheme]
    port = None if parts.port == usual else parts.port
    if (usual if port is None else port) not in ports:
        raise FetchRefused("URLs with this port are not fetched.")
    shown = f"[{host}]" if ":" in host else host
    authority = shown if port is None else f"{shown}:{port}"
    return Destination(parts.scheme, host, port, authority, parts.raw_path.decode("ascii"), address)


def check_by_name(where: Destination, *, allowed: Allowed) -> None:
    """Refuse what is near, as far as that can be told without looking the name up."""
    if where.address is not None:
        permitted = allowed.permits(where.address, host=where.host)
    else:
        near = "." not in where.host or where.host.endswith(tuple(f".{name}" for name in _NEAR))
        permitted = not near or where.host in allowed.hosts
    if not permitted:
        raise FetchRefused


def _check_text(url: str) -> None:
    if len(url) > _LONGEST or not url.isprintable():
        raise FetchRefused("This is not a URL.")
