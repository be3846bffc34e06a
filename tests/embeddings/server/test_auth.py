"""Authentication by API key."""

import httpx
import pytest

from tests.embeddings.server.requesting import post
from tests.embeddings.serving import serving

EMPTY = {"input_type": "text", "inputs": []}


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", "Basic key-of-the-tests", "key-of-the-tests", "Bearer \xe9"]
)
def test_request_without_a_valid_key_is_refused(service: httpx.Client, header: str) -> None:
    response = httpx.post(
        f"{service.base_url}/embeddings", content=b"not json", headers=[(b"authorization", header.encode("latin-1"))]
    )
    assert response.status_code == 401
    assert response.json()["code"] == "not_authorised"
    assert response.headers["www-authenticate"] == "Bearer"


def test_key_is_accepted_in_x_api_key(service: httpx.Client) -> None:
    response = httpx.post(f"{service.base_url}/embeddings", json=EMPTY, headers={"x-api-key": "key-of-the-tests"})
    assert response.status_code == 200


def test_several_keys_are_valid_during_rotation() -> None:
    with serving(COLPALI_API_KEY="old, new") as client:
        codes = [post(client, EMPTY, authorization=f"Bearer {key}").status_code for key in ("old", "new", "old, new")]
    assert codes == [200, 200, 401]


def test_authorization_header_is_ignored_in_mode_header() -> None:
    with serving(COLPALI_AUTH="header", COLPALI_API_KEY="k") as client:
        assert post(client, EMPTY, authorization="Bearer k").status_code == 401
        assert post(client, EMPTY, **{"x-api-key": "k"}).status_code == 200


def test_mode_gateway_checks_no_key() -> None:
    with serving(COLPALI_AUTH="gateway", COLPALI_API_KEY="") as client:
        assert post(client, EMPTY, authorization="Bearer of-the-gateway").status_code == 200
