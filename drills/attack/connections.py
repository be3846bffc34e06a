"""Attacks by connections: slow heads and bodies, idle ones, files and passwords at the sign-in page."""

import re
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from drills.attack.scene import Attack, Broken, Scene

_CONNECTIONS = 200
_WITHIN_S = 5.0


def _half_heads(scene: Scene) -> str:
    return _held(scene, scene.stack.url, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ")


def _half_bodies(scene: Scene) -> str:
    head = f"POST /v1/filter/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {scene.attacker}\r\n"
    return _held(
        scene, scene.stack.url, head.encode() + b"Content-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
    )


def _half_sign_ins(scene: Scene) -> str:
    form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 900\r\n\r\nusername="
    return _held(scene, scene.admin_url, b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\n" + form)


def _idle(scene: Scene) -> str:
    return _held(scene, scene.stack.url, b"")


def _held(scene: Scene, url: str, start: bytes) -> str:
    """Hold many connections that have sent only this, and check that others are answered."""
    with _connections(url, start) as count:
        time.sleep(1)
        scene.answers(within_s=_WITHIN_S)
    return f"others are answered next to {count} of them"


@contextmanager
def _connections(url: str, start: bytes) -> Iterator[int]:
    parts = urlsplit(url)
    count = 0
    with ExitStack() as stack:
        for _ in range(_CONNECTIONS):
            with suppress(OSError):
                connection = stack.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=5))
                connection.sendall(start)
                count += 1
        yield count


def _files_at_the_sign_in_page(scene: Scene) -> str:
    """Upload files with the sign-in form, hold the last bytes back, and look for what was written meanwhile."""
    before = _temporary_bytes()
    with httpx.Client(base_url=scene.admin_url, trust_env=False) as client:
        client.get("/admin/login/")
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    part = b'--b\r\nContent-Disposition: form-data; name="f%d"; filename="f"\r\n\r\n'
    body = b"".join(part % number + bytes(3 * 1024 * 1024) + b"\r\n" for number in range(4))
    head = (
        f"POST /admin/login/ HTTP/1.1\r\nHost: {urlsplit(scene.admin_url).netloc}\r\nCookie: {cookie}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body) + 100}\r\n\r\n"
    )
    parts = urlsplit(scene.admin_url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        with suppress(OSError):
            connection.sendall(head.encode() + body)
        time.sleep(1)
        written = _temporary_bytes() - before
        with suppress(OSError):
            answer = connection.recv(100).decode(errors="replace").split("\r\n")[0]
            if written < 1024 * 1024:
                return answer.removeprefix("HTTP/1.1 ") or "the connection was closed"
    if written >= 1024 * 1024:
        raise Broken(f"{written:,} bytes of temporary files")
    return "the connection was closed"


def _temporary_bytes() -> int:
    sizes = 0
    for path in Path(tempfile.gettempdir()).glob("tmp*.upload*"):
        with suppress(OSError):
            sizes += path.stat().st_size
    return sizes


def _passwords(scene: Scene) -> str:
    """Try 24 names at once from one address, and watch another request meanwhile."""
    with httpx.Client(base_url=scene.admin_url, trust_env=False, timeout=60) as client:
        page = client.get("/admin/login/")
        match = re.search(r'csrfmiddlewaretoken" value="([^"]*)', page.text)
        token, cookies = match[1] if match else "", dict(client.cookies)
    statuses: Counter[int] = Counter()

    def attempt(number: int) -> None:
        form = {"csrfmiddlewaretoken": token, "username": f"u{number}@example.com", "password": "guess"}
        with suppress(httpx.HTTPError):
            response = httpx.post(
                f"{scene.admin_url}/admin/login/",
                data=form,
                cookies=cookies,
                headers={"Origin": scene.admin_url},
                timeout=60,
                trust_env=False,
            )
            statuses[response.status_code] += 1

    with ThreadPoolExecutor(24) as pool:
        threading.Thread(target=lambda: list(pool.map(attempt, range(24)))).start()
        time.sleep(0.5)
        scene.answers(within_s=_WITHIN_S)
        pool.shutdown(wait=True)
    if statuses[200] > 20:
        raise Broken(f"{statuses[200]} of 24 passwords were checked")
    return f"{statuses[200]} of 24 were checked, others are answered meanwhile"


ATTACKS = (
    Attack("Connections that send half a head", "16 stop the server, `/livez` included", _half_heads),
    Attack("Connections that send half a body, with a key", "16 stop the server", _half_bodies),
    Attack("Connections that send half a sign-in form", "16 stop the server", _half_sign_ins),
    Attack("Connections that send nothing", "64 delay others by 19 s", _idle),
    Attack("Files in the sign-in form", "written to disk, up to 5 GB per request", _files_at_the_sign_in_page),
    Attack("Guessing passwords of many names", "all cores for 21 s, others get 503", _passwords),
)
