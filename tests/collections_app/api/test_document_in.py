"""Bodies that create or change a document."""

from typing import Any

import pytest
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from collections_app.api.document_in import DocumentIn, UpdateRequest, UpsertRequest


def validate(body: Any) -> dict[str, Any]:
    return dict(DocumentIn().run_validation(body))


def test_metadata_in_a_form_is_json_text() -> None:
    form = QueryDict(mutable=True)
    form.update({"name": "x", "metadata": '{"year": 2026}'})
    assert validate(form)["metadata"] == {"year": 2026}
    form["metadata"] = "{"
    with pytest.raises(ValidationError):
        validate(form)


def test_omitted_fields_of_an_upsert_have_defaults() -> None:
    body = UpsertRequest(**validate({"name": "x"}))
    assert (body.collection_name, body.metadata, body.on_page_error, body.wait) == (
        "default_collection",
        {},
        "fail",
        False,
    )


@pytest.mark.parametrize(
    ("fields", "is_empty"),
    [({}, True), ({"name": ""}, True), ({"collection_name": "x"}, True), ({"name": "x"}, False), ({"url": "x"}, False)],
)
def test_update_without_a_change_is_empty(fields: dict[str, Any], is_empty: bool) -> None:
    assert UpdateRequest(**fields).is_empty is is_empty
