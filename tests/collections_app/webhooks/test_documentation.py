"""The examples in `docs/webhooks.md` work."""

import json
import re
from typing import Any

import pytest
from django.utils import timezone

from collections_app.engine.outbound.webhook_signature import derive_key, format_secret, signature_headers
from collections_app.webhook_models import TEST_EVENT, WebhookEvent
from paliapi.env import ROOT

PAGE = (ROOT / "docs" / "webhooks.md").read_text()
KEY = derive_key("pepper" * 6, salt=b"s" * 32)
BODY = b'{"type":"document.ready"}'


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_python_example_verifies_messages() -> None:
    (example,) = blocks("python")
    namespace: dict[str, Any] = {}
    exec(example, namespace)  # noqa: S102 - our own documentation
    now = int(timezone.now().timestamp())
    other = derive_key("another" * 6, salt=b"s" * 32)
    valid = signature_headers("msg_1", BODY, timestamp=now, keys=[other, KEY])
    assert namespace["verified"](BODY, valid, format_secret(KEY)) == json.loads(BODY)
    for body, headers in (
        (BODY + b" ", valid),
        (BODY, signature_headers("msg_1", BODY, timestamp=now, keys=[other])),
        (BODY, signature_headers("msg_1", BODY, timestamp=now - 301, keys=[KEY])),
    ):
        with pytest.raises(ValueError, match=r"The (signature does not match|timestamp is too far)"):
            namespace["verified"](body, headers, format_secret(KEY))


def test_every_event_is_documented() -> None:
    for event in (*WebhookEvent.values, TEST_EVENT):
        assert f"`{event}`" in PAGE
    for block in blocks("json"):
        assert json.loads(block)["type"] in WebhookEvent.values
