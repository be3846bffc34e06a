"""The web server's listening socket."""

import socket

import pytest

from paliapi.stack.errors import StackError
from paliapi.stack.listen import free_port, listen


def test_free_port_accepts_connections() -> None:
    port = free_port()
    with listen("127.0.0.1", port), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


def test_port_in_use_is_reported() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"^Port {port} is taken by another program: .*PALIAPI_PORT"):
            listen("127.0.0.1", port)
        with pytest.raises(StackError, match="set ADMIN_PORT to another port"):
            listen("127.0.0.1", port, variables=("ADMIN_HOST", "ADMIN_PORT"))


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "." * 300])
def test_address_of_another_machine_is_reported(host: str) -> None:
    with pytest.raises(StackError, match="PALIAPI_HOST is not an address of this machine"):
        listen(host, free_port())
