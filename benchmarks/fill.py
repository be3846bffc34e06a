"""Pages of the world into PaliAPI's tables, on the way that a worker takes: accepted, claimed, stored, published."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw

from accounts.access import Caller
from accounts.models import CustomUser
from benchmarks.questions_service import SPACE
from benchmarks.world import Halves
from collections_app import ingest, leases, pagestore, publish
from collections_app.engine.pages import RenderedPage
from collections_app.ingest import Content, Wanted
from collections_app.pagestore import NewPage, Reached
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


def put(shelf: Shelf, pages: Halves) -> None:
    """Documents of a hundred pages each; document `3` has the pages from 300 on, counted within `pages`."""
    image = _page_image()
    for start in range(0, len(pages), PAGES_OF_A_FILE):
        _document(shelf, str(start // PAGES_OF_A_FILE), pages[start : start + PAGES_OF_A_FILE], image)


def number_of(document: str, page: int) -> int:
    """Which page of `pages` it is; `page` counts from 1."""
    return int(document) * PAGES_OF_A_FILE + page - 1


def _document(shelf: Shelf, name: str, pages: Halves, image: bytes) -> None:
    content = Content(file=BytesIO(_PDF), sha256=hashlib.sha256(_PDF).hexdigest(), size=len(_PDF))
    wanted = Wanted(name=name, collection_name=shelf.collection, metadata={"part": int(name)})
    ingest.accept(shelf.caller, wanted, content, claim=_nothing, remember=_nothing)
    lease = leases.claim()
    if lease is None:
        raise SystemExit("Somebody else works on what was just put in.")
    space_id = pagestore.space_id_of(SPACE)
    for some in _batches(pages, image):
        last = some[-1].rendered
        reached = Reached(pages_done=last.number, pages_total=last.total, space_id=space_id, skipped=[], timings={})
        pagestore.store(lease, some, reached)
    publish.publish(lease, timings={})


def _batches(pages: Halves, image: bytes) -> Iterator[list[NewPage]]:
    for start in range(0, len(pages), _AT_ONCE):
        yield [
            NewPage(rendered=_rendered(start + place, len(pages), image), embedded=MultiVector(vectors))
            for place, vectors in enumerate(pages[start : start + _AT_ONCE], start=1)
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
