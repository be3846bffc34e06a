"""Re-embed what collections show with the current model of the embeddings service."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from collections_app.ingest import reembed
from paliapi.errors import Error


class Command(BaseCommand):
    help = (
        "After a change of model: re-embed, from the stored images, every searchable page whose vectors come from "
        "another model. An interrupted run continues where it stopped."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="collections of every owner")
        parser.add_argument("--owner", metavar="EMAIL", help="only collections of this owner")
        parser.add_argument("--collection", metavar="NAME", help="only collections with this name")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not options["all"] and options["owner"] is None and options["collection"] is None:
            raise CommandError(
                "Choose what to re-embed: --all, --owner EMAIL, --collection NAME, or --owner with --collection."
            )
        try:
            self._run(options["owner"], options["collection"])
        except Error as error:
            raise CommandError(f"{error.detail} ({error.code}) Nothing is lost; run the command again.") from error

    def _run(self, email: str | None, collection_name: str | None) -> None:
        space_id = reembed.current_space_id()
        collections = reembed.outdated_collections(space_id, email=email, collection_name=collection_name)
        if not collections:
            print("Nothing to do: all searchable pages already use the current model.")
        for collection in collections:
            label, pages = f"{collection.email} {collection.name}", 0
            for count in reembed.run(collection, space_id):
                pages += count
                print(f"\r{label}: {pages:,} pages", end="", flush=True)
            print(f"\r{label}: {collection.documents:,} documents, {pages:,} pages re-embedded.")
