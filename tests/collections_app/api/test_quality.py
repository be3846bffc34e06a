"""The endpoint that reports search recall."""

from tests.cast import Someone


def test_collection_without_compared_searches_has_no_recall(alice: Someone) -> None:
    alice.post("/v1/collections/", {"name": "reports"})
    report = alice.get("/v1/collections/reports/quality/").json()
    assert (report["collection_name"], report["recall"], report["searches_compared"]) == ("reports", None, 0)
    assert report["k"] == 10


def test_report_of_another_owners_collection_is_not_found(alice: Someone, charlie: Someone) -> None:
    alice.post("/v1/collections/", {"name": "reports"})
    assert charlie.get("/v1/collections/reports/quality/").status_code == 404
