"""Values as HTML for the admin."""

from typing import Any

import pytest

from collections_app.admin_pages import html
from collections_app.models import Collection, Page, Revision, Status


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": Status.QUEUED}, '<span class="state state-queued">queued</span>'),
        (
            {"status": Status.EMBEDDING, "pages_done": 1000, "pages_total": 2000},
            '<span class="state state-embedding">embedding</span> 1,000 of 2,000',
        ),
        (
            {"status": Status.READY, "pages_done": 3, "pages_total": 3},
            '<span class="state state-ready">ready</span>',
        ),
    ],
)
def test_status_shows_progress_until_the_revision_ends(fields: dict[str, Any], expected: str) -> None:
    assert html.status(Revision(**fields)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "-"),
        ({"waiting_for": "embeddings_unavailable"}, "waiting for: embeddings_unavailable"),
        ({"error": {"detail": "<b>"}}, '<span class="error">unknown: &lt;b&gt;</span>'),
    ],
)
def test_failure_is_an_escaped_error_or_the_cause_of_waiting(fields: dict[str, Any], expected: str) -> None:
    assert html.failure(Revision(**fields)) == expected


def test_missing_rows_are_shown_as_a_dash() -> None:
    assert {html.link_to(None), html.status(None), html.failure(None), html.text(""), html.progress(Revision())} == {
        "-"
    }
    assert html.thumbnails(Page.objects.none()) == "-"


@pytest.mark.urls("paliapi.admin_urls")
def test_links_are_labelled_with_the_escaped_name() -> None:
    link = html.link_to(Collection(pk=7, name="<i>"))
    assert link == '<a href="/admin/collections_app/collection/7/change/">&lt;i&gt;</a>'
    links = html.link_to_list(Page, "pages", revision__id__exact=7)
    assert links == '<a href="/admin/collections_app/page/?revision__id__exact=7">pages</a>'


def test_json_is_indented_and_escaped() -> None:
    assert html.json_text({"a": "<b>é"}) == '<pre class="json">{\n  &quot;a&quot;: &quot;&lt;b&gt;é&quot;\n}</pre>'
