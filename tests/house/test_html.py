"""What HTML pages may run and load: every page that staff can reach by links."""

import gzip
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client

from accounts.models import Usage
from accounts.ownership import acting_for
from tests.admin_client import AdminClient, admin_client
from tests.cast import Someone
from tests.collections_app.documents import shown_with_pages
from tests.collections_app.webhooks.receiving import create_delivery

API = ("/", "/sign-in/", "/v1/docs", "/v1/docs/errors")
ADMIN = ("/", "/admin/", "/admin/password_change/")
_LINK = re.compile(r'<a\b[^>]*\bhref="([^"#]+)')
# Sorting and filtering lead to the same pages.
_MOST_QUERIES = 3
_CONSOLE = Path(__file__).parents[2] / "console"
_MOST_JAVASCRIPT = 60_000


@pytest.fixture
def staff(alice: Someone) -> Client:
    """A logged-in client, with data of every kind."""
    shown_with_pages(alice, "report.pdf", pages=1, metadata={"<b>": "<script>alert(1)</script>"})
    create_delivery(alice)
    with acting_for(alice.id):
        Usage.objects.get_or_create(owner_id=alice.id)
    return admin_client()


def walked(client: Client, entrances: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str], str]]:
    """Yield path, headers and content of each HTML page."""
    ahead, seen, queries = list(entrances), set(entrances), dict[str, int]()
    while ahead:
        address = ahead.pop()
        answer = client.get(address, follow=True)
        if not answer["Content-Type"].startswith("text/html"):
            answer.getvalue()
            continue
        text = answer.content.decode()
        yield address, dict(answer.headers), text
        for link in _LINK.findall(text):
            there = urljoin(address, unescape(link))
            path = urlsplit(there).path
            queries[path] = queries.get(path, 0) + 1
            if there.startswith("/") and there not in seen and queries[path] <= _MOST_QUERIES:
                seen.add(there)
                ahead.append(there)


def test_html_pages_run_only_our_own_files(staff: Client) -> None:
    pages = list(walked(staff, ADMIN))
    assert len({urlsplit(address).path for address, _, _ in pages}) > 30
    for address, headers, text in [*pages, *walked(AdminClient(), ADMIN), *walked(Client(), API)]:
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; "), address
        assert "unsafe" not in policy, address
        assert headers["X-Content-Type-Options"] == "nosniff", address
        assert headers["X-Frame-Options"] == "DENY", address
        assert not re.search(
            r"<script>|<script(?![^>]* (src|type=\"application/json\"))|\son\w+=\"|javascript:", text
        ), address


def scripts_of(template: Path) -> set[Path]:
    """Return the scripts of a page of the console, and what they import."""
    texts = [(_CONSOLE / "templates" / "console" / "base.html").read_text(), template.read_text()]
    ahead = [_CONSOLE / "static" / path for text in texts for path in re.findall(r"{% static '([^']+\.js)' %}", text)]
    scripts = set[Path]()
    while ahead:
        script = ahead.pop().resolve()
        if script not in scripts:
            scripts.add(script)
            ahead += [
                script.parent / path
                for path in re.findall(r'^import .* from "(\./.+)";', script.read_text(), re.MULTILINE)
            ]
    return scripts


def test_pages_of_the_console_load_little_javascript_and_no_script_is_left_over() -> None:
    pages = {path: scripts_of(path) for path in (_CONSOLE / "templates").rglob("*.html")}
    assert {script for scripts in pages.values() for script in scripts} == {*(_CONSOLE / "static").rglob("*.js")}
    for page, scripts in pages.items():
        assert sum(len(gzip.compress(script.read_bytes())) for script in scripts) <= _MOST_JAVASCRIPT, page
