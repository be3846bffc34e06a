"""Parses and validates request bodies from untrusted clients."""

import math
from dataclasses import dataclass
from typing import Any, Literal, cast

import orjson

from embeddings.config import Settings
from embeddings.contract import MAX_WORD_LENGTH, InputType, Task, Word
from embeddings.errors import InvalidField, MalformedJson, RequestTooLarge

EncodingFormat = Literal["float", "base64", "npz"]
_FORMATS = ("float", "base64", "npz")
_INCLUDES = ("layout", "usage", "model")


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a request: a text, or an image in base64, with its words if the client knows them."""

    task: Task
    text: str | None = None
    image: str | None = None
    words: tuple[Word, ...] | None = None


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """A validated request for embeddings."""

    input_type: str
    inputs: tuple[Input, ...]
    format: EncodingFormat
    include: frozenset[str]


def parse_json(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedJson(f"The body is not JSON: {error}.") from None
    if not isinstance(content, dict):
        raise MalformedJson("The body must be a JSON object.")
    return content


def parse_embeddings(body: dict[str, Any], *, default_format: EncodingFormat, settings: Settings) -> EmbeddingRequest:
    """Parse a body of POST /embeddings."""
    kind = body.get("input_type")
    if kind not in ("text", "image"):
        raise InvalidField('input_type must be "text" or "image".')
    parse = parse_text if kind == "text" else parse_image
    task: Task = "query" if kind == "text" else "document"
    inputs = [
        parse(value, path=f"inputs[{index}]", task=task, settings=settings)
        for index, value in enumerate(parse_list(body, "inputs", limit=settings.max_inputs))
    ]
    return EmbeddingRequest(cast(InputType, kind), tuple(inputs), _format(body, default_format), _include(body))


def parse_embed(body: dict[str, Any], *, default_format: EncodingFormat, settings: Settings) -> EmbeddingRequest:
    """Parse a body of POST /embed, which names the task and may mix texts and images."""
    task = body.get("task", "document")
    if task not in ("query", "document"):
        raise InvalidField('task must be "query" or "document".')
    inputs = []
    for index, value in enumerate(parse_list(body, "inputs", limit=settings.max_inputs)):
        parse = parse_image if isinstance(value, dict) and "image" in value else parse_text
        inputs.append(parse(value, path=f"inputs[{index}]", task=cast(Task, task), settings=settings))
    return EmbeddingRequest(task, tuple(inputs), _format(body, default_format), _include(body))


def parse_list(body: dict[str, Any], name: str, *, limit: int) -> list[Any]:
    """Return a list field with at most `limit` entries."""
    value = body.get(name)
    if not isinstance(value, list):
        raise InvalidField(f"{name} must be a list.")
    if len(value) > limit:
        raise RequestTooLarge(f"{name} has {len(value)} entries; at most {limit} are accepted in one request.")
    return value


def parse_top_n(body: dict[str, Any], *, default: int) -> int:
    """Return how many of the best documents a body of POST /rerank asks for."""
    top_n = body.get("top_n")
    if top_n is not None and (not isinstance(top_n, int) or isinstance(top_n, bool) or top_n < 1):
        raise InvalidField("top_n must be a whole number from 1.")
    return top_n or default


def parse_text(value: Any, *, path: str, task: Task, settings: Settings) -> Input:
    """Parse a text, plain or as {"text": ...}."""
    text = value.get("text") if isinstance(value, dict) else value
    if not isinstance(text, str):
        raise InvalidField(f"{path} must be a text.")
    if len(text) > settings.max_text_chars:
        raise RequestTooLarge(f"{path} has {len(text)} characters; at most {settings.max_text_chars} are accepted.")
    return Input(task, text=text)


def parse_image(value: Any, *, path: str, task: Task, settings: Settings) -> Input:
    """Parse a base64 image, plain or as {"image": ..., "words": [[text, x0, y0, x1, y1], ...]}."""
    image, words = (value.get("image"), value.get("words")) if isinstance(value, dict) else (value, None)
    if not isinstance(image, str):
        raise InvalidField(f"{path} must be an image in base64.")
    return Input(task, image=image, words=_parse_words(words, path=path, limit=settings.max_words))


def _parse_words(value: Any, *, path: str, limit: int) -> tuple[Word, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise InvalidField(f"{path}.words must be a list.")
    if len(value) > limit:
        raise RequestTooLarge(f"{path}.words has {len(value)} words; at most {limit} are accepted.")
    return tuple(
        _parse_regular_word(word) or _parse_word(word, path=f"{path}.words[{index}]")
        for index, word in enumerate(value)
    )


def _parse_regular_word(value: Any) -> Word | None:
    """Parse a word in the usual form, or return None. Nearly all of the hundreds of words on a page take this path."""
    if type(value) is not list or len(value) != 5:
        return None
    text, x0, y0, x1, y1 = value
    if type(text) is not str or len(text) > MAX_WORD_LENGTH:
        return None
    if not type(x0) is type(y0) is type(x1) is type(y1) is float:
        return None
    inside = 0.0 <= x0 <= 1.0 and 0.0 <= y0 <= 1.0 and 0.0 <= x1 <= 1.0 and 0.0 <= y1 <= 1.0
    return Word(text, x0, y0, x1, y1) if inside else None


def _parse_word(value: Any, *, path: str) -> Word:
    match value:
        case [str(text), int() | float(), int() | float(), int() | float(), int() | float()] if not any(
            isinstance(edge, bool) or not math.isfinite(edge) for edge in value[1:]
        ):
            if len(text) > MAX_WORD_LENGTH:
                raise RequestTooLarge(f"{path} has {len(text)} characters; at most {MAX_WORD_LENGTH} are accepted.")
            # A text layer may extend beyond the edge of its page.
            return Word(text, *(min(max(float(edge), 0.0), 1.0) for edge in value[1:]))
        case _:
            raise InvalidField(f"{path} must be [text, x0, y0, x1, y1] with numbers from 0 to 1.")


def _format(body: dict[str, Any], default: EncodingFormat) -> EncodingFormat:
    value = body.get("encoding_format", default)
    if value not in _FORMATS:
        raise InvalidField("encoding_format must be one of " + ", ".join(_FORMATS) + ".")
    return cast(EncodingFormat, value)


def _include(body: dict[str, Any]) -> frozenset[str]:
    value = body.get("include") or []
    if not isinstance(value, list) or not all(isinstance(name, str) and name in _INCLUDES for name in value):
        raise InvalidField("include must be a list with any of " + ", ".join(_INCLUDES) + ".")
    return frozenset(value)
