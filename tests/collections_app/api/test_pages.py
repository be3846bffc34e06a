"""The endpoints of pages, page images and signed links."""

import pytest
from django.test import Client

from accounts.ownership import acting_for
from collections_app.models import Page
from collections_app.storage.links import PageLink, page_token
from tests.cast import Someone, activate
from tests.collections_app.documents import PDF, PNG, body_of, put, shown_with_pages


def test_signed_link_returns_the_uploaded_bytes_without_a_key(alice: Someone) -> None:
    put(alice, "x", PDF)
    link = alice.get("/v1/documents/x/").json()["url"].removeprefix("http://testserver")
    got = Client().get(link)
    assert body_of(got) == PDF
    assert got["Content-Disposition"].startswith("attachment")
    assert got["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got["Content-Security-Policy"]
    assert Client().get(link + "x").json()["code"] == "file_link_invalid"


def file_link(who: Someone, name: str = "x") -> str:
    return str(who.get(f"/v1/documents/{name}/").json()["url"].removeprefix("http://testserver"))


def all_links(who: Someone) -> list[str]:
    """Return the signed links of the document: to its file, to the image of its page, and to the thumbnail."""
    page = who.get("/v1/documents/x/?expand=pages").json()["pages"][0]
    links = [file_link(who), page["thumbnail_url"].removeprefix("http://testserver")]
    key_id = who.get("/v1/me/").json()["key_id"]
    with acting_for(who.id):
        page_id = Page.objects.get(owner_id=who.id).pk
    return [*links, f"/v1/files/pages/{page_token(PageLink(who.id, key_id, page_id))}"]


def code_at(link: str) -> str:
    """Return the error code of a link; "" if it works."""
    answer = Client().get(link)
    if answer.status_code == 404:
        return str(answer.json()["code"])
    assert answer.status_code == 200
    assert body_of(answer)
    return ""


def test_file_link_stops_working_when_its_document_is_deleted_even_if_another_has_the_same_file(alice: Someone) -> None:
    for name in ("x", "twin"):
        put(alice, name, PDF)
    link, other_link = file_link(alice), file_link(alice, "twin")
    assert (code_at(link), code_at(other_link)) == ("", "")
    alice.delete("/v1/documents/x/")
    assert (code_at(link), code_at(other_link)) == ("file_link_invalid", "")


def test_file_link_works_until_the_file_is_replaced(alice: Someone) -> None:
    put(alice, "x", PDF)
    link = file_link(alice)
    put(alice, "x", PNG)
    assert code_at(link) == "file_link_invalid"
    assert code_at(file_link(alice)) == ""


@pytest.mark.parametrize("end", ["revoke", "expire"])
def test_links_end_with_the_key_that_got_them(alice: Someone, bob: Someone, end: str) -> None:
    shown_with_pages(alice, "x", pages=1)
    links, others = all_links(bob), all_links(alice)
    assert {code_at(link) for link in links + others} == {""}
    key_id = bob.get("/v1/me/").json()["key_id"]
    if end == "revoke":
        alice.delete(f"/v1/keys/{key_id}/")
    else:
        alice.post(f"/v1/keys/{key_id}/rotate/", {"overlap_hours": 0})
    assert {code_at(link) for link in links} == {"file_link_invalid"}
    assert {code_at(link) for link in others} == {""}


def test_links_of_a_deactivated_owner_stop_working_until_it_is_active_again(alice: Someone) -> None:
    shown_with_pages(alice, "x", pages=1)
    links = all_links(alice)
    for is_active, code in ((False, "file_link_invalid"), (True, "")):
        activate(alice, is_active=is_active)
        assert {code_at(link) for link in links} == {code}


def test_page_image_with_a_version_is_cacheable_forever(alice: Someone) -> None:
    shown_with_pages(alice, "a/b.pdf", pages=1)
    path = "/v1/documents/a%2Fb.pdf/pages/1/image"
    image = alice.get(path)
    assert (image["Content-Type"], body_of(image)) == ("image/png", PNG)
    assert image["Cache-Control"] == "private, no-cache"
    tag = image["ETag"]
    assert alice.get(path, If_None_Match=tag).status_code == 304
    forever = alice.get(f"{path}?v={tag.strip(chr(34))}")
    assert "immutable" in forever["Cache-Control"]
    assert "private" in forever["Cache-Control"]
    assert body_of(forever) == PNG
    for missing in (f"{path}?v=other", path.replace("/1/", "/2/"), path.replace("/1/", f"/{10**30}/")):
        assert alice.get(missing).json()["code"] == "page_not_found"


def test_page_has_its_text_and_links_to_its_image(alice: Someone) -> None:
    shown_with_pages(alice, "a/pages/1", pages=2)
    with acting_for(alice.id):
        Page.objects.filter(owner_id=alice.id, number=2).update(text="Eddystone", text_was_read=True)
    path = "/v1/documents/a/pages/1/pages/2"
    page = alice.get(path).json()
    assert (page["document_name"], page["collection_name"], page["page_number"]) == (
        "a/pages/1",
        "default_collection",
        2,
    )
    assert (page["text"], page["text_source"], page["scripts"]) == ("Eddystone", "ocr", ["Latin"])
    assert body_of(Client().get(page["image_url"].removeprefix("http://testserver"))) == PNG
    assert alice.get("/v1/documents/a/pages/1/pages/1").json()["text_source"] == "none"
    assert alice.get("/v1/documents/a/pages/1/").json()["num_pages"] == 2
    assert alice.get("/v1/documents/a/pages/1/pages/3").json()["code"] == "page_not_found"
