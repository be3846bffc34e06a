"""The errors of a request."""

from embeddings import errors
from embeddings.errors import QueueFull, RequestError


def test_codes_are_unique_and_details_default_to_the_title() -> None:
    kinds = RequestError.__subclasses__()
    assert len({kind.code for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert 400 <= kind.status < 600
        assert kind().detail == kind.title


def test_error_of_an_input_keeps_its_kind_and_names_the_input() -> None:
    error = QueueFull("Full.", retry_after_s=5).at(2)
    assert type(error) is QueueFull
    assert (error.detail, error.index, error.retry_after_s) == ("Input 2: Full.", 2, 5)


def test_statuses_and_codes_are_stable() -> None:
    assert {(kind.status, kind.code) for kind in errors.RequestError.__subclasses__()} == {
        (400, "not_json"),
        (401, "not_authorised"),
        (404, "no_such_route"),
        (405, "method_not_allowed"),
        (413, "too_large"),
        (422, "bad_field"),
        (422, "bad_image"),
        (422, "unsupported"),
        (429, "queue_full"),
        (500, "cannot_embed"),
        (501, "reranker_missing"),
        (503, "not_ready"),
        (504, "took_too_long"),
    }
