"""Check that Valkey takes commands: `python valkey_ping.py FILE`, where the file contains the URL to log in with."""

import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

_EXPECTED = b"+OK\r\n+PONG\r\n"


def main(file: str) -> None:
    """Exit with an error if the server cannot be reached, refuses the login, or is still loading its data."""
    login = urlsplit(Path(file).read_text(encoding="ascii"))
    with socket.create_connection(("127.0.0.1", 6379), timeout=3) as connection:
        connection.sendall(f"AUTH {login.username} {login.password}\r\nPING\r\n".encode("ascii"))
        reply = connection.makefile("rb").read(len(_EXPECTED))
    if reply != _EXPECTED:
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
