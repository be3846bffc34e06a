"""`pali import`: documents from a folder of collections, ColiVara, or S3."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from paliapi_client import Client, Conflict
from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.exit_codes import ExitCode
from paliapi_client.cli.imports.colivara import DEFAULT_URL, ColiVaraAccount
from paliapi_client.cli.imports.folder import folder_items
from paliapi_client.cli.imports.s3 import s3_items
from paliapi_client.cli.imports.seen import SeenVersions
from paliapi_client.cli.session import Session, command
from paliapi_client.cli.uploads.items import Item
from paliapi_client.cli.uploads.pipeline import Upload, UploadOptions
from paliapi_client.cli.uploads.report import as_document, report
from paliapi_client.cli.uploads.sending import Patience

_KEY_VARIABLE = "COLIVARA_API_KEY"
_URL_VARIABLE = "COLIVARA_BASE_URL"


def add_to(app: typer.Typer) -> None:
    command(app, "import")(import_documents)


def import_documents(
    session: Session,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="colivara, s3://BUCKET/PREFIX, or a folder.")],
    *,
    collection: Annotated[
        list[str] | None,
        typer.Option("--collection", "-c", metavar="NAME", help="Where to; with colivara, which ones (repeatable)."),
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option("--exclude", "-x", metavar="GLOB", help="Leave out.")] = None,
    wait: Annotated[bool, typer.Option(help="Wait until the documents can be searched.")] = True,
    parallel: Annotated[int, typer.Option("--parallel", "-p", min=1, max=64, help="Files at a time.")] = 8,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be imported.")] = False,
) -> None:
    """Import documents with their metadata. Unchanged ones are skipped, so an import can be continued.

    colivara reads COLIVARA_API_KEY and COLIVARA_BASE_URL; the latter can also be another PaliAPI. In a folder, each
    sub-folder becomes a collection, and report.pdf.metadata.json holds the metadata of report.pdf.
    """
    names = collection or []
    options = UploadOptions(parallel=parallel, wait=wait, dry_run=dry_run)
    with session.client(max_retries=0) as pali:
        importer = _Importer(session, pali, options)
        if source == "colivara":
            importer.from_colivara(names)
        elif source.startswith("s3://"):
            items = s3_items(source, exclude=exclude or [], seen=SeenVersions.of_user())
            importer.run([(_only(names) or source.removeprefix("s3://").partition("/")[0], items)])
        elif Path(source).is_dir():
            found = folder_items(Path(source), collection=_only(names), exclude=exclude or [])
            importer.run(found.items())
        else:
            detail = f"{source} is neither a folder nor colivara nor s3://BUCKET/PREFIX."
            raise Complaint("source_unknown", detail, ExitCode.NOT_FOUND)


class _Importer:
    """Imports collections one after another, and reports each."""

    def __init__(self, session: Session, pali: Client, options: UploadOptions) -> None:
        self._session, self._pali, self._options = session, pali, options

    def from_colivara(self, names: list[str]) -> None:
        key = os.environ.get(_KEY_VARIABLE, "").strip()
        if not key:
            raise Complaint("source_key_missing", f"Set {_KEY_VARIABLE}.", ExitCode.NOT_PERMITTED)
        url = (os.environ.get(_URL_VARIABLE) or DEFAULT_URL).rstrip("/").removesuffix("/v1")
        with ColiVaraAccount(url, key, SeenVersions.of_user()) as account:
            collections = account.collections(names)
            if not self._options.dry_run:
                for one in collections:
                    self._create(one.name, one.metadata)
            self.run((one.name, one.items) for one in collections)

    def _create(self, name: str, metadata: dict[str, object]) -> None:
        try:
            Patience().until_done(lambda: self._pali.collections.create(name, metadata=metadata))
        except Conflict:
            return  # it exists, and keeps its metadata

    def run(self, collections: Iterable[tuple[str, list[Item]]]) -> None:
        output = self._session.output
        documents = []
        all_well = True
        interrupted = False
        for name, items in collections:
            upload = Upload(output, self._pali, name, items)
            try:
                upload.run(self._options)
            except KeyboardInterrupt:
                interrupted = True
            outcomes = list(upload.outcomes.values())
            if output.json:
                documents.append(as_document(name, outcomes, interrupted=interrupted))
                all_well &= not any(one.failed for one in outcomes)
            else:
                all_well &= report(output, name, outcomes)
            if interrupted:
                break
        if output.json:
            output.document({"interrupted": interrupted, "collections": documents})
        if interrupted:
            output.message("Interrupted. Run the same command again to continue.")
            self._session.fail(ExitCode.INTERRUPTED)
        if not all_well:
            self._session.fail()


def _only(names: list[str]) -> str | None:
    if len(names) > 1:
        raise Complaint("collection_ambiguous", "Name one collection.")
    return names[0] if names else None
