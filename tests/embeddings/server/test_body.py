"""Reading a body: the limits of a request, and the memory that requests share."""

import asyncio

import pytest
from PIL import Image
from starlette.requests import Request
from starlette.types import Message

from embeddings.errors import NotReady, RequestTooLarge
from embeddings.server.body import MemoryBudget, announced_size, read_body
from tests.embeddings.server.requesting import post
from tests.embeddings.serving import encoded, serving


def test_request_beyond_a_limit_is_refused_with_the_limit() -> None:
    limits = {"COLPALI_MAX_BODY_MB": "1", "COLPALI_MAX_INPUTS": "3", "COLPALI_MAX_IMAGE_MEGAPIXELS": "1"}
    limits |= {"COLPALI_MAX_REQUEST_MEGAPIXELS": "2", "COLPALI_MAX_TEXT_CHARS": "10", "COLPALI_MAX_WORDS": "1"}
    wide = encoded(Image.new("1", (1000, 1001)))
    fitting = encoded(Image.new("1", (1000, 1000)))
    word = ["a", 0, 0, 1, 1]
    with serving(**limits) as client:
        bodies = [
            ({"input_type": "text", "inputs": ["a"] * 4}, "4 entries; at most 3"),
            ({"input_type": "text", "inputs": ["a" * 11]}, "11 characters; at most 10"),
            ({"input_type": "text", "inputs": ["a" * 2**20]}, "1048611 bytes; at most 1048576"),
            ({"input_type": "image", "inputs": [wide]}, "1001000 pixels; at most 1000000"),
            ({"input_type": "image", "inputs": [fitting, fitting, fitting]}, "more than 2000000 pixels together"),
            ({"input_type": "image", "inputs": [{"image": fitting, "words": [word, word]}]}, "2 words; at most 1"),
        ]
        for body, detail in bodies:
            response = post(client, body)
            assert response.status_code == 413, detail
            assert detail in response.json()["detail"]
        assert post(client, {"input_type": "image", "inputs": [fitting, fitting]}).status_code == 200


def request_of(parts: list[bytes], *, length: str | None = None) -> Request:
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        return messages.pop(0)

    headers = [] if length is None else [(b"content-length", length.encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


def test_announced_size_is_that_of_the_header_or_else_the_limit() -> None:
    assert announced_size(request_of([], length="7"), limit=10) == 7
    for missing in (None, "", "-1", "x"):
        assert announced_size(request_of([], length=missing), limit=10) == 10
    with pytest.raises(RequestTooLarge, match="11 bytes; at most 10"):
        announced_size(request_of([], length="11"), limit=10)


def test_body_without_a_length_is_read_only_up_to_the_limit() -> None:
    assert asyncio.run(read_body(request_of([b"12345", b"67890"]), limit=10)) == b"1234567890"
    with pytest.raises(RequestTooLarge, match="more than 10 bytes"):
        asyncio.run(read_body(request_of([b"12345", b"67890", b"1"]), limit=10))


def test_memory_is_refused_while_reserved_and_available_again_afterwards() -> None:
    async def reserve() -> None:
        memory = MemoryBudget(10)
        async with memory.reserve(8, timeout_s=1):
            async with memory.reserve(2, timeout_s=1):
                pass
            with pytest.raises(NotReady):
                async with memory.reserve(3, timeout_s=0.01):
                    pass
        async with memory.reserve(10, timeout_s=1):
            pass

    asyncio.run(reserve())
