"""The images of hits: in the response, as links, or not at all."""

from django.test import Client

from accounts.ownership import acting_for
from collections_app.models import StoredFile
from tests.cast import Someone
from tests.collections_app.api.finding import SEARCH, search_hits
from tests.collections_app.documents import PNG, THUMBNAIL, body_of
from tests.collections_app.searchable import with_words


def test_images_option_returns_base64_links_or_nothing(alice: Someone, library: list[int]) -> None:
    (whole,) = search_hits(alice, query="lens", top_k=1)
    (linked,) = search_hits(alice, query="lens", top_k=1, images="url")
    (bare,) = search_hits(alice, query="lens", top_k=1, images="none")
    assert (linked["img_base64"], bare["img_base64"], bare["image_url"]) == ("", "", None)
    for hit in (whole, linked):
        shown = Client().get(hit["image_url"].removeprefix("http://testserver"))
        assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")
        assert shown["Content-Disposition"].startswith("inline")
        assert body_of(shown) == PNG


def test_hits_have_a_thumbnail_link_that_is_valid_for_nothing_else(alice: Someone, library: list[int]) -> None:
    (hit,) = search_hits(alice, query="lens", top_k=1, images="url")
    path = hit["thumbnail_url"].removeprefix("http://testserver")
    shown = Client().get(path)
    assert (shown.status_code, shown["Content-Type"], shown["Content-Length"]) == (
        200,
        "image/jpeg",
        str(len(THUMBNAIL)),
    )
    assert body_of(shown) == THUMBNAIL
    assert Client().get(path.replace("thumbnails", "pages")).json()["code"] == "file_link_invalid"
    assert search_hits(alice, query="lens", top_k=1, images="none")[0]["thumbnail_url"] is None


def test_page_without_a_thumbnail_has_no_thumbnail_url(alice: Someone, library: list[int]) -> None:
    (hit,) = search_hits(alice, query="lens", top_k=1, images="url")
    with acting_for(alice.id):
        StoredFile.objects.filter(owner_id=alice.id).update(thumbnail_size=0)
    assert search_hits(alice, query="lens", top_k=1, images="url")[0]["thumbnail_url"] is None
    path = hit["thumbnail_url"].removeprefix("http://testserver")
    assert Client().get(path).json()["code"] == "file_link_invalid"


def test_image_link_stops_working_when_its_page_is_deleted(alice: Someone, library: list[int]) -> None:
    (hit,) = search_hits(alice, query="lens", top_k=1, images="url")
    path = hit["image_url"].removeprefix("http://testserver")
    assert Client().get(path[:-1] + "_").json()["code"] == "file_link_invalid"
    assert alice.delete("/v1/documents/lighthouses.pdf/?collection_name=sea").status_code == 204
    gone = Client().get(path)
    assert (gone.status_code, gone.json()["code"]) == (404, "file_link_invalid")


def test_image_token_is_not_a_file_token(alice: Someone, library: list[int]) -> None:
    (hit,) = search_hits(alice, query="lens", top_k=1, images="url")
    token = hit["image_url"].rpartition("/")[2]
    assert Client().get(f"/v1/files/{token}").status_code == 404


def test_too_large_images_are_rejected_with_a_hint(alice: Someone, service: str, small_limits: None) -> None:
    with_words(alice, "big.pdf", ["light", "light"], image=PNG + bytes(700_000))
    refused = alice.post(SEARCH, {"query": "light"})
    assert (refused.status_code, refused.json()["code"]) == (413, "answer_too_large")
    assert "url" in refused.json()["detail"]
    assert len(search_hits(alice, query="light", images="url")) == 2
