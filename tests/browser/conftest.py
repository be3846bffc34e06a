"""Tests in a browser against everything that `make run` starts. `make test-browser` installs and runs them."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.harness.stack import Stack, running
from paliapi.env import ROOT
from tests.browser.chromium import Tab, launched, opened, program
from tests.collections_app.engine.rendering.samples import pdf
from tests.embeddings.scripted import Reply, ScriptedServer, scripted

_HERE = Path(__file__).parent
_DEADLINE_S = 120.0
LIGHTHOUSES = ROOT / "docs" / "sample" / "lighthouses.pdf"
MARKUP = "<img src=x onerror='window.executed=1'><script>window.executed=1</script>"
# Names may have no marks that change the direction of text; what is in a file may.
BIDI_MARKS = "\u202egnitirw\u2066 \u200f"
HOSTILE_NAMES = (f"{MARKUP}.txt", "שלום/עולם (١٢٣).txt", "😀" * 255)

# These import playwright, which may not be installed.
collect_ignore_glob = [] if find_spec("playwright") else ["test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass(frozen=True)
class Site:
    """A running PaliAPI, and accounts in it."""

    stack: Stack
    url: str

    def manage(self, *words: str) -> str:
        """Run a command of `manage.py` as the operator does; return its output."""
        environment = {
            "PATH": os.defpath,
            "HOME": str(self.stack.home.path),
            "PALIAPI_MODE": "development",
            "PALIAPI_HOME": str(self.stack.home.path),
            "PALIAPI_PORT": self.url.rpartition(":")[2],
        }
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(
            command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()

    def new_account(self, email: str) -> str:
        """Create an account, and return its key."""
        return self.manage("create_user", email, "--print-key").split()[-1]

    def upload(self, key: str, content: bytes, name: str, **fields: str) -> None:
        """Upload a document, and wait until it is ready."""
        with httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
            sent = client.post(
                "/v1/documents/upsert-document/", data={"name": name, **fields}, files={"file": ("file", content)}
            )
            assert sent.is_success, sent.text
            until = time.monotonic() + _DEADLINE_S
            while (status := client.get(sent.headers["Location"]).json()["status"]) != "ready":
                assert status not in ("failed", "cancelled")
                assert time.monotonic() < until
                time.sleep(0.2)  # polls until the deadline above


@pytest.fixture(scope="session")
def receiver() -> Iterator[ScriptedServer]:
    """A server that webhooks may be sent to."""
    with scripted(lambda _request: Reply(200, b"received")) as server:
        yield server


@pytest.fixture(scope="session")
def site(receiver: ScriptedServer) -> Iterator[Site]:
    program()  # says what is missing before anything is started
    reach = {"WEBHOOK_ALLOW": "127.0.0.1", "WEBHOOK_PORTS": receiver.url.rpartition(":")[2]}
    with (
        tempfile.TemporaryDirectory(prefix="paliapi-browser-", ignore_cleanup_errors=True) as folder,
        running(Path(folder), COLPALI_BACKEND="embedded", **reach) as stack,
    ):
        yield Site(stack, stack.url.replace("127.0.0.1", "localhost"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not installed for other tests

    with sync_playwright() as playwright, launched(playwright) as browser:
        yield browser


@pytest.fixture(scope="session")
def key(site: Site) -> str:
    """The key of an account with a document about lighthouses, and two about bread."""
    key = site.stack.key
    site.upload(key, LIGHTHOUSES.read_bytes(), "lighthouses.pdf", collection_name="sea", metadata='{"year": 2026}')
    site.upload(key, pdf("flour water salt"), "bread.pdf", collection_name="kitchen", metadata='{"year": 1999}')
    site.upload(key, pdf("salt and water make flour dough", "a lens"), "dough.pdf", collection_name="kitchen")
    return key


@pytest.fixture(scope="session")
def hostile_key(site: Site) -> str:
    """The key of an account whose names, metadata and text are hostile."""
    key = site.new_account("hostile@example.com")
    for name in HOSTILE_NAMES:
        site.upload(
            key,
            f"lighthouse {MARKUP} {BIDI_MARKS} {'😀' * 255}".encode(),
            name,
            collection_name=name,
            metadata=json.dumps({"<b>": f"{MARKUP} {BIDI_MARKS}"}),
        )
    return key


def state_after_signing_in(chromium: Any, site: Site, key: str) -> Any:
    """Sign in with a key; return the cookies."""
    with opened(chromium, site.url) as tab:
        tab.open("/sign-in/")
        tab.page.locator("summary", has_text="With an API key").click()
        tab.page.get_by_label("API key").fill(key)
        tab.page.get_by_role("button", name="Sign in with the key").click()
        tab.page.wait_for_url("**/search/")
        return tab.page.context.storage_state()


@pytest.fixture(scope="session")
def signed_in(chromium: Any, site: Site, key: str) -> Any:
    return state_after_signing_in(chromium, site, key)


@pytest.fixture
def visitor(chromium: Any, site: Site) -> Iterator[Tab]:
    """A tab that has not signed in."""
    with opened(chromium, site.url) as tab:
        yield tab


@pytest.fixture
def tab(chromium: Any, site: Site, signed_in: Any) -> Iterator[Tab]:
    """A tab of the account with documents."""
    with opened(chromium, site.url, storage_state=signed_in) as tab:
        yield tab
