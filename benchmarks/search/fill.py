"""Pages of the world into PaliAPI's tables, on the way that a worker takes: accepted, claimed, stored, published."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw

from accounts.access import Caller
from accounts.models import CustomUser
from benchmarks.search.query_service import SPACE
from benchmarks.search.synthetic import Halves
from collections_app.engine.rendering.protocol import RenderedPage
from collections_app.engine.retrieval.sketch import Small, small
from collections_app.ingest import accept, leases, publish, store_pages
from collections_app.ingest.accept import DocumentUpsert, Upload
from collections_app.ingest.embed_pages import EmbeddedPage
from collections_app.ingest.store_pages import Checkpoint, NewPage
from collections_app.search.run import Hit
from embeddings.contract import MultiVector

PAGES_OF_A_FILE = 100
_AT_ONCE = 20
_WIDTH, _HEIGHT = 1240, 1754
_PDF = b"%PDF-1.4\ntrailer<<>>\n%%EOF\n"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where documents go."""

    caller: Caller
    collection: str


def owner(email: str) -> Caller:
    """Somebody new."""
    return Caller.of_owner(CustomUser.objects.create_user(email).pk, email=email)


def put(shelf: Shelf, pages: Sequence[Halves] | Halves, *, first: int = 0, smalls: Sequence[Small] = ()) -> None:
    """Documents of a hundred pages each. Each knows the number of its first page, which `first` counts on from.

    The small forms of a page are made of its vectors, or given where these are not all.
    """
    image = _page_image()
    for start in range(0, len(pages), PAGES_OF_A_FILE):
        end = start + PAGES_OF_A_FILE
        _document(shelf, list(pages[start:end]), smalls[start:end], image, first=first + start)


def number_of(hit: Hit) -> int:
    """Which page it is of all that were put in."""
    return int(hit.page.document_metadata["first"]) + hit.page.number - 1


def _document(shelf: Shelf, pages: Sequence[Halves], smalls: Sequence[Small], image: bytes, *, first: int) -> None:
    upload = Upload(file=BytesIO(_PDF), sha256=hashlib.sha256(_PDF).hexdigest(), size=len(_PDF))
    upsert = DocumentUpsert(name=f"from-{first}", collection_name=shelf.collection, metadata={"first": first})
    accept.upsert_document(shelf.caller, upsert, upload, claim=_nothing, remember=_nothing)
    lease = leases.claim()
    if lease is None:
        raise SystemExit("Somebody else works on what was just put in.")
    space_id = store_pages.space_id_of(SPACE)
    for some in _batches(pages, smalls, image):
        last = some[-1].rendered
        checkpoint = Checkpoint(
            pages_done=last.number, pages_total=last.total, space_id=space_id, skipped=[], timings={}
        )
        store_pages.store(lease, some, checkpoint)
    publish.publish(lease, timings={})


def _batches(pages: Sequence[Halves], smalls: Sequence[Small], image: bytes) -> Iterator[list[NewPage]]:
    image_sha256 = hashlib.sha256(image).hexdigest()
    for start in range(0, len(pages), _AT_ONCE):
        yield [
            NewPage(
                rendered=_rendered(place + 1, len(pages), image),
                image_sha256=image_sha256,
                embedded=EmbeddedPage(MultiVector(pages[place]), smalls[place] if smalls else small(pages[place])),
            )
            for place in range(start, min(start + _AT_ONCE, len(pages)))
        ]


def _rendered(number: int, total: int, image: bytes) -> RenderedPage:
    return RenderedPage(
        number=number, total=total, image=image, content_type="image/jpeg", width=_WIDTH, height=_HEIGHT
    )


def _page_image() -> bytes:
    """A page as large as one that was drawn from a PDF."""
    page = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    pen = ImageDraw.Draw(page)
    for line in range(40):
        pen.text((100, 100 + 38 * line), f"Line {line} of a page that has as much on it as others. " * 2, "black")
    out = BytesIO()
    page.save(out, "JPEG", quality=85)
    return out.getvalue()


def _nothing(*_: object) -> None:
    """No request is repeated here."""
