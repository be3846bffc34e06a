"""Base classes for the fields and bodies of all endpoints."""

from collections.abc import Mapping
from typing import Any, TypeVar

from rest_framework import serializers

from paliapi.errors import Invalid, Problem
from paliapi.http.problems import escape_pointer

Instance = TypeVar("Instance")


class UnknownField(Invalid):
    code = "unknown_field"
    title = "The body has an unknown field."


class TextField(serializers.CharField):
    """Text, which is not trimmed; numbers are not accepted."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """True or false; values such as "yes" or 1 are not accepted."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class NumberField(serializers.FloatField):
    """A number; text such as "1" is not accepted."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictSerializer(serializers.Serializer[Instance]):
    """Refuses unknown fields, so that a misspelt one is reported instead of ignored."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = {name for name, field in self.fields.items() if not field.read_only}
            self._refuse_unknown(sorted(str(name) for name in data if name not in known))
        return super().to_internal_value(data)

    def _refuse_unknown(self, names: list[str]) -> None:
        if names:
            problems = tuple(
                Problem(f"/{escape_pointer(name)}", UnknownField.code, "Unknown field.") for name in names[:20]
            )
            raise UnknownField(f"Unknown field {names[0][:100]!r}.", problems=problems)
