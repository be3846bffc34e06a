"""Checks that metadata is a JSON object that Postgres can store, within limits."""

from collections.abc import Iterator
from itertools import islice
from typing import TypeAlias, cast

from collections_app.engine.input.errors import MetadataInvalid, MetadataTooLarge
from collections_app.engine.input.jsonb import Json, key_problem, pointer, quote, scalar_problem, size
from paliapi.errors import MAX_PROBLEMS, Problem

MAX_DEPTH = 20

_Path: TypeAlias = tuple[str | int, ...]


def check(metadata: object, *, max_bytes: int, at: str = "/metadata") -> dict[str, Json]:
    """Return the same object if it can be stored, or raise; `at` is its JSON pointer in the request.

    Lists and objects may be nested `MAX_DEPTH` deep, including the outermost object; `max_bytes` is the size as compact
    UTF-8.
    """
    if not isinstance(metadata, dict):
        problem = Problem(at, "not_an_object", "Must be a JSON object.")
        raise MetadataInvalid("Metadata must be a JSON object.", problems=(problem,))
    if problems := tuple(islice(_problems(metadata, max_bytes=max_bytes, at=at), MAX_PROBLEMS)):
        raise MetadataInvalid(problems=problems)
    checked = cast(dict[str, Json], metadata)
    if size(checked) > max_bytes:
        raise _too_large(max_bytes, at=at)
    return checked


def _too_large(max_bytes: int, *, at: str) -> MetadataTooLarge:
    detail = f"The metadata has more than {max_bytes:,} bytes."
    return MetadataTooLarge(detail, problems=(Problem(at, "too_large", detail),))


def _problems(metadata: object, *, max_bytes: int, at: str) -> Iterator[Problem]:
    """Yield the problems in order; raise MetadataTooLarge as soon as the values looked at exceed `max_bytes`."""
    # A stack instead of recursion: a body may be nested deeper than Python's own stack.
    pending: list[tuple[object, _Path]] = [(metadata, ())]
    min_size = 0
    while pending:
        value, path = pending.pop()
        min_size += _min_bytes(value)
        if min_size > max_bytes:
            raise _too_large(max_bytes, at=at)
        if isinstance(value, dict | list):
            if len(path) >= MAX_DEPTH:
                yield Problem(pointer(path, at=at), "too_deep", f"Is nested more than {MAX_DEPTH} levels deep.")
                continue
            if isinstance(value, dict):
                yield from _key_problems(value, pointer(path, at=at))
            pending += reversed([(child, (*path, step)) for step, child in _children(value)])
        elif value is not None and not isinstance(value, str | int | float):
            yield Problem(pointer(path, at=at), "not_json", "Is not a JSON value.")
        elif problem := scalar_problem(value):
            yield Problem(pointer(path, at=at), "not_storable", f"This value {problem}.")


def _min_bytes(value: object) -> int:
    """Return a lower bound of the size as compact JSON, without the items of a list and the values of an object."""
    match value:
        case dict():
            return 1 + 4 * len(value) if value else 2  # of `{"":1,"":1}`, all but the values, and keys without text
        case list():
            return 1 + len(value) if value else 2
        case str():
            return 2 + len(value)
        case _:
            return 1


def _key_problems(parent: dict[object, object], at: str) -> Iterator[Problem]:
    """Yield problems of keys, located at their object: a pointer that contains an invalid key could not be sent."""
    for key in parent:
        if not isinstance(key, str):
            yield Problem(at, "not_json", "A key is not text.")
        elif problem := key_problem(key):
            yield Problem(at, "bad_key", f"The key {quote(key)} {problem}.")


def _children(value: dict[object, object] | list[object]) -> Iterator[tuple[str | int, object]]:
    if isinstance(value, list):
        yield from enumerate(value)
    else:
        yield from ((key, child) for key, child in value.items() if isinstance(key, str) and not key_problem(key))
