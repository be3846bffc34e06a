"""`pali ls`: collections, or the documents of one."""

from typing import Annotated

import typer

from paliapi_client.cli.as_json import as_json
from paliapi_client.cli.output import Column
from paliapi_client.cli.session import Session, command

_COLLECTION_COLUMNS = (
    Column("Collection", shortened=True),
    Column("Documents", right=True),
    Column("Vectors"),
    Column("Created"),
)
_DOCUMENT_COLUMNS = (
    Column("Document", shortened=True),
    Column("Status"),
    Column("Pages", right=True),
    Column("Updated"),
    Column("Error"),
)


def add_to(app: typer.Typer) -> None:
    command(app, "ls")(ls)


def ls(
    session: Session,
    collection: Annotated[str | None, typer.Argument(help="A collection; without it, collections are listed.")] = None,
    *,
    status: Annotated[str | None, typer.Option(help="Only documents with this status, such as failed.")] = None,
) -> None:
    """List collections, or the documents of a collection."""
    if collection is None:
        _collections(session)
    else:
        _documents(session, collection, status)


def _collections(session: Session) -> None:
    with session.client() as pali:
        collections = list(pali.collections.list())
    if session.output.json:
        session.output.document({"collections": as_json(collections)})
        return
    rows = [(one.name, one.num_documents, one.vector_storage, one.created_at) for one in collections]
    session.output.rows(_COLLECTION_COLUMNS, rows, empty="No collections yet. Upload with: pali up FILES -c NAME")


def _documents(session: Session, collection: str, status: str | None) -> None:
    with session.client() as pali:
        pali.collections.get(collection)  # a list of an unknown collection is empty; this is 404
        documents = [
            one for one in pali.documents.list(collection_name=collection) if status is None or one.status == status
        ]
    if session.output.json:
        session.output.document({"collection_name": collection, "documents": as_json(documents)})
        return
    rows = [
        (one.name, one.status, one.num_pages, one.updated_at, one.error.code if one.error else None)
        for one in documents
    ]
    session.output.rows(_DOCUMENT_COLUMNS, rows, empty=f"No documents in {collection}.")
