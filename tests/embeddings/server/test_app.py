"""The application: its routes, and what it adds to every response."""

import httpx

from tests.embeddings.server.requesting import post


def test_every_response_names_the_space(service: httpx.Client) -> None:
    for response in (service.get("/health"), service.get("/nowhere"), post(service, {}), service.get("/embeddings")):
        assert response.headers["x-embeddings-model"] == "paliapi/lexical-v1"
        assert response.headers["x-embeddings-revision"] == "1"
        assert response.headers["x-embeddings-dim"] == "128"


def test_unknown_routes_and_methods_are_refused_without_a_redirect(service: httpx.Client) -> None:
    assert service.get("/nothing").json()["code"] == "no_such_route"
    assert service.post("/embeddings/").json()["code"] == "no_such_route"
    refused = service.get("/embeddings")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
