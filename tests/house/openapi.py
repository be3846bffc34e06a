"""The served OpenAPI document, for tests over all operations."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.test import Client

_METHODS = ("get", "put", "post", "patch", "delete", "head", "options", "trace")


@dataclass(frozen=True)
class Operation:
    """A method of a path."""

    method: str
    path: str
    spec: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.spec["operationId"])

    @property
    def answers(self) -> dict[str, Any]:
        return dict(self.spec["responses"])

    @property
    def is_open(self) -> bool:
        return not self.spec.get("security")

    def parameters(self, place: str) -> list[str]:
        return [one["name"] for one in self.spec.get("parameters", []) if one["in"] == place]


@cache
def document() -> dict[str, Any]:
    answer = Client().get("/v1/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def operations() -> Iterator[Operation]:
    for path, methods in document()["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield Operation(method.upper(), path, methods[method])
