"""The destination of a URL, parsed once and strictly; later connections use only what was parsed here."""

import re
from dataclasses import dataclass

import httpx

from collections_app.engine.outbound.addresses import Address, AllowList, AmbiguousHost, parse_literal
from collections_app.engine.outbound.errors import FetchRefused

WEB_PORTS = frozenset({80, 443})

_MAX_URL_LENGTH = 8192
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
# Top-level names that are never delegated publicly, or that are used on local networks.
_LOCAL_DOMAINS = (
    *("localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa"),
)


@dataclass(frozen=True, slots=True)
class Destination:
    """A web server and the target to request from it."""

    scheme: str
    host: str
    port: int | None  # None: the scheme's default
    authority: str
    target: str
    address: Address | None

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"

    def join(self, reference: str, *, ports: frozenset[int]) -> "Destination":
        """Resolve a reference, such as that of a redirect, against this destination."""
        _check_text(reference)
        try:
            return parse_destination(str(httpx.URL(self.url).join(reference)), ports=ports)
        except (httpx.InvalidURL, ValueError):
            raise FetchRefused("The URL redirects to an invalid URL.") from None


def parse_destination(url: str, *, ports: frozenset[int] = WEB_PORTS) -> Destination:
    """Parse a URL, or raise FetchRefused. No name is looked up."""
    _check_text(url)
    try:
        parts = httpx.URL(url)
        host = parts.raw_host.decode("ascii").removesuffix(".")
        address = parse_literal(host)
    except (httpx.InvalidURL, ValueError, AmbiguousHost):
        raise FetchRefused("This is not a URL with a plain host name or address.") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise FetchRefused("Only http and https URLs are fetched.")
    if parts.userinfo:
        raise FetchRefused("A URL with a user name or password is not fetched.")
    if address is None and not _HOST_NAME.fullmatch(host):
        raise FetchRefused("This is not a URL with a plain host name or address.")
    default_port = _DEFAULT_PORTS[parts.scheme]
    port = None if parts.port == default_port else parts.port
    if (default_port if port is None else port) not in ports:
        raise FetchRefused("URLs with this port are not fetched.")
    bracketed = f"[{host}]" if ":" in host else host
    authority = bracketed if port is None else f"{bracketed}:{port}"
    return Destination(parts.scheme, host, port, authority, parts.raw_path.decode("ascii"), address)


def check_without_lookup(destination: Destination, *, allow: AllowList) -> None:
    """Raise FetchRefused for a local destination, as far as that is known without looking the name up."""
    host = destination.host
    if destination.address is not None:
        permitted = allow.permits(destination.address, host=host)
    else:
        is_local = "." not in host or host.endswith(tuple(f".{name}" for name in _LOCAL_DOMAINS))
        permitted = not is_local or host in allow.hosts
    if not permitted:
        raise FetchRefused


def _check_text(url: str) -> None:
    if len(url) > _MAX_URL_LENGTH or not url.isprintable():
        raise FetchRefused("This is not a URL.")
