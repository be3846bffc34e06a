"""Request bodies become typed orders; everything a stranger can get wrong is found here."""

import math
from dataclasses import dataclass
from typing import Any, Literal, cast

import orjson

from embeddings.config import Settings
from embeddings.contract import MAX_WORD_LENGTH, InputType, Task, Word
from embeddings.errors import InvalidField, MalformedJson, RequestTooLarge

Format = Literal["float", "base64", "npz"]
_FORMATS = ("float", "base64", "npz")
_EXTRAS = ("layout", "usage", "model")


@dataclass(frozen=True, slots=True)
class Input:
    """One input as it came: a text, or an image in base64 with the words on it if they are known."""

    task: Task
    text: str | None = None
    image: str | None = None
    words: tuple[Word, ...] | None = None


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """What a request asks for."""

    input_type: str
    inputs: tuple[Input, ...]
    format: Format
    include: frozenset[str]


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object in a body."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        raise MalformedJson(f"The body is not JSON: {problem}.") from None
    if not isinstance(found, dict):
        raise MalformedJson("The body must be a JSON object.")
    return found


def embeddings(body: dict[str, Any], *, default_format: Format, settings: Settings) -> EmbeddingRequest:
    """The order in a body of POST /embeddings."""
    kind = body.get("input_type")
    if kind not in ("text", "image"):
        raise InvalidField('input_type must be "text" or "image".')
    read = read_text if kind == "text" else read_image
    task: Task = "query" if kind == "text" else "document"
    inputs = [
        read(one, at=f"inputs[{number}]", task=task, settings=settings)
        for number, one in enumerate(many(body, "inputs", most=settings.max_inputs))
    ]
    return EmbeddingRequest(cast(InputType, kind), tuple(inputs), _format(body, default_format), _include(body))


def embed(body: dict[str, Any], *, default_format: Format, settings: Settings) -> EmbeddingRequest:
    """The order in a body of POST /embed, where texts and images may be mixed and the task is said."""
    task = body.get("task", "document")
    if task not in ("query", "document"):
        raise InvalidField('task must be "query" or "document".')
    inputs = []
    for number, one in enumerate(many(body, "inputs", most=settings.max_inputs)):
        read = read_image if isinstance(one, dict) and "image" in one else read_text
        inputs.append(read(one, at=f"inputs[{number}]", task=cast(Task, task), settings=settings))
    return EmbeddingRequest(task, tuple(inputs), _format(body, default_format), _include(body))


def many(body: dict[str, Any], name: str, *, most: int) -> list[Any]:
    """The list of that name, not longer than it may be."""
    found = body.get(name)
    if not isinstance(found, list):
        raise InvalidField(f"{name} must be a list.")
    if len(found) > most:
        raise RequestTooLarge(f"{name} has {len(found)} entries; at most {most} are taken in one request.")
    return found


def read_text(value: Any, *, at: str, task: Task, settings: Settings) -> Input:
    """A text, plain or as {"text": ...}."""
    text = value.get("text") if isinstance(value, dict) else value
    if not isinstance(text, str):
        raise InvalidField(f"{at} must be a text.")
    if len(text) > settings.max_text_chars:
        raise RequestTooLarge(f"{at} has {len(text)} characters; at most {settings.max_text_chars} are taken.")
    return Input(task, text=text)


def read_image(value: Any, *, at: str, task: Task, settings: Settings) -> Input:
    """An image in base64, plain or as {"image": ..., "words": [[text, x0, y0, x1, y1], ...]}."""
    image, words = (value.get("image"), value.get("words")) if isinstance(value, dict) else (value, None)
    if not isinstance(image, str):
        raise InvalidField(f"{at} must be an image in base64.")
    return Input(task, image=image, words=_words(words, at=at, most=settings.max_words))


def _words(value: Any, *, at: str, most: int) -> tuple[Word, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise InvalidField(f"{at}.words must be a list.")
    if len(value) > most:
        raise RequestTooLarge(f"{at}.words has {len(value)} words; at most {most} are taken.")
    return tuple(_plain(one) or _word(one, at=f"{at}.words[{number}]") for number, one in enumerate(value))


def _plain(value: Any) -> Word | None:
    """A word that is as it should be, as nearly all of the hundreds on a page are; None: look closer."""
    if type(value) is not list or len(value) != 5:
        return None
    text, x0, y0, x1, y1 = value
    if type(text) is not str or len(text) > MAX_WORD_LENGTH:
        return None
    if not type(x0) is type(y0) is type(x1) is type(y1) is float:
        return None
    inside = 0.0 <= x0 <= 1.0 and 0.0 <= y0 <= 1.0 and 0.0 <= x1 <= 1.0 and 0.0 <= y1 <= 1.0
    return Word(text, x0, y0, x1, y1) if inside else None


def _word(value: Any, *, at: str) -> Word:
    match value:
        case [str(text), int() | float(), int() | float(), int() | float(), int() | float()] if not any(
            isinstance(edge, bool) or not math.isfinite(edge) for edge in value[1:]
        ):
            if len(text) > MAX_WORD_LENGTH:
                raise RequestTooLarge(f"{at} has {len(text)} characters; at most {MAX_WORD_LENGTH} are taken.")
            # A text layer may reach over the edge of its page.
            return Word(text, *(min(max(float(edge), 0.0), 1.0) for edge in value[1:]))
        case _:
            raise InvalidField(f"{at} must be [text, x0, y0, x1, y1] with numbers from 0 to 1.")


def _format(body: dict[str, Any], default: Format) -> Format:
    asked = body.get("encoding_format", default)
    if asked not in _FORMATS:
        raise InvalidField("encoding_format must be one of " + ", ".join(_FORMATS) + ".")
    return cast(Format, asked)


def _include(body: dict[str, Any]) -> frozenset[str]:
    asked = body.get("include") or []
    if not isinstance(asked, list) or not all(isinstance(word, str) and word in _EXTRAS for word in asked):
        raise InvalidField("include must be a list with any of " + ", ".join(_EXTRAS) + ".")
    return frozenset(asked)
