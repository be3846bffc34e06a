"""Detection of formats, for the tests of each format."""

import io

from collections_app.engine.rendering.file_types import sniff
from collections_app.engine.rendering.formats.base import Format


def format_of(content: bytes) -> Format:
    return sniff(io.BytesIO(content))


def size_of(content: bytes) -> tuple[int, int]:
    read_size = format_of(content).read_size
    assert read_size
    return read_size(io.BytesIO(content))
