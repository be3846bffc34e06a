"""A file whose bytes are missing from storage: fetching it is a 404, and it never breaks a list or a search."""

from pathlib import Path
from typing import Any

import pytest

from accounts.ownership import acting_for
from collections_app.models import Page, StoredFile
from collections_app.storage import files
from tests.admin_client import admin_client
from tests.cast import Someone
from tests.collections_app.api.finding import SEARCH, search_hits
from tests.collections_app.documents import body_of

IMAGE = "/v1/documents/lighthouses.pdf/pages/1/image?collection_name=sea"
EXPANDED_LISTS = (
    "/v1/documents/?collection_name=all&expand=pages",
    "/v1/documents/lighthouses.pdf/?collection_name=sea&expand=pages",
)


def lose_all_files(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()


def break_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let reading fail after the file was opened, as an object store that goes away does."""

    class Broken:
        def __enter__(self) -> "Broken":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def read(self, *_: object) -> bytes:
            raise OSError("Input/output error")

    monkeypatch.setattr(files.storage(), "open", lambda *_args, **_kwargs: Broken())


def local(url: str) -> str:
    return url.removeprefix("http://testserver")


def signed_links(who: Someone) -> list[str]:
    (hit,) = search_hits(who, query="lens", top_k=1, images="url")
    document = who.get("/v1/documents/lighthouses.pdf/?collection_name=sea").json()
    return [local(url) for url in (hit["image_url"], hit["thumbnail_url"], document["url"])]


def test_fetching_a_lost_file_is_not_found(alice: Someone, library: list[int], files_of_this_test: Path) -> None:
    paths = [IMAGE, *signed_links(alice)]
    assert all(body_of(alice.get(path)) for path in paths)
    lose_all_files(files_of_this_test)
    for path in paths:
        response = alice.get(path)
        assert (response.status_code, response.json()["code"]) == (404, "not_found"), path


def test_a_lost_file_is_not_found_in_the_admin(alice: Someone, library: list[int], files_of_this_test: Path) -> None:
    client = admin_client()
    page, file = library[0], _file_of(alice)
    paths = [
        f"/admin/collections_app/page/{page}/image",
        f"/admin/collections_app/page/{page}/image?small",
        f"/admin/collections_app/storedfile/{file}/content",
    ]
    assert all(body_of(client.get(path)) for path in paths)
    lose_all_files(files_of_this_test)
    assert [client.get(path).status_code for path in paths] == [404] * len(paths)


@pytest.mark.parametrize("path", EXPANDED_LISTS)
def test_a_lost_image_is_empty_in_expanded_documents(
    alice: Someone, library: list[int], files_of_this_test: Path, path: str
) -> None:
    lose_all_files(files_of_this_test)
    response = alice.get(path)
    assert response.status_code == 200, response.content
    assert _images(response.json()) == {""}


def test_a_lost_image_is_empty_in_filter_results(alice: Someone, library: list[int], files_of_this_test: Path) -> None:
    lose_all_files(files_of_this_test)
    response = alice.post("/v1/filter/?expand=pages", {"on": "document", "key": "year", "value": 2026})
    assert response.status_code == 200, response.content
    assert _images(response.json()) == {""}


def test_a_lost_image_is_empty_in_a_hit(alice: Someone, library: list[int], files_of_this_test: Path) -> None:
    lose_all_files(files_of_this_test)
    (hit,) = search_hits(alice, query="lens", top_k=1)
    assert (hit["document_name"], hit["img_base64"]) == ("lighthouses.pdf", "")
    assert hit["image_url"]


def test_unreadable_storage_is_unavailable_in_lists_and_searches(
    alice: Someone, library: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_storage(monkeypatch)
    responses = [*(alice.get(path) for path in EXPANDED_LISTS), alice.post(SEARCH, {"query": "lens"})]
    assert {(response.status_code, response.json()["code"]) for response in responses} == {(503, "storage_unavailable")}
    assert all(response["Retry-After"] for response in responses)


def _images(body: Any) -> set[str]:
    documents = body if isinstance(body, list) else [body]
    return {page["img_base64"] for document in documents for page in document["pages"]}


def _file_of(who: Someone) -> int:
    with acting_for(who.id):
        images = Page.objects.values("image")
        return StoredFile.objects.filter(owner_id=who.id).exclude(pk__in=images).values_list("pk", flat=True)[0]
