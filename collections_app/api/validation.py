"""Bodies as forms read them."""

from threading import local
from typing import Any

from rest_framework.request import Request
from rest_framework.serializers import Serializer


class _Forms(local):
    """One of each kind for each thread: making its fields anew takes longer than reading a body with them."""

    def __init__(self) -> None:
        self._made: dict[type[Serializer[Any]], Serializer[Any]] = {}

    def get(self, kind: type[Serializer[Any]]) -> Serializer[Any]:
        if kind not in self._made:
            self._made[kind] = kind()
        return self._made[kind]


_forms = _Forms()


def validated(kind: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body, if a form of this kind accepts it. Explicit nulls count as left out."""
    # The form itself is given nothing, so that it keeps nothing of one request for the next.
    accepted = _forms.get(kind).run_validation(request.data)
    return {name: value for name, value in accepted.items() if value is not None}
