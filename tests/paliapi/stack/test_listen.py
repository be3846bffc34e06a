"""The port of the web."""

import socket

import pytest

from paliapi.stack.errors import StackError
from paliapi.stack.listen import free_port, listen


def test_a_free_port_takes_calls_at_once() -> None:
    port = free_port()
    with listen("127.0.0.1", port), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


def test_a_taken_port_is_told_in_one_sentence() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"^Port {port} is taken by another program: .*PALIAPI_PORT"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "." * 300])
def test_an_address_that_is_not_ours_is_told_in_one_sentence(host: str) -> None:
    with pytest.raises(StackError, match="PALIAPI_HOST is not an address of this machine"):
        listen(host, free_port())
