"""Change how the vectors of a collection are stored."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from collections_app.engine.retrieval.codes.codec import VectorStorage
from collections_app.storage import recode
from paliapi.errors import Error


class Command(BaseCommand):
    help = (
        "Convert the stored vectors of a collection while it is searched. Safe to interrupt: the next run continues. "
        "From full to compact, vectors are rounded to four bits per dimension for good: back to full, they take the "
        "space of full ones and keep the precision of compact ones."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("collection", metavar="COLLECTION", help="name of the collection")
        parser.add_argument("--to", required=True, choices=list(VectorStorage), help="the new form")
        parser.add_argument("--owner", metavar="EMAIL", help="its owner, if several have a collection of that name")

    def handle(self, *_args: Any, **options: Any) -> None:
        name, email = options["collection"], options["owner"]
        collections = recode.collections_named(name, email=email)
        if not collections:
            raise CommandError(f"There is no collection named {name!r}" + (f" of {email}." if email else "."))
        if len(collections) > 1:
            raise CommandError(f"{len(collections)} owners have a collection named {name!r}; choose one with --owner.")
        [(owner_id, collection_id, owner)] = collections
        pages = 0
        try:
            for count in recode.recode(owner_id, collection_id, VectorStorage(options["to"])):
                pages += count
        except Error as error:
            raise CommandError(f"{error.detail} ({error.code}) Nothing is lost; run the command again.") from error
        self.stdout.write(f"{owner} {name}: {pages:,} pages are now {options['to']}.")
