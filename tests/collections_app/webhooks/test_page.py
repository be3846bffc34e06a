"""What the page for people says can be done as it says."""

import json
import re
from typing import Any

import pytest
from django.utils import timezone

from collections_app.engine.outbound.webhook_signature import derive_key, format_secret, signature_headers
from collections_app.webhook_models import TEST, Event
from paliapi.env import ROOT

PAGE = (ROOT / "docs" / "webhooks.md").read_text()
KEY = derive_key("pepper" * 6, salt=b"s" * 32)
BODY = b'{"type":"document.ready"}'


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_lines_in_python_verify_a_message() -> None:
    (lines,) = blocks("python")
    found: dict[str, Any] = {}
    exec(lines, found)  # noqa: S102 - our own page
    now = int(timezone.now().timestamp())
    other = derive_key("another" * 6, salt=b"s" * 32)
    headers = signature_headers("msg_1", BODY, timestamp=now, keys=[other, KEY])
    assert found["verified"](BODY, headers, format_secret(KEY)) == json.loads(BODY)
    for body, told in (
        (BODY + b" ", headers),
        (BODY, signature_headers("msg_1", BODY, timestamp=now, keys=[other])),
        (BODY, signature_headers("msg_1", BODY, timestamp=now - 301, keys=[KEY])),
    ):
        with pytest.raises(ValueError, match=r"The (signature does not match|timestamp is too far)"):
            found["verified"](body, told, format_secret(KEY))


def test_every_event_is_on_the_page() -> None:
    for event in (*Event.values, TEST):
        assert f"`{event}`" in PAGE
    for block in blocks("json"):
        assert json.loads(block)["type"] in Event.values
