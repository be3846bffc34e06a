"""`pali rm`: documents, or a whole collection."""

from typing import Annotated, Any

import typer

from paliapi_client import PaliAPIError
from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.failures import described
from paliapi_client.cli.options import DEFAULT_COLLECTION, Collection, Yes, confirm, counted
from paliapi_client.cli.session import Session, command


def add_to(app: typer.Typer) -> None:
    command(app, "rm")(rm)


def rm(
    session: Session,
    documents: Annotated[list[str] | None, typer.Argument(metavar="DOCUMENTS", help="Names of documents.")] = None,
    *,
    collection: Collection = DEFAULT_COLLECTION,
    everything: Annotated[bool, typer.Option("--all", help="Delete the collection with all its documents.")] = False,
    yes: Yes = False,
) -> None:
    """Delete documents, or with --all a collection. This cannot be undone."""
    if bool(documents) == everything:
        raise Complaint("nothing_named", "Name documents, or delete the whole collection with --all.")
    if everything:
        _remove_collection(session, collection, yes=yes)
        return
    names = list(dict.fromkeys(documents or []))
    what = names[0] if len(names) == 1 else counted(len(names), "document")
    confirm(f"Delete {what} from {collection}?", yes=yes)
    results = _remove_documents(session, names, collection)
    failed = [one for one in results if one["error"]]
    if session.output.json:
        session.output.document({"collection_name": collection, "documents": results})
    else:
        session.output.message(f"Deleted: {counted(len(results) - len(failed), 'document')}.")
    if failed:
        rows = [(one["name"], one["error"]["code"], one["error"]["detail"]) for one in failed]
        session.output.failures("Not deleted", rows)
        session.fail()


def _remove_documents(session: Session, names: list[str], collection: str) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    with session.client() as pali:
        for name in names:
            try:
                pali.documents.delete(name, collection_name=collection)
            except PaliAPIError as error:  # noqa: PERF203  (one does not affect the others)
                if len(names) == 1:
                    raise
                results.append({"name": name, "deleted": False, "error": described(error).as_json()})
            else:
                results.append({"name": name, "deleted": True, "error": None})
    return results


def _remove_collection(session: Session, collection: str, *, yes: bool) -> None:
    with session.client() as pali:
        number = pali.collections.get(collection).num_documents
        confirm(f"Delete the collection {collection} with {counted(number, 'document')}?", yes=yes)
        pali.collections.delete(collection)
    if session.output.json:
        session.output.document({"collection_name": collection, "deleted": True})
    else:
        session.output.message(f"Deleted: {collection} with {counted(number, 'document')}.")
