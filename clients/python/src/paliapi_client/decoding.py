"""Dataclasses from JSON, checked against their types.

Unknown fields are ignored, so that a newer server does no harm; a missing or mistyped one is an UnexpectedAnswer.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from paliapi_client.errors import UnexpectedAnswer

T = TypeVar("T")
Decoder = Callable[[Any], Any]


def decode(kind: type[T], value: Any) -> T:
    """Return `value`, parsed JSON, as a `kind`."""
    try:
        return cast("T", _decoder(cast("Any", kind))(value))
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        raise UnexpectedAnswer(f"The answer is not a {kind.__name__}: {error}") from None


@cache
def _decoder(kind: Any) -> Decoder:
    if kind is Any:
        return lambda value: value
    if is_dataclass(kind):
        return _dataclass_decoder(cast("type", kind))
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        inner = _decoder(next(argument for argument in arguments if argument is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is list:
        return _list_decoder(_decoder(arguments[0]))
    if origin is dict:
        return _dict_decoder(_decoder(arguments[1]))
    if kind is datetime:
        return lambda value: datetime.fromisoformat(_text(value).replace("Z", "+00:00"))
    return _scalar_decoder(kind)


def _dataclass_decoder(kind: type) -> Decoder:
    hints = get_type_hints(kind)
    plan = []
    for field in fields(kind):
        optional = field.default is not MISSING or field.default_factory is not MISSING
        plan.append((field.name, _decoder(hints[field.name]), optional))

    def build(value: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeError(f"{kind.__name__} is {type(value).__name__}")
        arguments = {}
        for name, decoder, optional in plan:
            if name in value:
                arguments[name] = decoder(value[name])
            elif not optional:
                raise TypeError(f"{kind.__name__}.{name} is missing")
        return kind(**arguments)

    return build


def _list_decoder(item: Decoder) -> Decoder:
    def build(value: Any) -> Any:
        if not isinstance(value, list):
            raise TypeError(f"a list is {type(value).__name__}")
        return [item(each) for each in value]

    return build


def _dict_decoder(item: Decoder) -> Decoder:
    def build(value: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeError(f"an object is {type(value).__name__}")
        return {name: item(each) for name, each in value.items()}

    return build


def _scalar_decoder(kind: type) -> Decoder:
    accepted = (int, float) if kind is float else kind

    def build(value: Any) -> Any:
        if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
            raise TypeError(f"{kind.__name__} is {type(value).__name__}")
        return value

    return build


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a time is {type(value).__name__}")
    return value
