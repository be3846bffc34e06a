"""No request body makes the server work through, or repeat, more than it accepts."""

import ast
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from paliapi.env import ROOT
from paliapi.errors import MAX_PROBLEMS
from tests.cast import Someone
from tests.house.answers import problem
from tests.house.openapi import Operation, document, operations

_LONG_TEXT = "x" * 300_000
_MAX_ERROR_BYTES = 20_000
# The operations with a body that may carry a file.
_LARGE = ("search", "searchImage", "createEmbeddings", "upsertDocument", "updateDocument")

_UNLIMITED = {
    f"serializers.{name}"
    for name in ("ListField", "DictField", "JSONField", "HStoreField", "ListSerializer", "MultipleChoiceField")
}

# A property somewhere in a body: the names that lead to it (0: the first item of a list), and its schema.
_Property = tuple[tuple[str | int, ...], dict[str, Any]]


def _properties(schema: dict[str, Any], path: tuple[str | int, ...] = ()) -> Iterator[_Property]:
    if "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for option in (*schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from _properties(option, path)
    if path:
        yield path, schema
    if schema.get("type") == "array":
        yield from _properties(schema["items"], (*path, 0))
    for name, child in schema.get("properties", {}).items():
        yield from _properties(child, (*path, name))


def _bodies() -> Iterator[tuple[Operation, tuple[str | int, ...], dict[str, Any]]]:
    for operation in operations():
        content = operation.spec.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            for path, schema in _properties(content["application/json"]["schema"]):
                yield operation, path, schema


def _send(someone: Someone, operation: Operation, body: str) -> Any:
    path = operation.path
    for parameter in operation.parameters("path"):
        path = path.replace(f"{{{parameter}}}", "1")
    return Client().generic(operation.method, path, body, content_type="application/json", headers=someone.headers)


def _body(path: tuple[str | int, ...], value: Any) -> str:
    for step in reversed(path):
        value = {step: value} if isinstance(step, str) else [value]
    return json.dumps(value)


@pytest.fixture(autouse=True)
def _no_rate_limit(settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, rate_per_minute=10**9, rate_burst=10**9)


def test_every_list_in_a_body_is_limited() -> None:
    arrays = [(operation.id, path, schema) for operation, path, schema in _bodies() if schema.get("type") == "array"]
    assert {name for name, _, _ in arrays} >= {"search", "searchImage", "createEmbeddings", "createKey", "filter"}
    assert [(name, path) for name, path, schema in arrays if "maxItems" not in schema] == []


def _unlimited_fields(file: Path) -> Iterator[str]:
    """Yield the fields of a module that accept any number of items, except in bodies of responses."""
    for cls in ast.walk(ast.parse(file.read_text())):
        if isinstance(cls, ast.ClassDef) and not cls.name.endswith("Out"):
            for call in (node for node in ast.walk(cls) if isinstance(node, ast.Call)):
                name = ast.unparse(call.func)
                many = any(keyword.arg == "many" for keyword in call.keywords)
                if name in _UNLIMITED or (many and not name.endswith(("Out", "ProxySerializer"))):
                    yield f"{file}: {cls.name}: {name}"


def test_bodies_have_no_unlimited_list_fields() -> None:
    files = [file for package in ("accounts", "collections_app", "paliapi") for file in (ROOT / package).rglob("*.py")]
    assert [field for file in files for field in _unlimited_fields(file)] == []


def test_items_of_a_list_that_is_too_long_are_not_validated(alice: Someone) -> None:
    for operation, path, schema in _bodies():
        if schema.get("type") == "array" and 0 not in path:
            answer = _send(alice, operation, _body(path, [[]] * (schema["maxItems"] + 1)))
            pointer = "".join(f"/{step}" for step in path)
            errors = [error for error in problem(answer)["errors"] if error["pointer"].startswith(pointer)]
            assert answer.status_code == 422, (operation.id, path)
            assert [error["pointer"] for error in errors] == [pointer], (operation.id, path)


def test_long_text_is_not_repeated_in_an_error(alice: Someone) -> None:
    for operation, path, _ in _bodies():
        for body in (_body(path, _LONG_TEXT), _body(path, {_LONG_TEXT: 1})):
            answer = _send(alice, operation, body)
            assert answer.status_code < 500
            assert len(answer.content) < _MAX_ERROR_BYTES, (operation.id, path)


def test_error_lists_a_limited_number_of_problems(alice: Someone) -> None:
    answer = alice.post("/v1/search/", {"query": "a", "collections": [1] * 1000})
    assert len(problem(answer)["errors"]) == MAX_PROBLEMS
    assert len(answer.content) < _MAX_ERROR_BYTES


@pytest.mark.parametrize("item", ["[]", "{}", "1,1", '{"a":[0]}'])
def test_too_many_json_values_are_refused_before_they_are_decoded(alice: Someone, item: str) -> None:
    items = f"[{','.join([item] * 160_000)}]"
    by_id = {operation.id: operation for operation, _, _ in _bodies()}
    for name in _LARGE:
        answer = _send(alice, by_id[name], f'{{"query": {items}, "metadata": {items}, "input_data": {items}}}')
        assert (answer.status_code, problem(answer)["code"]) == (413, "too_many_values"), name
    form = {"name": "a", "url": "https://example.com/a.pdf", "metadata": f'{{"a": {items}}}'}
    assert problem(alice.upload("/v1/documents/upsert-document/", form))["code"] == "too_many_values"


def test_a_large_body_is_not_read_without_a_slot(alice: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, max_concurrent_searches=0, max_concurrent_uploads=0)
    by_id = {operation.id: operation for operation, _, _ in _bodies()}
    for name in _LARGE:
        answer = _send(alice, by_id[name], "not JSON")
        assert (answer.status_code, problem(answer)["code"]) == (429, "too_many_at_once"), name
