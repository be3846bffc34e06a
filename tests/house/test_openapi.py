"""The OpenAPI document is complete, committed, and readable by tools."""

import re
from pathlib import Path
from typing import Any

import yaml
from django.core.management import call_command

from tests.house.openapi import document, operations

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"
CAMEL_CASE = re.compile(r"[a-z]+([A-Z][a-z0-9]+)*")


def _contents(payload: dict[str, Any]) -> dict[str, Any]:
    return dict(payload.get("content", {}))


def _has_example(media: dict[str, Any]) -> bool:
    return "example" in media or bool(media.get("examples"))


def test_committed_document_is_up_to_date(tmp_path: Path) -> None:
    created = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(created))
    assert created.read_text() == COMMITTED.read_text(), "run `make schema`"
    here = {"servers": document()["servers"]}  # the address of this request
    assert {**yaml.safe_load(created.read_text()), **here} == document()


def test_document_is_readable_by_postman_and_older_tools() -> None:
    assert document()["openapi"] == "3.0.3"
    assert document()["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"


def test_every_tag_is_described() -> None:
    explained = {tag["name"] for tag in document()["tags"] if tag["description"]}
    used = {tag for operation in operations() for tag in operation.spec["tags"]}
    assert used <= explained


def test_no_two_operations_share_an_id() -> None:
    ids = [operation.id for operation in operations()]
    assert len(ids) == len(set(ids))


def test_every_operation_has_a_summary_and_a_description() -> None:
    for operation in operations():
        assert CAMEL_CASE.fullmatch(operation.id), operation.id
        assert len(operation.spec["tags"]) == 1, operation.id
        assert operation.spec["summary"].strip("."), operation.id
        assert operation.spec["description"].endswith((".", "```")), operation.id


def test_every_parameter_is_described() -> None:
    for operation in operations():
        for parameter in operation.spec.get("parameters", []):
            assert parameter.get("description"), f"{operation.id}: {parameter['name']}"


def test_every_body_has_an_example() -> None:
    for operation in operations():
        for kind, media in _contents(operation.spec.get("requestBody", {})).items():
            # An example of a form would need a file.
            assert kind == "multipart/form-data" or _has_example(media), f"{operation.id}: {kind}"


def test_every_response_is_described_and_json_has_an_example() -> None:
    for operation in operations():
        for status, payload in operation.answers.items():
            assert payload["description"], f"{operation.id}: {status}"
            for kind, media in _contents(payload).items():
                assert "json" not in kind or _has_example(media), f"{operation.id}: {status}"


def test_every_failure_is_a_problem_and_common_failures_are_documented() -> None:
    for operation in operations():
        failures = {status: payload for status, payload in operation.answers.items() if int(status) >= 400}
        for status, payload in failures.items():
            assert list(_contents(payload)) == ["application/problem+json"], f"{operation.id}: {status}"
        usual = set() if operation.is_open else {"401", "403", "429", "503"}
        if "{" in operation.path:
            usual.add("404")
        if "requestBody" in operation.spec:
            usual |= {"400", "411", "413", "415", "422"}
        assert usual <= set(failures), operation.id


def test_postman_journey_names_existing_operations() -> None:
    """`make contract` selects requests by their titles."""
    journey = (Path(__file__).resolve().parents[1] / "contract" / "postman.js").read_text()
    named = set(re.findall(r'^ *\{? *title: "([^"]+)"', journey, re.MULTILINE))
    assert len(named) == 6
    assert named <= {operation.spec["summary"] for operation in operations()}
