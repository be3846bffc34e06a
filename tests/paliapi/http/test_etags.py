"""ETags of representations."""

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from paliapi.errors import Stale
from paliapi.http.etags import etag, etag_response, require_match

REPRESENTATION = {"name": "a", "url": "signed-1"}
TAG = etag(REPRESENTATION)


def request(**headers: str) -> Request:
    return Request(APIRequestFactory().get("/", headers={name.replace("_", "-"): tag for name, tag in headers.items()}))


def test_signed_links_do_not_change_the_etag() -> None:
    assert etag({"name": "a", "url": "signed-2"}) == TAG
    assert etag({"name": "b", "url": "signed-1"}) != TAG


@pytest.mark.parametrize("sent", [TAG, f"W/{TAG}", "*", f'"other", {TAG}'])
def test_known_version_is_not_sent_again(sent: str) -> None:
    response = etag_response(request(If_None_Match=sent), REPRESENTATION)
    assert (response.status_code, response.data, response["ETag"]) == (304, None, TAG)


@pytest.mark.parametrize("sent", ["", '"other"', TAG.strip('"')])
def test_other_version_is_sent(sent: str) -> None:
    response = etag_response(request(If_None_Match=sent), REPRESENTATION)
    assert (response.status_code, response.data, response["ETag"]) == (200, REPRESENTATION, TAG)


def test_condition_holds_without_a_header_and_for_the_current_version() -> None:
    require_match(request(), REPRESENTATION)
    for sent in (TAG, "*", f'"other", {TAG}'):
        require_match(request(If_Match=sent), REPRESENTATION)


@pytest.mark.parametrize("sent", ['"other"', f"W/{TAG}", ""])
def test_condition_fails_for_another_version(sent: str) -> None:
    with pytest.raises(Stale) as refused:
        require_match(request(If_Match=sent), REPRESENTATION)
    assert refused.value.headers == {"ETag": TAG}
