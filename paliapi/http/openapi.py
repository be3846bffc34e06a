"""Generating the OpenAPI document, with the error responses that operations have in common."""

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from paliapi.http.problems import STATUS, refusal_code

_DESCRIPTIONS = {
    304: "Not modified: the ETag is the one that was sent.",
    400: "The request cannot be parsed.",
    401: "No valid API key.",
    403: "The key does not permit this.",
    404: "Not found, or owned by another account.",
    409: "Conflict with the current state.",
    411: "The Content-Length header is missing.",
    412: "Changed since it was last read.",
    413: "The body is too large.",
    414: "The URL is too long.",
    415: "Unsupported media type.",
    422: "The request is invalid; `errors` says where and why.",
    429: "A rate limit or quota is reached; `Retry-After` says when to retry.",
    431: "The request headers are too large.",
    503: "Temporarily unavailable; try again.",
}


_SUCCESS_DESCRIPTIONS = {
    "200": "OK.",
    "201": "Created.",
    "202": "Accepted; processing continues in the background.",
    "204": "No content.",
}


class ProblemPlace(serializers.Serializer[dict[str, str]]):
    pointer = serializers.CharField(help_text="JSON pointer to the invalid part, such as `/metadata/year`.")
    code = serializers.CharField(help_text="Stable code of this problem.")
    detail = serializers.CharField(help_text="Explanation for people.")


class ProblemOut(serializers.Serializer[dict[str, Any]]):
    """An error (RFC 9457)."""

    type = serializers.CharField(help_text="URL of the explanation of the code.")
    title = serializers.CharField(help_text="The meaning of the code.")
    status = serializers.IntegerField(help_text="The HTTP status.")
    detail = serializers.CharField(help_text="What went wrong with this request.")
    code = serializers.CharField(help_text="Stable code, for programs.")
    errors = ProblemPlace(  # type: ignore[assignment]
        many=True, help_text="The invalid parts of the request, at most 20."
    )
    request_id = serializers.CharField(help_text="The id of the request, as in the log and in `X-Request-ID`.")


class Schema(AutoSchema):
    """Adds the usual error responses, and those in `view.extra_statuses[method]`, to what a view declares."""

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for status, body in bodies.items():
            body["description"] = body.get("description") or _SUCCESS_DESCRIPTIONS[status]
        for code in sorted(self._error_statuses()):
            bodies.setdefault(str(code), self._error_response(code))
        return bodies

    def _error_statuses(self) -> set[int]:
        statuses = set(getattr(self.view, "extra_statuses", {}).get(self.method, ()))
        if self.get_auth():
            statuses |= {401, 403, 429, 431, 503}
        if getattr(self.view, "query", None) is not None:
            statuses |= {414, 422}
        if "{" in self.path:
            statuses |= {404, 414}
        if self.method in {"POST", "PATCH", "PUT"}:
            statuses |= {400, 411, 413, 415, 422}
        return statuses

    def _error_response(self, status: int) -> dict[str, Any]:
        if status == 304:
            return {"description": _DESCRIPTIONS[status]}
        component = self.resolve_serializer(ProblemOut, "response")
        example = {
            "type": "/v1/docs/errors#" + _example_code(status),
            "title": _DESCRIPTIONS[status],
            "status": status,
            "detail": _DESCRIPTIONS[status],
            "code": _example_code(status),
            "errors": [],
            "request_id": "0af7651916cd43dd8448eb211c80319c",
        }
        return {
            "description": _DESCRIPTIONS[status],
            "content": {"application/problem+json": {"schema": component.ref, "example": example}},
        }

    def map_parsers(self) -> Any:
        return list(dict.fromkeys(parser.media_type for parser in self.view.get_parsers()))


def _example_code(status: int) -> str:
    codes = {number: kind.code for kind, number in STATUS.items()}
    return codes.get(status) or refusal_code(status)


def postprocess_schema(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Fix what the generator gets wrong in OpenAPI 3.0.3: nullable references, and operations that need no key."""
    schemas = result["components"]["schemas"]
    for schema in schemas.values():
        for name, definition in schema.get("properties", {}).items():
            if definition.get("nullable") and "allOf" in definition:
                schema["properties"][name] = _nullable_reference(definition, schemas)
            elif "oneOf" in definition or "type" not in definition:
                definition.pop("nullable", None)  # one of the alternatives is nullable, or any value is valid
    for operations in result["paths"].values():
        for operation in operations.values():
            operation.setdefault("security", [])
    return result


def _nullable_reference(definition: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in definition.items() if key not in {"allOf", "nullable"}}
    (reference,) = definition["allOf"]
    kind = schemas[reference["$ref"].rsplit("/", 1)[1]]["type"]
    return {"oneOf": [reference, {"type": kind, "nullable": True, "enum": [None]}], **rest}
