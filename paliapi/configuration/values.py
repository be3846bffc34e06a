"""Parsers for the values of variables. Each returns a value or raises a ValueError that says what is expected."""

import re
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network

_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_NUMERIC = re.compile(r"(.*\.)?([0-9]+|0[xX][0-9a-fA-F]*)")


def parse_file(text: str) -> dict[str, str]:
    """Parse a `.env` file: NAME=value, with optional `export`, quotes and comments."""
    variables = {}
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        name, value = name.strip(), value.strip()
        if not equals or name.startswith("#"):
            continue
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        else:
            value = value.split(" #", 1)[0].rstrip()
        variables[name] = value
    return variables


def text(value: str) -> str:
    return value


def path(value: str) -> Path:
    return Path(value).expanduser().absolute()


def boolean(value: str) -> bool:
    literals = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if value.lower() not in literals:
        raise ValueError("must be true or false")
    return literals[value.lower()]


def integer(value: str, *, minimum: int, maximum: int) -> int:
    try:
        number = int(value)
    except ValueError:
        number = minimum - 1
    if not minimum <= number <= maximum:
        raise ValueError(f"must be a whole number from {minimum} to {maximum}")
    return number


def between(minimum: int, maximum: int) -> Callable[[str], int]:
    """Return a parser for integers within these bounds."""
    return partial(integer, minimum=minimum, maximum=maximum)


def comma_list(value: str) -> tuple[str, ...]:
    return tuple(item for item in (part.strip() for part in value.split(",")) if item)


def one_of(value: str, *, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ValueError("must be one of " + ", ".join(choices))
    return value


def url(value: str, *, schemes: tuple[str, ...]) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError("must be a URL") from None
    has_target = value.startswith("unix:///") if parts.scheme == "unix" else parts.netloc
    if parts.scheme not in schemes or not has_target:
        raise ValueError("must be a URL that begins with " + " or ".join(f"{scheme}://" for scheme in schemes))
    return value


def long_text(value: str, *, minimum: int) -> str:
    if len(value) < minimum:
        raise ValueError(f"must have at least {minimum} characters")
    return value


def peppers(value: str) -> tuple[tuple[int, str], ...]:
    """Parse numbered secrets such as `1:abc,2:def`, and sort them by number."""
    numbered: dict[int, str] = {}
    for item in comma_list(value):
        number, _, pepper = item.partition(":")
        if not (number.isascii() and number.isdigit() and 0 < int(number) < 32768 and len(pepper) >= 32):
            raise ValueError("must be a list like 1:SECRET,2:SECRET with at least 32 characters in each secret")
        if int(number) in numbered:
            raise ValueError("must not use a number twice")
        numbered[int(number)] = pepper
    if not numbered:
        raise ValueError("must contain at least one numbered secret, like 1:SECRET")
    return tuple(sorted(numbered.items()))


def ports(value: str) -> frozenset[int]:
    """Parse a list of ports such as `80,443`."""
    numbers = [int(item) if item.isascii() and item.isdecimal() else 0 for item in comma_list(value)]
    if not numbers or not all(0 < port < 65536 for port in numbers):
        raise ValueError("must be a list of ports like 80,443")
    return frozenset(numbers)


def hosts_and_networks(value: str) -> tuple[str, ...]:
    """Parse a list of networks and host names such as `10.1.0.0/16,wiki.corp`."""
    items = comma_list(value)
    if not all(_is_network(item) or (_HOST.fullmatch(item) and not _NUMERIC.fullmatch(item)) for item in items):
        raise ValueError("must be a list of networks and host names like 10.1.0.0/16,wiki.corp")
    return items


def networks(value: str) -> tuple[Network, ...]:
    """Parse a list of networks such as `10.1.0.0/16,192.0.2.7`."""
    try:
        return tuple(ip_network(item) for item in comma_list(value))
    except ValueError:
        raise ValueError("must be a list of networks like 10.1.0.0/16,192.0.2.7") from None


def _is_network(item: str) -> bool:
    try:
        ip_network(item)
    except ValueError:
        return False
    return True
