"""Base classes for the fields and bodies of all endpoints."""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

from rest_framework import serializers

from paliapi.errors import MAX_PROBLEMS, Invalid, Problem
from paliapi.http.problems import escape_pointer
from paliapi.units import DISGUISING

Field: TypeAlias = "serializers.Field[Any, Any, Any, Any]"
Instance = TypeVar("Instance")

# The length to which the name of an unknown field is cut in an error response.
MAX_ECHO_LENGTH = 255
_DISGUISING = re.compile(f"[{DISGUISING}]")


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


class VisibleTextField(TextField):
    """Text by which people recognise something, without invisible characters that change how it looks."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if _DISGUISING.search(text):
            raise serializers.ValidationError("Must not contain invisible characters.", code="invisible_characters")
        return text


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


class BoundedListField(serializers.ListField):
    """A list of at most `max_length` items. A longer one is refused before any of its items is validated."""

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)
        self._max_length = max_length

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and len(data) > self._max_length:
            self.fail("max_length", max_length=self._max_length)
        return super().to_internal_value(data)


class SparseSerializer(serializers.Serializer[Instance]):
    """Spends no time on optional fields that the body lacks: with many of them, they would take most of it.

    An instance validates one body at a time.
    """

    _relevant: list[Field] | None = None

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            return super().to_internal_value(data)
        # A field that is optional and has no default adds nothing if it is missing.
        self._relevant = [
            field
            for field in super()._writable_fields
            if field.field_name in data or field.required or field.default is not serializers.empty
        ]
        try:
            return super().to_internal_value(data)
        finally:
            self._relevant = None

    @property
    def _writable_fields(self) -> list[Field]:
        return super()._writable_fields if self._relevant is None else self._relevant


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
                Problem(f"/{escape_pointer(name[:MAX_ECHO_LENGTH])}", UnknownField.code, "Unknown field.")
                for name in names[:MAX_PROBLEMS]
            )
            raise UnknownField(f"Unknown field {names[0][:100]!r}.", problems=problems)
