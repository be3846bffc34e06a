"""The endpoints of page images and signed links."""

from django.test import Client

from tests.cast import Someone
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


def test_file_link_stops_working_when_its_last_document_is_deleted(alice: Someone) -> None:
    for name in ("x", "twin"):
        put(alice, name, PDF)
    link = alice.get("/v1/documents/x/").json()["url"].removeprefix("http://testserver")
    alice.delete("/v1/documents/x/")
    assert body_of(Client().get(link)) == PDF
    alice.delete("/v1/documents/twin/")
    assert Client().get(link).json()["code"] == "file_link_invalid"


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
