"""What a variable of the environment may hold: text becomes a value, or a ValueError says what is expected."""

import re
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_NUMERIC = re.compile(r"(.*\.)?([0-9]+|0[xX][0-9a-fA-F]*)")


def parse_file(text: str) -> dict[str, str]:
    """The variables of a `.env` file: NAME=value, optional `export`, quotes and comments."""
    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        name, value = name.strip(), value.strip()
        if not equals or name.startswith("#"):
            continue
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        else:
            value = value.split(" #", 1)[0].rstrip()
        found[name] = value
    return found


def text(value: str) -> str:
    return value


def path(value: str) -> Path:
    return Path(value).expanduser().absolute()


def flag(value: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if value.lower() not in words:
        raise ValueError("must be true or false")
    return words[value.lower()]


def whole(value: str, *, least: int, most: int) -> int:
    try:
        number = int(value)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise ValueError(f"must be a whole number from {least} to {most}")
    return number


def words(value: str) -> tuple[str, ...]:
    return tuple(word for word in (part.strip() for part in value.split(",")) if word)


def one_of(value: str, *, words: tuple[str, ...]) -> str:
    if value not in words:
        raise ValueError("must be one of " + ", ".join(words))
    return value


def url(value: str, *, schemes: tuple[str, ...]) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError("must be a URL") from None
    somewhere = value.startswith("unix:///") if parts.scheme == "unix" else parts.netloc
    if parts.scheme not in schemes or not somewhere:
        raise ValueError("must be a URL that begins with " + " or ".join(f"{scheme}://" for scheme in schemes))
    return value


def long(value: str, *, least: int) -> str:
    if len(value) < least:
        raise ValueError(f"must have at least {least} characters")
    return value


def peppers(value: str) -> tuple[tuple[int, str], ...]:
    """`1:abc,2:def`: numbered secrets, the last one is used for new keys."""
    found: dict[int, str] = {}
    for word in words(value):
        number, _, pepper = word.partition(":")
        if not (number.isascii() and number.isdigit() and 0 < int(number) < 32768 and len(pepper) >= 32):
            raise ValueError("must be a list like 1:SECRET,2:SECRET with at least 32 characters in each secret")
        if int(number) in found:
            raise ValueError("must not use a number twice")
        found[int(number)] = pepper
    if not found:
        raise ValueError("must hold at least one numbered secret, like 1:SECRET")
    return tuple(sorted(found.items()))


def ports(value: str) -> frozenset[int]:
    """`80,443`."""
    found = [int(word) if word.isascii() and word.isdecimal() else 0 for word in words(value)]
    if not found or not all(0 < port < 65536 for port in found):
        raise ValueError("must be a list of ports like 80,443")
    return frozenset(found)


def places(value: str) -> tuple[str, ...]:
    """`10.1.0.0/16,wiki.corp`: networks and names of hosts."""
    found = words(value)
    if not all(_is_network(word) or (_HOST.fullmatch(word) and not _NUMERIC.fullmatch(word)) for word in found):
        raise ValueError("must be a list of networks and names of hosts like 10.1.0.0/16,wiki.corp")
    return found


def _is_network(word: str) -> bool:
    try:
        ip_network(word)
    except ValueError:
        return False
    return True
