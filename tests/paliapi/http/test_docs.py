"""The HTML pages, which load only local files and contain no inline code."""

import json
import re
from dataclasses import replace

import pytest
from django.templatetags.static import static
from django.test import Client
from django.test.utils import override_settings
from pytest_django import Settings

from paliapi.http.problems import codes

PAGES = ["/v1/docs", "/v1/docs/errors"]


def html(path: str) -> str:
    answer = Client().get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    return answer.content.decode()


def body(address: str) -> bytes:
    answer = Client().get(address)
    assert answer.status_code == 200, address
    return answer.getvalue()


@pytest.mark.parametrize("path", PAGES)
def test_page_has_no_inline_script_or_style(path: str) -> None:
    text = html(path)
    assert "<style" not in text
    assert not re.search(r"\s(style|on\w+)=", text)
    assert all(tag.endswith("></script>") for tag in re.findall(r"<script.*?</script>", text, re.DOTALL))


@pytest.mark.parametrize("path", PAGES)
def test_page_loads_only_local_files(path: str) -> None:
    urls = re.findall(r'(?:src|href|data-document)="([^"#]+)"', html(path))
    assert urls
    for address in urls:
        assert address.startswith("/"), address
        assert body(address), address


def test_swagger_does_not_store_the_key_and_contacts_no_other_server() -> None:
    script = body(static("paliapi/swagger.js"))
    assert b"persistAuthorization: false" in script
    assert b"validatorUrl: null" in script
    assert b"http" not in script


def test_every_code_has_an_anchor() -> None:
    text = html("/v1/docs/errors")
    for code, status, _title in codes():
        assert f'<tr id="{code}"><td><code>{code}</code></td><td>{status}</td>' in text


def test_error_links_to_its_code() -> None:
    address, _, code = Client().get("/nowhere").json()["type"].partition("#")
    assert f'id="{code}"' in html(address)


def test_document_has_two_urls() -> None:
    assert Client().get("/v1/openapi.json").json() == Client().get("/v1/docs/openapi.json").json()


@pytest.mark.parametrize("path", ["/", "/v1/docs/"])
def test_other_urls_redirect_to_swagger(path: str) -> None:
    assert Client().get(path)["Location"] == "/v1/docs"


def test_favicon_redirects_to_the_icon() -> None:
    assert body(Client().get("/favicon.ico")["Location"]).startswith(b"<svg")


def test_document_names_the_requested_server() -> None:
    for path in ("/v1/openapi.json", "/v1/docs/openapi.json"):
        document = json.loads(Client().get(path, headers={"host": "localhost:8123"}).content)
        assert [server["url"] for server in document["servers"]] == ["http://localhost:8123"]


def test_document_is_not_sent_again_to_those_who_have_it() -> None:
    first = Client().get("/v1/openapi.json")
    again = Client().get("/v1/openapi.json", headers={"If-None-Match": f"W/{first['ETag']}"})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    other = Client().get("/v1/openapi.json", headers={"host": "localhost:8123", "If-None-Match": first["ETag"]})
    assert other.status_code == 200


def test_document_is_not_generated_for_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drf_spectacular.generators.SchemaGenerator.get_schema", None)
    assert Client().get("/v1/openapi.json").status_code == 200


def test_nullable_reference_is_valid_openapi_3_0() -> None:
    """Strict parsers refuse a reference with `nullable` but no `type`."""

    def places(said: object, at: str) -> list[str]:
        if isinstance(said, list):
            return [place for index, one in enumerate(said) for place in places(one, f"{at}/{index}")]
        if not isinstance(said, dict):
            return []
        here = [at] if said.get("nullable") and "type" not in said else []
        return here + [place for key, one in said.items() for place in places(one, f"{at}/{key}")]

    document = json.loads(Client().get("/v1/openapi.json").content)
    error = document["components"]["schemas"]["DocumentOut"]["properties"]["error"]
    assert error["oneOf"] == [
        {"$ref": "#/components/schemas/FailureOut"},
        {"type": "object", "nullable": True, "enum": [None]},
    ]
    assert places(document["components"], "") == []


def test_api_redirects_to_the_admin_in_development_only(settings: Settings) -> None:
    answer = Client().get("/admin/")
    assert (answer.status_code, answer["Location"]) == (302, "http://localhost:9001/admin/")
    for changes in ({"mode": "production"}, {"admin": False}, {"admin_url": settings.ENV.base_url}):
        with override_settings(ENV=replace(settings.ENV, **changes)):
            assert Client().get("/admin/").status_code == 404
