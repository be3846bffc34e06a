"""Brings what collections show into the space of the model that the embeddings service has now."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from collections_app.ingest import reembed
from paliapi.errors import Error


class Command(BaseCommand):
    help = (
        "After a change of the model: embeds anew, from the stored images, every page that is shown with vectors of "
        "another model. What stops goes on where it was; what is done is not done again."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="collections of every owner")
        parser.add_argument("--owner", metavar="EMAIL", help="only collections of this owner")
        parser.add_argument("--collection", metavar="NAME", help="only collections of this name")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not options["all"] and options["owner"] is None and options["collection"] is None:
            raise CommandError("Say which: --all, --owner EMAIL, --collection NAME, or both of these.")
        try:
            self._run(options["owner"], options["collection"])
        except Error as problem:
            raise CommandError(f"{problem.detail} ({problem.code}) Nothing is lost: run it again.") from problem

    def _run(self, email: str | None, collection_name: str | None) -> None:
        space_id = reembed.current_space_id()
        found = reembed.outdated_collections(space_id, email=email, collection_name=collection_name)
        if not found:
            print("Nothing to do: all that is shown is in the space of the present model.")
        for place in found:
            pages = 0
            for more in reembed.run(place, space_id):
                pages += more
                print(f"\r{place.email} {place.name}: {pages:,} pages", end="", flush=True)
            print(f"\r{place.email} {place.name}: {place.documents:,} documents, {pages:,} pages embedded; swapped.")
