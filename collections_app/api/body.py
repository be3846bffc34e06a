"""Bodies as forms read them."""

from typing import Any

from rest_framework.request import Request
from rest_framework.serializers import Serializer


def validated(form: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body, if the form accepts it. Explicit nulls count as left out."""
    checked = form(data=request.data)
    checked.is_valid(raise_exception=True)
    return {name: value for name, value in checked.validated_data.items() if value is not None}
