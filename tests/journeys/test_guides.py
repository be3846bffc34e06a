"""Documentation pages can be followed literally, and leave no secret behind."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from accounts import keys
from paliapi.env import ROOT
from paliapi.stack import postgres_binaries
from tests.cast import Someone
from tests.embeddings.scripted import Reply, scripted
from tests.environment import Services
from tests.journeys.conftest import Web
from tests.journeys.guides import Reader
from tests.journeys.test_ingestion import SAMPLE, working

GUIDES = [
    ROOT / "README.md",
    *(ROOT / "docs" / name for name in ("quickstart.md", "api.md", "evaluating.md", "integrations.md", "clients.md")),
]
_KEY = re.compile(r"pali_\w+")


@pytest.mark.skipif(shutil.which("curl") is None, reason="the lines are pasted into a shell that has curl")
def test_guides_can_be_followed_and_leave_no_secret_behind(
    owner: Someone, web: Web, services: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KEY", owner.key)
    said = [owner.key]
    with (
        scripted(lambda _: Reply(200, SAMPLE.read_bytes()), port=web.fetch_port) as elsewhere,
        working(web, tmp_path, LOG_LEVEL="INFO"),
    ):
        places = {"http://localhost:8001": web.url, "https://example.com": elsewhere.url}
        for page in GUIDES:
            reader = Reader(owner.key, tmp_path, places)
            reader.does(page)
            said += reader.said
    issued = [keys.parse(word) for text in said for word in _KEY.findall(text)]
    secrets = {parts.secret.encode() for parts in issued if parts}
    assert len(secrets) == 2, "the owner's key, and the one that the API guide makes"
    stored = {"the dump": _dump(services)} | {str(path): path.read_bytes() for path in _written(web.home, tmp_path)}
    assert owner.user.email.encode() in stored["the dump"]
    assert b'"event": "request"' in stored[str(web.home / "log")]
    assert [place for place, content in stored.items() for secret in secrets if secret in content] == []


def _dump(services: Services) -> bytes:
    """Return a dump of the database, as in a backup."""
    program = postgres_binaries.find(None) / "bin" / "pg_dump"
    return subprocess.run([program, services.superuser_url], capture_output=True, check=True).stdout


def _written(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]
