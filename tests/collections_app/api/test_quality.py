"""The endpoint that reports search recall."""

from tests.cast import Someone
from tests.collections_app.searchable import random_vectors, with_vectors


def test_collection_without_compared_searches_has_no_recall(alice: Someone) -> None:
    alice.post("/v1/collections/", {"name": "reports"})
    report = alice.get("/v1/collections/reports/quality/").json()
    assert (report["collection_name"], report["recall"], report["searches_compared"]) == ("reports", None, 0)
    assert report["k"] == 10
    assert (report["vector_storage"], report["vectors_per_page"]) == ("full", None)


def test_report_counts_the_vectors_of_a_page(alice: Someone) -> None:
    for storage in ("full", "compact"):
        alice.post("/v1/collections/", {"name": storage, "vector_storage": storage})
        with_vectors(alice, "x", [random_vectors(1, count=3), random_vectors(2, count=20)], collection=storage)
        report = alice.get(f"/v1/collections/{storage}/quality/").json()
        assert (report["vector_storage"], report["vectors_per_page"]) == (storage, 11.5)


def test_report_of_another_owners_collection_is_not_found(alice: Someone, charlie: Someone) -> None:
    alice.post("/v1/collections/", {"name": "reports"})
    assert charlie.get("/v1/collections/reports/quality/").status_code == 404
