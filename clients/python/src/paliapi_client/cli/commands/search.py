"""`pali search`: the pages that answer, drawn if the terminal can."""

import base64
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from paliapi_client import Hit
from paliapi_client.cli.as_json import as_json
from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.filters import parse_filters
from paliapi_client.cli.page_files import save_page
from paliapi_client.cli.pictures.encodings import encoded
from paliapi_client.cli.pictures.highlight import framed
from paliapi_client.cli.pictures.picture import NotAPicture, picture
from paliapi_client.cli.pictures.terminal import Ability, ability
from paliapi_client.cli.printable import printable
from paliapi_client.cli.session import Session, command
from paliapi_client.cli.snippets import snippet
from paliapi_client.operations.searching import Ranking

_WITHOUT_IMAGES = frozenset({"img_base64", "image_url", "thumbnail_url"})
_MAX_IMAGE = 50 * 1024 * 1024
_MAX_HITS_WITH_REGIONS = 20
_MAX_COLUMNS = 80
_MIN_ROWS = 8
_ROWS_BELOW = 6


def add_to(app: typer.Typer) -> None:
    command(app, "search")(search)


def search(
    session: Session,
    query: Annotated[str | None, typer.Argument(help="Words or a question; - reads standard input.")] = None,
    *,
    collection: Annotated[
        list[str] | None, typer.Option("--collection", "-c", metavar="NAME", help="Default: every collection.")
    ] = None,
    image: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Search by an image, alone or with words.")
    ] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            "--filter", "-f", metavar="FILTER", help="year>=2024, author=Smeaton, !draft, or JSON; repeatable."
        ),
    ] = None,
    top_k: Annotated[int, typer.Option("--top", "-k", min=1, max=1000, help="How many pages.")] = 5,
    ranking: Annotated[Ranking | None, typer.Option(help="How pages are ranked.")] = None,
    rerank: Annotated[bool, typer.Option("--rerank", help="Let the reranker of the server order the best.")] = False,
    exact: Annotated[bool, typer.Option("--exact", help="Score every page, without candidates.")] = False,
    per_document: Annotated[bool, typer.Option("--per-document", help="Only the best page of each.")] = False,
    min_score: Annotated[float | None, typer.Option(help="Minimum normalized score.")] = None,
    save: Annotated[Path | None, typer.Option(file_okay=False, metavar="DIR", help="Save the page images.")] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the image of the best page.")] = False,
    draw: Annotated[int, typer.Option(min=0, metavar="N", help="How many pages to draw in the terminal.")] = 1,
) -> None:
    """Search pages by words, an image, or both."""
    text = sys.stdin.read(10_001).strip() if query == "-" else query
    if not text and image is None:
        raise Complaint("query_missing", "Name what to search for, or an image with --image.")
    how = _terminal_ability(session, draw)
    with_regions = ["regions"] if how and top_k <= _MAX_HITS_WITH_REGIONS else []
    options: dict[str, Any] = {
        "filter": parse_filters(condition or []),
        "top_k": top_k,
        "ranking": ranking,
        "rerank": rerank or None,
        "mode": "exact" if exact else None,
        "group_by": "document" if per_document else None,
        "min_score": min_score,
        "images": "none",
        "include": ["text", *with_regions],
        **_scope(collection),
    }
    given = {name: value for name, value in options.items() if value is not None}
    with session.client() as pali:
        hits = pali.search(_query(text, image), **given).hits
        saved = _save(hits, save) if save else {}
        if session.output.json:
            _write_json(session, text, hits, saved)
        elif session.output.is_terminal:
            _write_for_people(session, hits, text or "", how, draw)
        else:
            _write_lines(session, hits, text or "")
        for path in saved.values():
            session.output.message(f"Saved {printable(path)}")
        if open_page and hits:
            _open(session, hits[0])


def _scope(collection: list[str] | None) -> dict[str, Any]:
    if not collection:
        return {}
    return {"collection_name": collection[0]} if len(collection) == 1 else {"collections": collection}


def _query(text: str | None, image: Path | None) -> Any:
    if image is None:
        return text
    if image.stat().st_size > _MAX_IMAGE:
        raise Complaint("image_too_large", f"{printable(image)} is larger than 50 MB.")
    part = {"image": base64.b64encode(image.read_bytes()).decode("ascii")}
    return [{"text": text}, part] if text else [part]


def _terminal_ability(session: Session, draw: int) -> Ability | None:
    return ability(sys.stdout) if draw and session.output.is_terminal else None


def _save(hits: list[Hit], folder: Path) -> dict[int, Path]:
    return {
        rank: save_page(folder, hit.image(), rank=rank, document_name=hit.document_name, page_number=hit.page_number)
        for rank, hit in enumerate(hits, start=1)
    }


def _write_json(session: Session, text: str | None, hits: list[Hit], saved: dict[int, Path]) -> None:
    results = []
    for rank, hit in enumerate(hits, start=1):
        row = {"rank": rank, **as_json(hit, without=_WITHOUT_IMAGES)}
        if saved:
            row["saved_as"] = str(saved[rank])
        results.append(row)
    session.output.document({"query": text, "results": results})


def _write_lines(session: Session, hits: list[Hit], query: str) -> None:
    rows = [
        (rank, _score(hit), hit.collection_name, hit.document_name, hit.page_number, snippet(hit.text or "", query))
        for rank, hit in enumerate(hits, start=1)
    ]
    session.output.rows((), rows)


def _write_for_people(session: Session, hits: list[Hit], query: str, how: Ability | None, draw: int) -> None:
    if not hits:
        session.output.message("No page was found.")
    for rank, hit in enumerate(hits, start=1):
        place = f"{printable(hit.document_name)}, page {hit.page_number}"
        session.output.line(f"{rank}. {place}  {_score(hit)}  {printable(hit.collection_name)}", style="bold")
        if excerpt := snippet(hit.text or "", query):
            session.output.line(f"   {printable(excerpt)}")
        if how and rank <= draw:
            _draw(session, hit, how)


def _score(hit: Hit) -> str:
    return "" if hit.normalized_score is None else f"{hit.normalized_score:.3f}"


def _draw(session: Session, hit: Hit, how: Ability) -> None:
    columns = max(1, min(session.output.width - 1, _MAX_COLUMNS))
    rows = max(_MIN_ROWS, session.output.height - _ROWS_BELOW)
    try:
        page = picture(hit.image(), columns=columns, rows=rows, cell=how.cell)
    except NotAPicture as error:
        session.output.message(str(error))
        return
    boxes = [one.box for one in hit.regions.boxes] if hit.regions else []
    session.output.raw(encoded(page.with_image(framed(page.image, boxes)), how.protocol))


def _open(session: Session, hit: Hit) -> None:
    """Open the best page from a file: links of the server may be valid in its own network only."""
    folder = Path(tempfile.mkdtemp(prefix="pali-"))
    path = save_page(folder, hit.image(), rank=1, document_name=hit.document_name, page_number=hit.page_number)
    if typer.launch(str(path)) != 0:
        session.output.message(f"No program to show it was started; the page is {path}")
