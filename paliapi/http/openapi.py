"""How operations describe themselves: the failures that any of them can answer are added here, once."""

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from paliapi.http.problems import STATUS, refusal_code

_MEANING = {
    304: "You have this already: the ETag is the one you sent.",
    400: "The request cannot be read.",
    401: "No valid API key.",
    403: "The key may not do this.",
    404: "There is no such thing, or it is not yours.",
    409: "It does not go with what is there.",
    411: "A body needs a Content-Length.",
    412: "It has changed since you last read it.",
    413: "The body is too large.",
    414: "The address is too long.",
    415: "The body is in a format that is not read here.",
    422: "The request is not valid; `errors` says where and why.",
    429: "Too many requests or too much data; `Retry-After` says when to come back.",
    431: "The headers are too large.",
    503: "Not available at the moment; try again.",
}


_SUCCESS = {
    "200": "The answer.",
    "201": "Made.",
    "202": "Accepted; the rest happens in the background.",
    "204": "Done; there is nothing to tell.",
}


class ProblemPlace(serializers.Serializer[dict[str, str]]):
    pointer = serializers.CharField(help_text="JSON pointer to the place, such as `/metadata/year`.")
    code = serializers.CharField(help_text="Stable code of this one problem.")
    detail = serializers.CharField(help_text="A sentence for people.")


class ProblemOut(serializers.Serializer[dict[str, Any]]):
    """A failure (RFC 9457)."""

    type = serializers.CharField(help_text="Where the error is explained.")
    title = serializers.CharField(help_text="What kind of failure it is.")
    status = serializers.IntegerField(help_text="The HTTP status again.")
    detail = serializers.CharField(help_text="What happened this time, in a sentence.")
    code = serializers.CharField(help_text="Stable, for programs.")
    errors = ProblemPlace(  # type: ignore[assignment]
        many=True, help_text="The places of the request that are wrong."
    )
    request_id = serializers.CharField(help_text="The id that the log and `X-Request-ID` have too.")


class Schema(AutoSchema):
    """Adds to what a view declares: the usual failures, and `view.also_answers[method]`."""

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for told, body in bodies.items():
            body["description"] = body.get("description") or _SUCCESS[told]
        for status in sorted(self._failures()):
            bodies.setdefault(str(status), self._failure(status))
        return bodies

    def _failures(self) -> set[int]:
        found = set(getattr(self.view, "also_answers", {}).get(self.method, ()))
        if self.get_auth():
            found |= {401, 403, 429, 431, 503}
        if getattr(self.view, "query", None) is not None:
            found |= {414, 422}
        if "{" in self.path:
            found |= {404, 414}
        if self.method in {"POST", "PATCH", "PUT"}:
            found |= {400, 411, 413, 415, 422}
        return found

    def _failure(self, status: int) -> dict[str, Any]:
        if status == 304:
            return {"description": _MEANING[status]}
        component = self.resolve_serializer(ProblemOut, "response")
        example = {
            "type": "/v1/docs/errors#" + _example_code(status),
            "title": _MEANING[status],
            "status": status,
            "detail": _MEANING[status],
            "code": _example_code(status),
            "errors": [],
            "request_id": "0af7651916cd43dd8448eb211c80319c",
        }
        return {
            "description": _MEANING[status],
            "content": {"application/problem+json": {"schema": component.ref, "example": example}},
        }

    def map_parsers(self) -> Any:
        return list(dict.fromkeys(parser.media_type for parser in self.view.get_parsers()))


def _example_code(status: int) -> str:
    codes = {number: kind.code for kind, number in STATUS.items()}
    return codes.get(status) or refusal_code(status)


def say_plainly(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """What the generator leaves out of OpenAPI 3.0.3: how null stands beside a reference, and that no key is needed."""
    schemas = result["components"]["schemas"]
    for schema in schemas.values():
        for name, said in schema.get("properties", {}).items():
            if said.get("nullable") and "allOf" in said:
                schema["properties"][name] = _or_null(said, schemas)
            elif "oneOf" in said:
                said.pop("nullable", None)  # one of them says it
    for operations in result["paths"].values():
        for operation in operations.values():
            operation.setdefault("security", [])
    return result


def _or_null(said: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in said.items() if key not in {"allOf", "nullable"}}
    (reference,) = said["allOf"]
    kind = schemas[reference["$ref"].rsplit("/", 1)[1]]["type"]
    return {"oneOf": [reference, {"type": kind, "nullable": True, "enum": [None]}], **rest}
