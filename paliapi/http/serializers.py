"""What the bodies of our own operations have in common."""

from collections.abc import Mapping
from typing import Any, TypeVar

from rest_framework import serializers

from paliapi.errors import Invalid, Problem
from paliapi.http.problems import escape_pointer

Instance = TypeVar("Instance")


class UnknownField(Invalid):
    code = "unknown_field"
    title = "The body has a field that means nothing here."


class TextField(serializers.CharField):
    """Text as it is: nothing trimmed, and a number is not text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """True or false, and nothing that reads like them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class NumberField(serializers.FloatField):
    """A number, and nothing that reads like one."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictSerializer(serializers.Serializer[Instance]):
    """Refuses fields it does not know, so that a misspelt one is told and not passed over."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = {name for name, field in self.fields.items() if not field.read_only}
            self._refuse(sorted(str(name) for name in data if name not in known))
        return super().to_internal_value(data)

    def _refuse(self, names: list[str]) -> None:
        if names:
            problems = tuple(
                Problem(f"/{escape_pointer(name)}", UnknownField.code, "There is no such field.") for name in names[:20]
            )
            raise UnknownField(f"There is no field {names[0][:100]!r}.", problems=problems)
