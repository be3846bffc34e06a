"""The web server's listening socket, which the stack holds itself, so that a restart loses no connection."""

import errno
import socket

from paliapi.stack.errors import StackError

_BACKLOG = 4096


def listen(host: str, port: int, *, variables: tuple[str, str] = ("PALIAPI_HOST", "PALIAPI_PORT")) -> socket.socket:
    """Return a listening socket at this address; messages name the variables with the host and the port."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError):
        raise StackError(f"{variables[0]} is not an address of this machine: {host}.") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as problem:
        listener.close()
        raise StackError(_describe(problem, host=host, port=port, variables=variables)) from problem
    return listener


def free_port() -> int:
    """Return a port of the loopback interface that is currently free."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _describe(problem: OSError, *, host: str, port: int, variables: tuple[str, str]) -> str:
    host_variable, port_variable = variables
    if problem.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program: stop that one, or set {port_variable} to another port."
    if problem.errno in (errno.EACCES, errno.EPERM):
        return f"Port {port} may not be used by this user: set {port_variable} to a port above 1023."
    if problem.errno == errno.EADDRNOTAVAIL:
        return f"{host_variable} is not an address of this machine: {host}."
    return f"Port {port} cannot be used: {problem.strerror}."
