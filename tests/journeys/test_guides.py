"""What the pages for people say can be done as it stands there, and leaves no secret behind."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from accounts import keys
from paliapi.env import ROOT
from paliapi.stack import postgres_binaries
from tests.cast import Someone, someone
from tests.embeddings.scripted import Reply, scripted
from tests.environment import Services
from tests.journeys.conftest import Web
from tests.journeys.guides import Reader
from tests.journeys.test_ingestion import SAMPLE, working

GUIDES = [ROOT / "README.md", ROOT / "docs" / "quickstart.md", ROOT / "docs" / "api.md"]
_SECRET = re.compile(r"pali_\w+|whsec_[\w+/=]+")


@pytest.mark.skipif(shutil.which("curl") is None, reason="the lines are pasted into a shell that has curl")
def test_what_the_guides_say_can_be_done_and_leaves_no_secret_behind(
    owner: Someone, web: Web, services: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = [owner.key]
    with (
        scripted(lambda _: Reply(200, SAMPLE.read_bytes()), port=web.fetch_port) as elsewhere,
        working(web, tmp_path, LOG_LEVEL="INFO"),
    ):
        places = {"http://localhost:8001": web.url, "https://example.com": elsewhere.url}
        for page in GUIDES:
            reader = Reader(someone(f"reader-of-{page.stem}@example.com".lower()).key, tmp_path, places)
            monkeypatch.setenv("KEY", reader.key)
            reader.does(page)
            said += [reader.key, *reader.said]
    secrets = {_hidden(found) for text in said for found in _SECRET.findall(text)}
    assert len(secrets) > len(GUIDES)
    kept = {"the dump": _dump(services)} | {str(path): path.read_bytes() for path in _written(web.home, tmp_path)}
    assert b"reader-of-api@example.com" in kept["the dump"]
    assert b'"event": "request"' in kept[str(web.home / "log")]
    assert [place for place, content in kept.items() for secret in secrets if secret in content] == []


def _hidden(text: str) -> bytes:
    """The part of a key, or of a webhook's secret, that nobody else may know."""
    parts = keys.parse(text)
    return (parts.secret if parts else text.removeprefix("whsec_")).encode()


def _dump(services: Services) -> bytes:
    """All that the database keeps, as whoever makes a backup gets it."""
    program = postgres_binaries.find(None) / "bin" / "pg_dump"
    return subprocess.run([program, services.superuser_url], capture_output=True, check=True).stdout


def _written(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]
