"""Batches of pages, and pages that cannot be rendered: they fail the document or are skipped, as requested."""

import base64
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

import pytest
from pytest_django import Settings

from accounts.ownership import acting_for
from accounts.quotas import usage
from collections_app.engine.rendering.errors import (
    FileDamaged,
    RenderCrashed,
    RenderTookTooLong,
    RenderTookTooMuchMemory,
)
from collections_app.engine.rendering.protocol import PageNotRendered, RenderedPage
from collections_app.engine.rendering.render import render
from collections_app.failpoints import Fault
from collections_app.ingest import pipeline, worker
from collections_app.ingest.batches import BATCH_PAGES, batches
from collections_app.ingest.embed_pages import PageFailed
from collections_app.models import Page
from paliapi.errors import Error
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf, with_giant_page
from tests.collections_app.ingestion import (
    end_waits,
    get_document,
    latest_revision,
    process_all,
    put_with,
    set_failpoint,
    shown_texts,
)

TINY = (72, 72)
UPSERT = "/v1/documents/upsert-document/"


def page(number: int, *, size: int = 1) -> RenderedPage:
    image = b"x" * size
    return RenderedPage(number=number, total=99, image=image, content_type="image/jpeg", width=1, height=1)


def page_numbers(who: Someone) -> list[int]:
    with acting_for(who.id):
        return list(Page.objects.filter(owner_id=who.id).order_by("number").values_list("number", flat=True))


def test_batches_are_limited_by_count_and_by_bytes() -> None:
    pages = [page(number) for number in range(1, BATCH_PAGES + 2)]
    pages += [page(number, size=3 * 1024 * 1024) for number in range(BATCH_PAGES + 2, BATCH_PAGES + 4)]
    grouped = list(batches(pages, first=1, may_skip=False))
    assert [[page.number for page in batch.pages] for batch in grouped] == [
        list(range(1, BATCH_PAGES + 1)),
        [BATCH_PAGES + 1, BATCH_PAGES + 2],
        [BATCH_PAGES + 3],
    ]
    assert [batch.last for batch in grouped] == [BATCH_PAGES, BATCH_PAGES + 2, BATCH_PAGES + 3]


def test_page_that_cannot_be_rendered_ends_the_last_batch_or_fails_the_document() -> None:
    results: list[RenderedPage | PageNotRendered] = [page(1), PageNotRendered(FileDamaged(), page=2, total=3)]
    (batch,) = batches(results, first=1, may_skip=True)
    assert ([page.number for page in batch.pages], list(batch.refused), batch.last, batch.total) == ([1], [2], 2, 3)
    with pytest.raises(PageFailed) as failure:
        list(batches(results, first=1, may_skip=False))
    assert failure.value.page == 2


@pytest.mark.parametrize("error", [RenderTookTooLong, RenderTookTooMuchMemory, RenderCrashed])
def test_page_is_retried_in_a_fresh_process_before_it_is_refused(error: type[Error]) -> None:
    failure = PageNotRendered(error(), page=2, total=3)
    (batch,) = batches([page(1), failure], first=1, may_skip=True)
    assert (batch.refused, batch.last) == ({}, 1)
    (batch,) = batches([failure], first=2, may_skip=True)
    assert (list(batch.refused), batch.last) == ([2], 2)


@pytest.mark.parametrize("error", [RenderTookTooLong, RenderTookTooMuchMemory, RenderCrashed])
def test_document_is_complete_after_the_renderer_wore_out_once(
    owner: Someone, monkeypatch: pytest.MonkeyPatch, error: type[Error]
) -> None:
    texts = [f"page {number}" for number in range(1, 19)]

    def worn_out(source: IO[bytes], *, first_page: int, **options: Any) -> Iterator[RenderedPage]:
        pages = render(source, first_page=first_page, **options)
        yield from islice(pages, max(0, 12 - first_page))
        if first_page < 12:
            raise PageNotRendered(error(), page=12, total=len(texts))
        yield from pages

    monkeypatch.setattr(pipeline, "render", worn_out)
    put(owner, "report.pdf", pdf(*texts, size=TINY))
    process_all()
    assert shown_texts(owner, "report.pdf") == texts


def test_skipped_page_leaves_the_numbers_of_the_others_unchanged(owner: Someone) -> None:
    put_with(owner, with_giant_page(pdf("one", "two", "three"), page=2))
    process_all()
    document = get_document(owner, "a.pdf")
    assert (document["status"], document["num_pages"]) == ("ready", 2)
    assert (document["pages_total"], document["pages_done"]) == (3, 3)
    assert [(skipped["page"], skipped["code"]) for skipped in document["skipped_pages"]] == [(2, "page_too_large")]
    assert (page_numbers(owner), shown_texts(owner, "a.pdf")) == ([1, 3], ["one", "three"])
    with acting_for(owner.id) as tx:
        assert usage(tx).pages == 2


@pytest.mark.parametrize("number", [1, 3])
def test_first_and_last_page_can_be_skipped(owner: Someone, number: int) -> None:
    put_with(owner, with_giant_page(pdf("1", "2", "3"), page=number))
    process_all()
    assert page_numbers(owner) == [other for other in (1, 2, 3) if other != number]


def test_by_default_a_page_that_cannot_be_rendered_fails_the_document(owner: Someone) -> None:
    content = base64.b64encode(with_giant_page(pdf("1", "2"), page=1)).decode()
    for options in ({}, {"on_page_error": "fail"}, {"on_page_error": None}):
        owner.post(UPSERT, {"name": "a.pdf", "base64": content, **options})
        process_all()
        document = get_document(owner, "a.pdf")
        error = document["error"]
        assert (document["status"], error["code"], error["page"]) == ("failed", "page_too_large", 1)
    assert owner.post(UPSERT, {"name": "a", "base64": content, "on_page_error": "ignore"}).status_code == 422


def test_document_without_a_usable_page_fails(owner: Someone) -> None:
    put_with(owner, with_giant_page(with_giant_page(pdf("1", "2"), page=1), page=2))
    process_all()
    document = get_document(owner, "a.pdf")
    assert (document["status"], document["error"]["code"], document["num_pages"]) == ("failed", "no_page_usable", 0)
    assert [skipped["page"] for skipped in document["skipped_pages"]] == [1, 2]
    assert owner.post("/v1/documents/a.pdf/retry/", "").json()["skipped_pages"] == []
    process_all()
    assert get_document(owner, "a.pdf")["error"]["code"] == "no_page_usable"


def test_file_that_cannot_be_opened_fails_even_if_pages_may_be_skipped(owner: Someone) -> None:
    put_with(owner, pdf("secret", encrypt=True))
    process_all()
    document = get_document(owner, "a.pdf")
    assert document["error"]["code"] == "file_encrypted"
    assert "page" not in document["error"]
    assert document["skipped_pages"] == []


def test_skipped_pages_are_remembered_after_a_worker_died(owner: Someone, settings: Settings) -> None:
    texts = [str(number) for number in range(1, 12)]
    put_with(owner, with_giant_page(pdf(*texts), page=2))
    set_failpoint(settings, "pages_stored:2")
    with pytest.raises(Fault):
        worker.run()
    row = latest_revision(owner, "a.pdf")
    assert (row.pages_done, [skipped["page"] for skipped in row.skipped]) == (10, [2])
    set_failpoint(settings, "")
    end_waits()
    process_all()
    assert get_document(owner, "a.pdf")["num_pages"] == 10


def test_every_revision_has_its_own_treatment_of_page_errors(owner: Someone) -> None:
    put_with(owner, with_giant_page(pdf("1", "2"), page=2))
    process_all()
    content = base64.b64encode(with_giant_page(pdf("3", "4"), page=2)).decode()
    owner.patch("/v1/documents/a.pdf/", {"base64": content})
    process_all()
    assert get_document(owner, "a.pdf")["status"] == "failed"
    owner.patch("/v1/documents/a.pdf/", {"base64": content, "on_page_error": "skip"})
    process_all()
    assert (get_document(owner, "a.pdf")["status"], shown_texts(owner, "a.pdf")) == ("ready", ["3"])
    assert owner.patch("/v1/documents/a.pdf/", {"on_page_error": "skip"}).json()["code"] == "nothing_to_change"
