"""The port of the web. We hold it ourselves, so a restart of the web loses no connection."""

import errno
import socket

from paliapi.stack.trouble import Trouble

_BACKLOG = 1024


def listen(host: str, port: int) -> socket.socket:
    """A listening socket at this address."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError):
        raise Trouble(f"PALIAPI_HOST is not an address of this machine: {host}.") from None
    door = socket.socket(family, kind, protocol)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(address)
        door.listen(_BACKLOG)
    except OSError as problem:
        door.close()
        raise Trouble(_sentence(problem, host=host, port=port)) from problem
    return door


def free_port() -> int:
    """A port on this machine's own address that nobody listens on at the moment."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def _sentence(problem: OSError, *, host: str, port: int) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program: stop that one, or set PALIAPI_PORT to another port."
    if problem.errno in (errno.EACCES, errno.EPERM):
        return f"Port {port} may not be used by this user: set PALIAPI_PORT to a port above 1023."
    if problem.errno == errno.EADDRNOTAVAIL:
        return f"PALIAPI_HOST is not an address of this machine: {host}."
    return f"Port {port} cannot be used: {problem.strerror}."
