"""The kinds of errors and their statuses."""

import pytest

from collections_app.engine.rendering.errors import PageTooLarge
from collections_app.errors import PageNotFound
from paliapi import errors
from paliapi.errors import Conflict, Error, Invalid, Stale, TooLarge, Unparsable, kind_of
from paliapi.http.problems import STATUS


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Invalid(), Invalid),
        (Unparsable(), Unparsable),
        (Stale(), Stale),
        (PageTooLarge(), TooLarge),
        (Conflict, Conflict),
    ],
)
def test_the_most_specific_kind_wins(error: Error, kind: type[Error]) -> None:
    assert kind_of(error) is kind


def test_every_kind_has_a_status() -> None:
    assert set(STATUS) == set(errors.KINDS)


def test_default_detail_is_the_title() -> None:
    assert PageNotFound().detail == str(PageNotFound()) == "Page not found."
    assert PageNotFound("To the left.").detail == str(PageNotFound("To the left.")) == "To the left."


def test_catalogue_lists_kinds_and_subclasses_in_order() -> None:
    codes = [error.code for error in errors.catalogue()]
    assert codes == sorted(codes)
    assert {"invalid", "stale", PageNotFound.code} <= set(codes)
