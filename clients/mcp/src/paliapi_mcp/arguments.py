"""Arguments of tools: their types, limits and JSON schemas, and what is wrong with invalid ones."""

import json
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

_MAX_PROBLEMS = 5
_MAX_OBJECT_CHARACTERS = 8_000


def _valid_unicode(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("must not contain unpaired surrogates") from None
    if "\x00" in text:
        raise ValueError("must not contain NUL")
    return text


def _from_json(value: object) -> object:
    """Read an object that a host passes as a string."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError("must be a JSON object") from None


def _bounded(value: dict[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        raise ValueError("must be a JSON object that is not nested deeply") from None
    if len(text) > _MAX_OBJECT_CHARACTERS:
        raise ValueError(f"must have at most {_MAX_OBJECT_CHARACTERS} characters as JSON")
    return value


VALID_TEXT = AfterValidator(_valid_unicode)
Name = Annotated[str, Field(min_length=1, max_length=255), VALID_TEXT]
JsonObject = Annotated[dict[str, Any], BeforeValidator(_from_json), AfterValidator(_bounded)]


class Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


def schema_of(arguments: type[Arguments]) -> dict[str, Any]:
    """Return the JSON schema without what only costs tokens: titles, and that an optional argument may be null."""
    schema = _slim(arguments.model_json_schema())
    schema["properties"] = schema.get("properties", {})
    return schema


def _slim(node: dict[str, Any]) -> dict[str, Any]:
    slim: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            slim[key] = {name: _slim(child) for name, child in value.items()}
        elif key == "anyOf" and len(kinds := [kind for kind in value if kind != {"type": "null"}]) == 1:
            slim |= _slim(kinds[0])
        elif key == "prefixItems":  # a tuple, which older hosts do not know: its items are alike
            slim["items"] = _slim(value[0])
        elif key == "items":
            slim[key] = _slim(value)
        elif key != "title" and not (key == "default" and value in (None, "")):
            slim[key] = value
    return slim


def explained(error: ValidationError) -> str:
    """Return what is wrong with the arguments of a call, without repeating their values."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    lines = [
        f"- {'.'.join(str(step) for step in problem['loc'])[:100] or 'arguments'}: {problem['msg']}"
        for problem in problems[:_MAX_PROBLEMS]
    ]
    if len(problems) > _MAX_PROBLEMS:
        lines.append(f"- and {len(problems) - _MAX_PROBLEMS} more")
    return "\n".join(["These arguments are invalid; correct them and call the tool again:", *lines])
