"""Put synthetic pages into PaliAPI's tables as a worker does: accept, claim, store, publish."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw

from accounts.access import Caller
from accounts.models import CustomUser
from accounts.ownership import managing_users
from benchmarks.search.query_service import SPACE
from benchmarks.search.synthetic import Halves
from collections_app.engine.rendering.protocol import RenderedPage
from collections_app.engine.retrieval.sketch import CompactForms, compact_forms
from collections_app.ingest import accept, leases, publish, store_pages
from collections_app.ingest.accept import DocumentUpsert, Upload
from collections_app.ingest.embed_pages import EmbeddedPage
from collections_app.ingest.store_pages import Checkpoint, NewPage
from collections_app.search import Hit
from embeddings.contract import MultiVector, VectorSpace

PAGES_OF_A_FILE = 100
_AT_ONCE = 20
_WIDTH, _HEIGHT = 1240, 1754
PDF = b"%PDF-1.4\ntrailer<<>>\n%%EOF\n"


@dataclass(frozen=True, slots=True)
class Shelf:
    """The owner and collection that receive the documents, and the space of their vectors."""

    caller: Caller
    collection: str
    space: VectorSpace = SPACE


def owner(email: str) -> Caller:
    """Create a new owner."""
    with managing_users():
        return Caller.of_owner(CustomUser.objects.create_user(email).pk, email=email)


def put(
    shelf: Shelf,
    pages: Sequence[Halves] | Halves,
    *,
    first: int = 0,
    forms: Sequence[CompactForms] = (),
    texts: Sequence[str] = (),
    pages_of_a_file: int = PAGES_OF_A_FILE,
) -> None:
    """Store documents of as many pages each, named by the number of their first page, starting at `first`.

    The reduced forms of a page are computed from its vectors unless they are given.
    """
    image = _page_image()
    for start in range(0, len(pages), pages_of_a_file):
        end = start + pages_of_a_file
        vectors = list(pages[start:end])
        reduced = forms[start:end] or [compact_forms(page) for page in vectors]
        embedded = [EmbeddedPage(MultiVector(page), one) for page, one in zip(vectors, reduced, strict=True)]
        _document(shelf, embedded, texts[start:end] or [""] * len(embedded), image, first=first + start)


def number_of(hit: Hit) -> int:
    """Return the number of the page in the corpus."""
    return int(hit.page.document_metadata["first"]) + hit.page.number - 1


def _document(shelf: Shelf, pages: Sequence[EmbeddedPage], texts: Sequence[str], image: bytes, *, first: int) -> None:
    upload = Upload(file=BytesIO(PDF), sha256=hashlib.sha256(PDF).hexdigest(), size=len(PDF))
    upsert = DocumentUpsert(name=f"from-{first}", collection_name=shelf.collection, metadata={"first": first})
    accept.upsert_document(shelf.caller, upsert, upload, claim=nothing, remember=nothing)
    lease = leases.claim()
    if lease is None:
        raise SystemExit("Another worker claimed the new document.")
    space_id = store_pages.space_id_of(shelf.space)
    for batch in _batches(pages, texts, image):
        last = batch[-1].rendered
        checkpoint = Checkpoint(
            pages_done=last.number, pages_total=last.total, space_id=space_id, skipped=[], timings={}
        )
        store_pages.store(lease, batch, checkpoint)
    publish.publish(lease, timings={})


def _batches(pages: Sequence[EmbeddedPage], texts: Sequence[str], image: bytes) -> Iterator[list[NewPage]]:
    image_sha256 = hashlib.sha256(image).hexdigest()
    for start in range(0, len(pages), _AT_ONCE):
        yield [
            NewPage(
                rendered=_rendered(place + 1, len(pages), image, texts[place]),
                image_sha256=image_sha256,
                embedded=pages[place],
            )
            for place in range(start, min(start + _AT_ONCE, len(pages)))
        ]


def _rendered(number: int, total: int, image: bytes, text: str) -> RenderedPage:
    return RenderedPage(
        number=number, total=total, image=image, content_type="image/jpeg", width=_WIDTH, height=_HEIGHT, text=text
    )


def _page_image() -> bytes:
    """Return a page image of the size that rendering a PDF yields."""
    page = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    pen = ImageDraw.Draw(page)
    for line in range(40):
        pen.text((100, 100 + 38 * line), f"Line {line} of a page that has as much on it as others. " * 2, "black")
    out = BytesIO()
    page.save(out, "JPEG", quality=85)
    return out.getvalue()


def nothing(*_: object) -> None:
    """Do nothing: no request is repeated here."""
