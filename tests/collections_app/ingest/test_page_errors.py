"""One bad page: it fails the document, or is left out of it, as the owner asked."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from pytest_django import Settings

from accounts.ownership import acting_for
from accounts.quotas import usage
from collections_app import failpoints
from collections_app.failpoints import Fault
from collections_app.ingest import worker
from collections_app.models import Page
from embeddings.contract import VectorSpace
from tests.cast import Someone
from tests.collections_app.engine.rendering.samples import pdf, picture, with_giant_page
from tests.collections_app.ingestion import (
    assert_consistent,
    embeddings_reply,
    end_waits,
    get_document,
    latest_revision,
    process_all,
    shown_texts,
)
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted

TINY = (72, 72)
UPSERT = "/v1/documents/upsert-document/"


@pytest.fixture
def owner(alice: Someone, service: str) -> Iterator[Someone]:
    """Alice; whatever happens, her books balance."""
    yield alice
    assert_consistent(alice)


def send(who: Someone, content: bytes, *, on_page_error: str = "skip") -> None:
    form = {"file": SimpleUploadedFile("file", content), "name": "a.pdf", "on_page_error": on_page_error}
    assert who.upload(UPSERT, form).status_code == 202


def numbers(who: Someone) -> list[int]:
    with acting_for(who.id):
        return list(Page.objects.filter(owner_id=who.id).order_by("number").values_list("number", flat=True))


def refusing(*bad: int, naming: bool = True) -> Callable[[ReceivedRequest], Reply]:
    """A service that does not take pages of these heights, and says which it was, or not."""

    def reply(asked: ReceivedRequest) -> Reply:
        heights = [_height(one) for one in asked.json()["inputs"] if asked.json()["input_type"] == "image"]
        for index, height in enumerate(heights):
            if height in bad:
                return Reply.json({"detail": "No.", **({"index": index} if naming else {})}, status=422)
        return embeddings_reply(VectorSpace("toy", "1", 4), asked)

    return reply


def _height(coded: Any) -> int:
    content = coded["image"] if isinstance(coded, dict) else coded
    return Image.open(BytesIO(base64.b64decode(content))).height


def frames(*heights: int) -> bytes:
    """A picture with a page of each height."""
    return picture("TIFF", *(Image.new("RGB", (20, height), "white") for height in heights))


def test_a_page_that_cannot_be_drawn_is_left_out_and_the_others_keep_their_numbers(owner: Someone) -> None:
    send(owner, with_giant_page(pdf("one", "two", "three"), page=2))
    process_all()
    found = get_document(owner, "a.pdf")
    assert (found["status"], found["num_pages"], found["pages_total"], found["pages_done"]) == ("ready", 2, 3, 3)
    assert [(one["page"], one["code"]) for one in found["skipped_pages"]] == [(2, "page_too_large")]
    assert (numbers(owner), shown_texts(owner, "a.pdf")) == ([1, 3], ["one", "three"])
    with acting_for(owner.id) as tx:
        assert usage(tx).pages == 2


@pytest.mark.parametrize("page", [1, 3])
def test_also_the_first_and_the_last_page(owner: Someone, page: int) -> None:
    send(owner, with_giant_page(pdf("1", "2", "3"), page=page))
    process_all()
    assert numbers(owner) == [one for one in (1, 2, 3) if one != page]


def test_without_being_asked_a_bad_page_fails_the_document(owner: Someone) -> None:
    coded = base64.b64encode(with_giant_page(pdf("1", "2"), page=1)).decode()
    for asked in ({}, {"on_page_error": "fail"}, {"on_page_error": None}):
        owner.post(UPSERT, {"name": "a.pdf", "base64": coded, **asked})
        process_all()
        found = get_document(owner, "a.pdf")
        assert (found["status"], found["error"]["code"], found["error"]["page"]) == ("failed", "page_too_large", 1)
    assert owner.post(UPSERT, {"name": "a", "base64": coded, "on_page_error": "ignore"}).status_code == 422


def test_a_document_without_one_good_page_fails_and_says_why(owner: Someone) -> None:
    send(owner, with_giant_page(with_giant_page(pdf("1", "2"), page=1), page=2))
    process_all()
    found = get_document(owner, "a.pdf")
    assert (found["status"], found["error"]["code"], found["num_pages"]) == ("failed", "no_page_usable", 0)
    assert [one["page"] for one in found["skipped_pages"]] == [1, 2]
    assert owner.post("/v1/documents/a.pdf/retry/", "").json()["skipped_pages"] == []
    process_all()
    assert get_document(owner, "a.pdf")["error"]["code"] == "no_page_usable"


def test_a_file_that_cannot_be_opened_fails_whatever_was_asked(owner: Someone) -> None:
    send(owner, pdf("secret", encrypt=True))
    process_all()
    found = get_document(owner, "a.pdf")
    assert (found["error"]["code"], "page" in found["error"], found["skipped_pages"]) == ("file_encrypted", False, [])


@pytest.mark.parametrize("naming", [True, False], ids=["named", "unnamed"])
def test_pages_that_the_embeddings_service_refuses_are_found_and_left_out(
    owner: Someone, settings: Settings, naming: bool
) -> None:
    send(owner, frames(1, 2, 3, 4, 5))
    with scripted(refusing(2, 5, naming=naming)) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        process_all()
    found = get_document(owner, "a.pdf")
    assert (found["status"], found["num_pages"]) == ("ready", 3)
    assert [(one["page"], one["code"]) for one in found["skipped_pages"]] == [
        (2, "input_not_embeddable"),
        (5, "input_not_embeddable"),
    ]
    assert numbers(owner) == [1, 3, 4]


def test_a_refused_page_that_the_service_does_not_name_is_named_in_the_failure(
    owner: Someone, settings: Settings
) -> None:
    send(owner, frames(1, 2, 3, 4), on_page_error="fail")
    with scripted(refusing(3, naming=False)) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        process_all()
    error = get_document(owner, "a.pdf")["error"]
    assert (error["code"], error["page"]) == ("input_not_embeddable", 3)


def test_what_was_left_out_is_remembered_where_a_worker_dies(owner: Someone, settings: Settings) -> None:
    texts = [str(number) for number in range(1, 12)]
    send(owner, with_giant_page(pdf(*texts), page=2))
    settings.ENV = replace(settings.ENV, failpoint="pages_stored:2=raise")
    with pytest.raises(Fault):
        worker.run()
    row = latest_revision(owner, "a.pdf")
    assert (row.pages_done, [one["page"] for one in row.skipped]) == (10, [2])
    settings.ENV = replace(settings.ENV, failpoint="")
    failpoints.reset()
    end_waits()
    process_all()
    assert get_document(owner, "a.pdf")["num_pages"] == 10


def test_a_newer_content_says_anew_what_becomes_of_bad_pages(owner: Someone) -> None:
    send(owner, with_giant_page(pdf("1", "2"), page=2))
    process_all()
    coded = base64.b64encode(with_giant_page(pdf("3", "4"), page=2)).decode()
    owner.patch("/v1/documents/a.pdf/", {"base64": coded})
    process_all()
    assert get_document(owner, "a.pdf")["status"] == "failed"
    owner.patch("/v1/documents/a.pdf/", {"base64": coded, "on_page_error": "skip"})
    process_all()
    assert (get_document(owner, "a.pdf")["status"], shown_texts(owner, "a.pdf")) == ("ready", ["3"])
    assert owner.patch("/v1/documents/a.pdf/", {"on_page_error": "skip"}).json()["code"] == "nothing_to_change"
