"""Hostile requests never cause an internal error: responses are problem+json, and nothing is half done."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app.models import Collection, Document
from tests.cast import Someone
from tests.collections_app.documents import PDF, put
from tests.house.answers import in_order, problem
from tests.house.openapi import Operation, operations

UPSERT = "/v1/documents/upsert-document/"

# As they appear in a path.
NAMES = {
    "a slash": "a/b",
    "an encoded slash": "a%2Fb",
    "a slash encoded twice": "a%252Fb",
    "only slashes": "///",
    "steps up": "../../admin",
    "encoded steps up": "%2e%2e%2f%2e%2e%2fadmin",
    "NUL": "a%00b",
    "not UTF-8": "%ff%fe",
    "half of a pair": "%ed%a0%80",
    "overlong": "%c0%af",
    "half an escape": "100%",
    "no escape": "%zz",
    "a line break": "a%0d%0ab",
    "300 characters": "x" * 300,
    "20,000 characters": "x" * 20_000,
    "an emoji": "%F0%9F%97%82%EF%B8%8F",
    "300 emojis": "%F0%9F%97%82" * 300,
    "SQL": "'%3B%20DROP%20TABLE%20accounts_apikey%3B--",
    "a pattern": "%25_*?",
    "white space": "%20%09",
    "direction marks": "%E2%80%AEfdp.exe",
}

DEEP = 100_000
METADATA = {
    "a megabyte": ('{"x": "' + "x" * 1_000_000 + '"}', 413),
    "100 levels": ('{"x": ' + "[" * 99 + "]" * 99 + "}", 422),
    "100,000 levels": ('{"x": ' + "[" * DEEP + "]" * DEEP + "}", 400),
    "100,000 objects deep": ('{"x": ' + '{"x": ' * DEEP + "1" + "}" * DEEP + "}", 400),
    "NUL": ('{"x": "a\\u0000b"}', 422),
    "NUL in a key": ('{"a\\u0000b": 1}', 422),
    "half of a pair": ('{"x": "\\ud800"}', 422),
    "half of a pair in a key": ('{"\\udfff": 1}', 422),
    "beyond the largest number": ('{"x": 1e400}', 422),
    "a number of 5,000 digits": ('{"x": ' + "9" * 5000 + "}", 400),
    "a number of 400 digits": ('{"x": ' + "9" * 400 + "}", 422),
    "NaN": ('{"x": NaN}', 400),
    "Infinity": ('{"x": -Infinity}', 400),
    "a key of 300 characters": ('{"' + "k" * 300 + '": 1}', 422),
    "a list": ("[1, 2]", 422),
    "a text": ('"{}"', 422),
    "a number": ("1", 422),
}

BROKEN = {
    "half an object": b'{"name": "a"',
    "a list": b'["name"]',
    "a text": b'"name"',
    "null": b"null",
    "not UTF-8": b'{"name": "\xff"}',
    "UTF-16": '{"name": "a"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"name": "a"}',
    "single quotes": b"{'name': 'a'}",
    "two objects": b'{"name": "a"}{"name": "b"}',
    "only brackets": b"[" * 200_000,
    "a NUL": b"\x00",
}

PART = b"--y\r\nContent-Disposition: form-data; name="
FORMS = {
    "empty": b"",
    "only the end": b"--y--",
    "no headers": b"--y\r\n\r\n\r\n--y--\r\n",
    "cut off": PART + b"file; filename=a\r\n\r\nhalf",
    "odd name": PART + b"file; filename*=x''%ff%00\r\n\r\n=\r\n--y--",
    "not base64": PART + b"a\r\nContent-Transfer-Encoding: base64\r\n\r\n=\r\n--y--",
    "not UTF-8": PART + b"\xff\r\n\r\n\x00\r\n--y--\r\n",
    "many headers": b"--y\r\n" + b"X: y\r\n" * 20_000 + b"\r\n\r\n--y--\r\n",
    "many fields": (PART + b"a\r\n\r\n1\r\n") * 2000 + b"--y--\r\n",
}

QUERIES = {
    "NUL": "collection_name=a%00b&limit=%00&cursor=%00&expand=%00",
    "not UTF-8": "collection_name=%ff&limit=%ff&cursor=%ff&expand=%ff",
    "half of a pair": "collection_name=%ed%a0%80&cursor=%ed%a0%80",
    "20,000 characters": "collection_name=" + "x" * 20_000,
    "20,000 parameters": "&".join(f"x{number}=1" for number in range(20_000)),
    "the same one often": "&".join(["collection_name=a"] * 500),
    "half escapes": "collection_name=%&limit=%z&%=%",
    "no names": "&&==&=",
    "lists and objects": "collection_name[]=a&limit[a]=1&expand[$ne]=1",
}

HEADERS = {
    "malformed ETags": {"If-None-Match": '"half, W/, """, \\'},
    "a thousand ETags": {"If-None-Match": ", ".join([f'"{number}"' for number in range(1000)])},
    "bytes for ETags": {"If-Match": "\xff\xfe\x80"},
    "a key of 300 characters": {"Idempotency-Key": "x" * 300},
    "a key beyond ASCII": {"Idempotency-Key": "schlüssel"},
    "a blank key": {"Idempotency-Key": " \t "},
    "ranges": {"Range": "bytes=99999999999999-1,,-5"},
    "a wrong length": {"Content-Length": "-1"},
    "no length": {"Content-Length": "many"},
    "a strange language": {"Accept-Language": "x" * 3000, "Accept": "\\/;q=x"},
    "a strange trace": {"traceparent": "00-" + "z" * 32 + "-x-01", "X-Request-ID": "../../etc/passwd\x7f"},
    "a forged origin": {"X-Forwarded-For": "'", "X-Forwarded-Host": "evil.example", "Forwarded": "for=[::"},
    "another method": {"X-HTTP-Method-Override": "DELETE"},
    "cookies": {"Cookie": "paliapi_session=\xff; =;;; csrftoken"},
}

AUTHORIZATIONS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer  \x00",
    "Bearer pali_",
    "Bearer " + "x" * 10_000,
    "Bearer pali_" + "é" * 12 + "_" + "x" * 38,
    "Basic YWxpY2U6eA==",
    "Bearer a b c",
    "\xff\xff",
]


def _named() -> Iterator[Operation]:
    """Return operations with a name in their path."""
    for operation in operations():
        if any(name.endswith(("_name", "token")) for name in operation.parameters("path")):
            yield operation


def _reading(kind: str) -> Iterator[Operation]:
    """Return operations that read a body of this type."""
    for operation in operations():
        if kind in operation.spec.get("requestBody", {}).get("content", {}):
            yield operation


def _address(operation: Operation, name: str) -> str:
    path = operation.path
    for parameter in operation.parameters("path"):
        number = parameter == "page_number" or parameter.endswith("_id")
        path = path.replace(f"{{{parameter}}}", "1" if number else name)
    return path


def _everything(who: Someone) -> tuple[list[Any], list[Any]]:
    with acting_for(who.id):
        return list(Collection.objects.order_by("pk").values()), list(Document.objects.order_by("pk").values())


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_any_name_in_a_path_gets_a_valid_response(alice: Someone, name: str) -> None:
    put(alice, "a.pdf", PDF)
    before = _everything(alice)
    for operation in _named():
        answer = Client().generic(
            operation.method, _address(operation, name), "{}", content_type="application/json", headers=alice.headers
        )
        assert in_order(answer) in {404, 405, 414, 422}
    assert _everything(alice) == before


@pytest.mark.parametrize("number", ["0", "-1", "99999999999999999999999999", "1.5", "%00", "x", "²"])
def test_any_number_in_a_path_gets_a_valid_response(alice: Someone, number: str) -> None:
    put(alice, "a.pdf", PDF)
    page = f"/v1/documents/a.pdf/pages/{number}"
    for path in (page, f"{page}/image", f"/v1/keys/{number}/"):
        assert in_order(alice.get(path)) in {404, 405}
    assert in_order(alice.delete(f"/v1/keys/{number}/")) == 404
    assert in_order(alice.post(f"/v1/keys/{number}/rotate/", {})) == 404
    assert in_order(alice.delete(f"/v1/webhooks/{number}/")) == 404
    assert in_order(alice.post(f"/v1/webhooks/{number}/deliveries/{number}/replay/", {})) == 404


@pytest.mark.parametrize(("metadata", "status"), METADATA.values(), ids=METADATA)
def test_unstorable_metadata_is_rejected_everywhere(alice: Someone, metadata: str, status: int) -> None:
    alice.post("/v1/collections/", {"name": "reports"})
    put(alice, "a.pdf", PDF)
    before = _everything(alice)
    answers = [
        alice.post("/v1/collections/", f'{{"name": "new", "metadata": {metadata}}}'),
        alice.patch("/v1/collections/reports/", f'{{"name": "new", "metadata": {metadata}}}'),
        alice.patch("/v1/documents/a.pdf/", f'{{"name": "new", "metadata": {metadata}}}'),
        alice.post(UPSERT, f'{{"name": "new", "url": "https://example.com/a.pdf", "metadata": {metadata}}}'),
    ]
    assert [in_order(answer) for answer in answers] == [status] * 4
    form = {"name": "new", "url": "https://example.com/a.pdf", "metadata": metadata}
    if metadata != '"{}"':
        assert in_order(alice.upload(UPSERT, form)) in {status, 422}
    assert _everything(alice) == before


def test_last_of_duplicate_json_keys_counts(alice: Someone) -> None:
    created = alice.post("/v1/collections/", '{"name": "a", "name": "b", "metadata": {"x": 1, "x": 2}}')
    assert (created.json()["name"], created.json()["metadata"]) == ("b", {"x": 2})


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_every_operation_with_a_body_rejects_malformed_json(alice: Someone, body: bytes) -> None:
    before = _everything(alice)
    for operation in _reading("application/json"):
        answer = Client().generic(
            operation.method, _address(operation, "a"), body, content_type="application/json", headers=alice.headers
        )
        status = in_order(answer)
        assert status == 400, operation.id
    assert _everything(alice) == before


def test_no_body_is_an_empty_object(alice: Someone) -> None:
    payload = [in_order(alice.post(path, "")) for path in ("/v1/collections/", UPSERT, "/v1/filter/", "/v1/keys/")]
    assert payload == [422] * 4


def test_three_megabyte_body_is_rejected_as_a_problem_response(alice: Someone) -> None:
    body = json.dumps({"name": "a", "padding": "x" * 3_000_000})
    for path in ("/v1/collections/", "/v1/filter/", "/v1/keys/", "/v1/webhooks/"):
        answer = alice.post(path, body)
        assert (in_order(answer), answer.json()["code"]) == (413, "too_large")
    for answer in (alice.patch("/v1/collections/a/", body), alice.post("/v1/keys/1/rotate/", body)):
        assert in_order(answer) in {404, 413}
    # An upload may be this large.
    assert in_order(alice.post(UPSERT, body)) == 422


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "text/json",
        "application/json-patch+json",
        "multipart/form-data",
        "multipart/mixed; boundary=x",
        "*/*",
        "\xff",
        "application",
        ";" * 500,
    ],
)
def test_every_operation_with_a_body_rejects_other_content_types(alice: Someone, kind: str) -> None:
    for operation in _reading("application/json"):
        answer = Client().generic(
            operation.method, _address(operation, "a"), '{"name": "a"}', content_type=kind, headers=alice.headers
        )
        assert in_order(answer) in {400, 415}, operation.id
    assert alice.get("/v1/collections/").json() == []


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf-16", "utf-7", "latin-1", "nonsense", '"', "idna", "zlib"])
def test_bodies_are_read_as_utf_8_regardless_of_the_declared_charset(alice: Someone, charset: str) -> None:
    kind = f"application/json; charset={charset}"
    name = "ünï +AGEAYg-"
    body = json.dumps({"name": name}, ensure_ascii=False)
    created = Client().generic("POST", "/v1/collections/", body.encode(), content_type=kind, headers=alice.headers)
    assert in_order(created) == 201
    assert created.json()["name"] == name


@pytest.mark.parametrize("body", FORMS.values(), ids=FORMS)
def test_malformed_form_is_rejected(alice: Someone, body: bytes) -> None:
    for operation in _reading("multipart/form-data"):
        for rest in ("", "; boundary=", "; boundary=" + "x" * 300, "; boundary=\xff", "; boundary=y; charset=x"):
            answer = Client().generic(
                operation.method,
                _address(operation, "a"),
                body,
                content_type=f"multipart/form-data{rest}",
                headers=alice.headers,
            )
            assert in_order(answer) in {400, 404, 413, 422}, operation.id


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_any_query_string_gets_a_valid_response(alice: Someone, query: str) -> None:
    put(alice, "a.pdf", PDF)
    before = _everything(alice)
    for operation in operations():
        path = f"{_address(operation, 'nowhere')}?{query}"
        body = '{"key": "a", "lookup": "has_key"}' if operation.id == "filter" else "{}"
        answer = Client().generic(operation.method, path, body, content_type="application/json", headers=alice.headers)
        in_order(answer)
    assert _everything(alice) == before


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_any_header_gets_a_valid_response(alice: Someone, headers: dict[str, str]) -> None:
    alice.post("/v1/collections/", {"name": "reports"})
    put(alice, "a.pdf", PDF)
    for operation in operations():
        if operation.method in {"GET", "POST"}:
            answer = Client().generic(
                operation.method,
                _address(operation, "a.pdf"),
                '{"name": "reports"}',
                content_type="application/json",
                headers={**alice.headers, **headers},
            )
            in_order(answer)
    assert in_order(alice.get("/v1/collections/reports/")) == 200


@pytest.mark.parametrize("header", AUTHORIZATIONS)
@pytest.mark.django_db
def test_every_invalid_authorization_gets_the_same_response(header: str) -> None:
    refused = Client().get("/v1/me/", headers={"Authorization": header})
    assert (in_order(refused), refused.json()["code"]) == (401, "unauthenticated")
    assert refused["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/nowhere", "/v1/nowhere/", "/v1/", "/v2/collections/", "/.env", "/%00", "/%ff"])
@pytest.mark.django_db
def test_unknown_path_is_a_problem_response(path: str) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS", "TRACE", "NONSENSE"):
        answer = Client().generic(method, path)
        assert (problem(answer)["code"], answer.status_code) == ("not_found", 404)


def test_unsupported_method_is_405_with_the_allowed_methods(alice: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, rate_per_minute=10**9, rate_burst=10**9)
    by_path: dict[str, set[str]] = {}
    for operation in operations():
        by_path.setdefault(_address(operation, "a"), set()).add(operation.method)
    for path, methods in by_path.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "NONSENSE"} - methods:
            answer = Client().generic(method, path, headers=alice.headers)
            assert (problem(answer)["code"], answer.status_code) == ("method_not_allowed", 405), (method, path)
            assert {*answer["Allow"].split(", ")} - {"HEAD", "OPTIONS"} == methods


@pytest.mark.parametrize("host", ["evil.example", "localhost:x", "", "a b", "\xff", "[::", "localhost, evil.example"])
@pytest.mark.django_db
def test_unknown_host_is_a_problem_response(host: str) -> None:
    for path in ("/v1/openapi.json", "/admin/", "/v1/documents/"):
        answer = Client().get(path, headers={"Host": host})
        assert in_order(answer) in {400, 401}, path
