"""Documents in responses."""

from tests.cast import Someone
from tests.collections_app.documents import PNG, shown_with_pages


def test_expanding_too_many_pages_is_rejected(alice: Someone, small_limits: None) -> None:
    shown_with_pages(alice, "x", pages=1, image=PNG + b"\x00" * (1024 * 1024))
    refused = alice.get("/v1/documents/?expand=pages")
    assert (refused.status_code, refused.json()["code"]) == (413, "answer_too_large")
    assert alice.get("/v1/documents/").status_code == 200
