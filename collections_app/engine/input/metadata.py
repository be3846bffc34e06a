"""Metadata is a JSON object that Postgres can keep and that is not absurd."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import TypeAlias, cast

from collections_app.engine.input.errors import MetadataInvalid, MetadataTooLarge
from collections_app.engine.input.jsonb import Json, key_problem, pointer, quoted, scalar_problem
from paliapi.errors import Problem

MAX_DEPTH = 20
MOST_PROBLEMS = 20

_Path: TypeAlias = tuple[str | int, ...]


def checked(metadata: object, *, max_bytes: int, at: str = "/metadata") -> dict[str, Json]:
    """The same object, if it may be kept; `at` is where it lies in the request.

    Lists and objects may lie `MAX_DEPTH` deep, the outermost object included; `max_bytes` is the
    size as compact UTF-8.
    """
    if not isinstance(metadata, dict):
        problem = Problem(at, "not_an_object", "Must be a JSON object.")
        raise MetadataInvalid("Metadata must be a JSON object.", problems=(problem,))
    if problems := tuple(islice(_problems(metadata, at=at), MOST_PROBLEMS)):
        raise MetadataInvalid(problems=problems)
    found = cast(dict[str, Json], metadata)
    size = len(json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode())
    if size > max_bytes:
        detail = f"The metadata has {size:,} bytes; at most {max_bytes:,} are accepted."
        raise MetadataTooLarge(detail, problems=(Problem(at, "too_large", detail),))
    return found


def _problems(metadata: object, *, at: str) -> Iterator[Problem]:
    # A stack and not recursion: a body may be nested deeper than Python's own stack.
    waiting: list[tuple[object, _Path]] = [(metadata, ())]
    while waiting:
        value, path = waiting.pop()
        if isinstance(value, dict | list):
            if len(path) >= MAX_DEPTH:
                yield Problem(pointer(path, at=at), "too_deep", f"Lies more than {MAX_DEPTH} levels deep.")
                continue
            if isinstance(value, dict):
                yield from _key_problems(value, pointer(path, at=at))
            waiting += reversed([(inner, (*path, step)) for step, inner in _inside(value)])
        elif value is not None and not isinstance(value, str | int | float):
            yield Problem(pointer(path, at=at), "not_json", "Is not a JSON value.")
        elif problem := scalar_problem(value):
            yield Problem(pointer(path, at=at), "not_storable", f"This value {problem}.")


def _key_problems(found: dict[object, object], at: str) -> Iterator[Problem]:
    """A bad key is told at its object, because a pointer made of it could not be sent."""
    for key in found:
        if not isinstance(key, str):
            yield Problem(at, "not_json", "A key is not text.")
        elif problem := key_problem(key):
            yield Problem(at, "bad_key", f"The key {quoted(key)} {problem}.")


def _inside(value: dict[object, object] | list[object]) -> Iterator[tuple[str | int, object]]:
    if isinstance(value, list):
        yield from enumerate(value)
    else:
        yield from ((key, inner) for key, inner in value.items() if isinstance(key, str) and not key_problem(key))
