"""Measure the minimal cost of a page in one process: `python -m benchmarks.ingest.bare PDF ... DATABASE_URL`

Prints wall-clock and CPU seconds. The product's functions render each page and encode it as JPEG; the lexical model
embeds the image in memory; binary INSERTs of eight rows per transaction store it in a table of their own. No queue,
service, HTTP, files or quota: nothing would survive a crash.
"""

import io
import mmap
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.types.json import Jsonb

from collections_app.engine.rendering import pdf_renderer
from collections_app.engine.rendering.protocol import Job, RasterPage, RenderLimits
from collections_app.engine.retrieval import multivector
from embeddings.backends.base import Item
from embeddings.backends.lexical import LexicalBackend
from embeddings.contract import MultiVector

_BATCH = 8
_TABLE = """
CREATE TEMPORARY TABLE bare (page int PRIMARY KEY, vectors halfvec[] NOT NULL, layout jsonb, text text NOT NULL);
ALTER TABLE bare ALTER COLUMN vectors SET STORAGE EXTERNAL;
"""


class Wire(bytes):
    """The binary form of a `halfvec[]`."""


class WireDumper(Dumper):
    format = Format.BINARY  # without a type: Postgres uses that of the column

    def dump(self, obj: Wire) -> bytes:
        return obj


def rendered_pages(content: bytes) -> Iterator[RasterPage]:
    """Render the pages of a PDF as the product does."""
    whole = mmap.mmap(-1, len(content))
    whole.write(content)
    job = Job(renderer=pdf_renderer.__name__, dpi=144, encoding="jpeg", limits=RenderLimits())
    return pdf_renderer.render_pages(whole, job)[1]


def encoded(backend: LexicalBackend, page: RasterPage) -> MultiVector:
    """Encode a page as JPEG, as it would be stored, and return its vectors."""
    page.image.save(io.BytesIO(), "jpeg", quality=90)
    prepared = backend.prepare(Item("document", image=page.image, words=page.words))
    return backend.encode(backend.collate([prepared]))[0]


def insert(database: "psycopg.Connection[Any]", first: int, pages: Sequence[tuple[MultiVector, str]]) -> None:
    """Insert rows in one statement and one transaction."""
    oid = database.execute("SELECT 'halfvec'::regtype::oid::int8").fetchone()
    values: list[Any] = []
    for number, (page, text) in enumerate(pages, start=first):
        wire = Wire(multivector.encode(page.vectors, element_oid=int(oid[0]) if oid else 0))
        values += [number, wire, Jsonb(page.layout), text]
    rows = sql.SQL(", ").join([sql.SQL("(%s, %b, %s, %s)")] * len(pages))
    database.execute(sql.SQL("INSERT INTO bare (page, vectors, layout, text) VALUES {}").format(rows), values)
    database.commit()


def main() -> int:
    """Process each file once."""
    *files, url = sys.argv[1:]
    contents, backend = [Path(file).read_bytes() for file in files], LexicalBackend()
    with psycopg.connect(url) as database:
        database.adapters.register_dumper(Wire, WireDumper)
        database.execute(_TABLE)
        database.commit()
        began, busy = time.perf_counter(), time.process_time()
        pages = (page for content in contents for page in rendered_pages(content))
        encoded_pages = ((encoded(backend, page), page.text) for page in pages)
        count = 0
        while batch := list(islice(encoded_pages, _BATCH)):
            insert(database, count, batch)
            count += len(batch)
        sys.stdout.write(f"{time.perf_counter() - began} {time.process_time() - busy}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
