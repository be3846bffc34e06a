"""`pali status`: what is being processed, or the state of one document."""

import time
from typing import Annotated, Any

import typer

from paliapi_client import Client
from paliapi_client.cli.as_json import as_json
from paliapi_client.cli.options import DEFAULT_COLLECTION, counted, duration
from paliapi_client.cli.output import Column, Output
from paliapi_client.cli.session import Session, command
from paliapi_client.cli.uploads.comparison import IN_FLIGHT
from paliapi_client.cli.uploads.progress import stage_bars
from paliapi_client.cli.uploads.sending import Patience

_COLUMNS = (
    Column("Collection", shortened=True),
    Column("Document", shortened=True),
    Column("Status"),
    Column("Pages", right=True),
    Column("Left", right=True),
    Column("Reason"),
)
_POLL_S = 0.5
_MAX_NOTE = 80


def add_to(app: typer.Typer) -> None:
    command(app, "status")(status)


def status(
    session: Session,
    document: Annotated[str | None, typer.Argument(help="A document; without it, everything unfinished.")] = None,
    *,
    collection: Annotated[
        str | None, typer.Option("--collection", "-c", metavar="NAME", help="Only this collection.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow until nothing is being processed.")] = False,
) -> None:
    """Show what is being processed and what failed. With --watch --json, one JSON document a line, for each change."""
    with session.client() as pali:
        if document is not None:
            _one_document(session, pali, document, collection or DEFAULT_COLLECTION, watch=watch)
        else:
            _everything(session, pali, collection or "all", watch=watch)


def _one_document(session: Session, pali: Client, name: str, collection: str, *, watch: bool) -> None:
    def read() -> Any:
        return pali.documents.get(name, collection_name=collection)

    state = read()
    if watch:
        state = _watched(session.output, state, read)
    elif session.output.json:
        session.output.document({"document": as_json(state)})
    if not session.output.json:
        pages = f"{state.pages_done} of {state.pages_total or '?'} pages"
        reason = f": {state.error.detail}" if state.error else ""
        session.output.line(f"{state.name}: {state.status}, {pages}{reason}")
    if state.status in {"failed", "cancelled"}:
        session.fail()


def _watched(output: Output, state: Any, read: Any) -> Any:
    """Follow a document until it is no longer processed; with `--json`, write each change."""
    patience = Patience()
    shown = None
    with stage_bars(output) as bars:
        bars.add("pages", "Processing")
        while True:
            bars.update("pages", done=state.pages_done, total=state.pages_total, note=state.waiting_for or "")
            row = as_json(state)
            # A signed link is new each time.
            change = {**row, "url": None}
            if output.json and change != shown:
                output.event({"document": row})
                shown = change
            if state.status not in IN_FLIGHT:
                return state
            time.sleep(_POLL_S)
            state = patience.until_done(read)


def _everything(session: Session, pali: Client, collection: str, *, watch: bool) -> None:
    jobs = list(pali.jobs.list(collection_name=collection))
    progress = pali.jobs.progress()
    if watch:
        jobs, progress = _watch_everything(session.output, pali, collection, jobs, progress)
    elif session.output.json:
        session.output.document(_summary(jobs, progress))
    if not session.output.json:
        rows = [
            (
                one.collection_name,
                one.document_name,
                one.status,
                f"{one.pages_done}/{one.pages_total or '?'}",
                duration(one.seconds_left) if one.seconds_left is not None else "",
                one.error.detail if one.error else one.waiting_for,
            )
            for one in jobs
        ]
        session.output.rows(_COLUMNS, rows)
        session.output.message(_sentence(progress))
    if any(one.status == "failed" for one in jobs):
        session.fail()


def _watch_everything(output: Output, pali: Client, collection: str, jobs: Any, progress: Any) -> Any:
    patience = Patience()
    shown = None
    most = progress.pages_left
    with stage_bars(output) as bars:
        bars.add("pages", "Pages")
        while True:
            most = max(most, progress.pages_left)
            bars.update("pages", done=most - progress.pages_left, total=most, note=_sentence(progress)[:_MAX_NOTE])
            summary = _summary(jobs, progress)
            if output.json and summary != shown:
                output.event(summary)
                shown = summary
            if not any(one.status in IN_FLIGHT for one in jobs):
                return jobs, progress
            time.sleep(_POLL_S)
            jobs = patience.until_done(lambda: list(pali.jobs.list(collection_name=collection)))
            progress = patience.until_done(pali.jobs.progress)


def _summary(jobs: Any, progress: Any) -> dict[str, Any]:
    return {"progress": as_json(progress), "jobs": as_json(jobs)}


def _sentence(progress: Any) -> str:
    if not progress.documents_left:
        return "Nothing is being processed."
    left = f"{counted(progress.documents_left, 'document')} and {counted(progress.pages_left, 'page')} are left"
    rate = f", {progress.pages_per_s:.1f} pages/s" if progress.pages_per_s else ""
    time_left = f", about {duration(progress.seconds_left)}" if progress.seconds_left is not None else ""
    return f"{left}{rate}{time_left}."
