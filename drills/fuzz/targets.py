"""The fuzzed parsers, and inputs to start from.

A target lets no exception out but those that are findings: its parsers raise only the errors that they document.
"""

import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np

from collections_app.engine.input import filter_parser
from collections_app.engine.rendering import file_types, ole2, zip_check
from collections_app.engine.retrieval import multivector, sketch
from embeddings import contract
from embeddings.client import checks
from embeddings.client.errors import InvalidResponse
from paliapi.errors import Invalid, TooLarge

_MAX_NPZ_BYTES = 4 * 1024 * 1024
_DIMENSIONS = (1, 3, 8, 128, 130)


def parse_file(data: bytes) -> None:
    """Detect the type of an upload, and read the directories of ZIP and OLE2 containers."""
    for parse in (file_types.sniff, zip_check.check_sizes, ole2.is_encrypted):
        with suppress(Invalid, TooLarge):
            parse(io.BytesIO(data))


def parse_vectors(data: bytes) -> None:
    """Decode a response of an embeddings service (npz and JSON) and a `halfvec[]` of Postgres."""
    with suppress(contract.MalformedNpz, InvalidResponse):
        multi_vectors, _, _ = contract.unpack(data, max_bytes=_MAX_NPZ_BYTES)
        checks.check_multi_vectors(multi_vectors, count=len(multi_vectors))
    with suppress(ValueError, RecursionError, InvalidResponse):
        checks.parse_rows(json.loads(data))
    with suppress(multivector.InvalidMultiVector):
        vectors = multivector.decode(data)
        (element_oid,) = struct.unpack_from(">I", data, 8)
        encoded = multivector.encode(vectors, element_oid=element_oid)
        # All but the lower bound of the array, which is always written as 1.
        if (encoded[:16], encoded[20:]) != (data[:16], data[20:]):
            raise AssertionError("a decoded halfvec[] is encoded as other bytes")


def parse_filter(data: bytes) -> None:
    """Parse a metadata filter."""
    with suppress(ValueError, RecursionError):
        raw = json.loads(data)
        with suppress(Invalid, TooLarge):
            filter_parser.parse(raw)


def parse_sketch(data: bytes) -> None:
    """Check a sketch and decode the pooled vectors of a page; the first byte selects their dimensions."""
    dim = _DIMENSIONS[data[0] % len(_DIMENSIONS)] if data else _DIMENSIONS[0]
    with suppress(sketch.InvalidSketch):
        sketch.check(data[1:], dim=dim)
    with suppress(sketch.InvalidSketch):
        pooled = sketch.decode_pooled(data[1:], dim=dim)
        if pooled.numbers.shape[1] != dim:
            raise AssertionError("decoded vectors have other dimensions")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "files": parse_file,
    "vectors": parse_vectors,
    "filters": parse_filter,
    "sketches": parse_sketch,
}


def seeds(target: str) -> Iterator[bytes]:
    """Yield valid inputs, from which the fuzzer finds its way into the parser."""
    match target:
        case "files":
            yield from (_office_file("word/document.xml"), _office_file("mimetype"), _ole2_file())
            yield from (b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n" + bytes(25), b"GIF89a\x01\x00\x01\x00")
        case "vectors":
            yield from _vectors()
        case "filters":
            yield from (json.dumps(each).encode() for each in _FILTERS)
        case "sketches":
            page = np.eye(8, 128, dtype=np.float16)
            forms = sketch.compact_forms(page)
            yield from (b"\x03" + forms.pooled, b"\x03" + forms.sketch)


_FILTERS = (
    {"key": "year", "value": 2020},
    {"on": "collection", "key": ["a", "b"], "lookup": "contained_by", "value": {"x": [1, None, "y"]}},
    {"and": [{"key": "a", "op": "gte", "value": {"date": "2026-01-02"}}, {"not": {"key": "b", "op": "exists"}}]},
    {
        "or": [
            {"key": "t", "op": "lt", "value": {"datetime": "2026-01-02T03:04:05Z"}},
            {"key": "k", "op": "in", "value": [1]},
        ]
    },
    {"key": ["a", "b"], "lookup": "has_any_keys"},
)


def _vectors() -> Iterator[bytes]:
    vectors = np.eye(2, 8, dtype=np.float16)
    space = contract.VectorSpace("model", "1", 8)
    layout: contract.Layout = {"kind": "grid", "n_x": 2, "n_y": 1, "offset": 0}
    for with_layout in (False, True):
        multi_vectors = [contract.MultiVector(vectors, layout if with_layout else None)]
        yield contract.pack(multi_vectors, input_type="image", space=space, with_layout=with_layout)
    yield multivector.encode(vectors, element_oid=16_385)
    yield json.dumps({"shape": [1, 2], "dtype": "float16", "data": "ADwAAA=="}).encode()
    yield json.dumps(vectors.tolist()).encode()


def _office_file(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(name, "application/vnd.oasis.opendocument.text")
    return file.getvalue()


def _ole2_file() -> bytes:
    header = bytearray(512)
    header[:8], header[30:32] = ole2.SIGNATURE, (9).to_bytes(2, "little")
    header[76:80] = (1).to_bytes(4, "little")  # the first sector of the allocation table
    entry = "WordDocument".encode("utf-16-le").ljust(64, b"\0") + (26).to_bytes(2, "little")
    directory = entry.ljust(128, b"\0").ljust(512, b"\0")
    return bytes(header) + directory + b"\xff" * 512
