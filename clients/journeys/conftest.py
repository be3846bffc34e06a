"""What every journey needs of a running PaliAPI: its address, a key, and a command that restarts its web server."""

from __future__ import annotations

import http.server
import os
import re
import shlex
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLE = ROOT / "docs" / "sample" / "lighthouses.pdf"


@dataclass
class Elsewhere:
    """A web server of the user's: it has one file, and receives messages."""

    url: str
    content: bytes = b""
    messages: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, wanted: Callable[[bytes], bool]) -> tuple[bytes, dict[str, str]]:
        """Return the first message that is wanted, once it has arrived."""
        with self.arrived:
            self.arrived.wait_for(lambda: any(wanted(body) for body, _ in self.messages), timeout=60)
            return next((body, headers) for body, headers in self.messages if wanted(body))


def run_readme(package: str, **names: str) -> None:
    """Run the Python blocks of a package's README in one namespace, with these names replaced."""
    text = (ROOT / "clients" / package / "README.md").read_text()
    for there, here in names.items():
        text = text.replace(f'"{there}"', f'"{here}"')
    namespace: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        exec(compile(block, "README.md", "exec"), namespace)  # noqa: S102 - our own page
    for value in namespace.values():
        if callable(close := getattr(value, "close", None)) and not isinstance(value, type):
            close()


@pytest.fixture(scope="session")
def sample() -> Path:
    return SAMPLE


@pytest.fixture(scope="session")
def restart() -> Callable[[], None]:
    """Restart the web server."""
    command = shlex.split(os.environ["PALIAPI_RESTART"])
    return lambda: subprocess.run(command, cwd=ROOT, check=True) and None


@pytest.fixture
def files() -> Iterator[Elsewhere]:
    """A server that the document is fetched from."""
    yield from _serving(int(os.environ["PALIAPI_FETCH_PORT"]))


@pytest.fixture
def receiver() -> Iterator[Elsewhere]:
    """A server that messages of webhooks are sent to."""
    yield from _serving(int(os.environ["PALIAPI_WEBHOOK_PORT"]))


def _serving(port: int) -> Iterator[Elsewhere]:
    elsewhere = Elsewhere(f"http://127.0.0.1:{port}")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(elsewhere.content)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with elsewhere.arrived:
                elsewhere.messages.append((body, dict(self.headers)))
                elsewhere.arrived.notify_all()
            self._reply(b"")

        def _reply(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield elsewhere
        finally:
            server.shutdown()
            thread.join()
