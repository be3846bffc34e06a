"""`pali up`: upload files and folders, and follow them until their pages can be searched."""

import json
from typing import Annotated, Any

import typer

from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.exit_codes import ExitCode
from paliapi_client.cli.options import DEFAULT_COLLECTION, Collection
from paliapi_client.cli.session import Session, command
from paliapi_client.cli.uploads.pipeline import Upload, UploadOptions
from paliapi_client.cli.uploads.report import report
from paliapi_client.cli.uploads.selection import select_items


def add_to(app: typer.Typer) -> None:
    command(app, "up")(up)


def up(
    session: Session,
    paths: Annotated[list[str], typer.Argument(metavar="PATHS", help="Files, folders, globs or URLs.")],
    *,
    collection: Collection = DEFAULT_COLLECTION,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", "-x", metavar="GLOB", help="Leave out, such as drafts or *.tmp.")
    ] = None,
    hidden: Annotated[bool, typer.Option("--hidden", help="Also files and folders that start with a dot.")] = False,
    name: Annotated[str | None, typer.Option(help="Name of the document; only for a single file.")] = None,
    metadata: Annotated[str | None, typer.Option(metavar="JSON", help="Metadata of the documents.")] = None,
    skip_pages: Annotated[
        bool, typer.Option("--skip-pages", help="Leave out pages that cannot be processed, instead of failing.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Also upload unchanged files.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait until the documents can be searched.")] = True,
    parallel: Annotated[int, typer.Option("--parallel", "-p", min=1, max=64, help="Uploads at a time.")] = 8,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be uploaded.")] = False,
) -> None:
    """Upload files. Unchanged ones are skipped, so an interrupted upload is continued by the same command."""
    items = select_items(paths, exclude=exclude or [], hidden=hidden, name=name, metadata=parse_metadata(metadata))
    options = UploadOptions(
        parallel=parallel,
        wait=wait,
        again=again,
        dry_run=dry_run,
        request={"on_page_error": "skip"} if skip_pages else {},
    )
    # An upload repeats requests itself, so that it can be interrupted while it waits.
    with session.client(max_retries=0) as pali:
        run_upload(session, Upload(session.output, pali, collection, items), options)


def run_upload(session: Session, upload: Upload, options: UploadOptions) -> None:
    """Run an upload and report its outcome; end with the exit code that it deserves."""
    try:
        upload.run(options)
    except KeyboardInterrupt:
        report(session.output, upload.collection, upload.outcomes.values(), interrupted=True)
        session.output.message("Interrupted. Run the same command again to continue.")
        session.fail(ExitCode.INTERRUPTED)
    if not report(session.output, upload.collection, upload.outcomes.values()):
        session.fail()


def parse_metadata(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Complaint("metadata_invalid", 'Metadata is a JSON object, such as {"year": 2026}.')
    return value
