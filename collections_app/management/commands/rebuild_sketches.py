"""Rebuild sketches from the stored vectors, without calling a model."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from collections_app.storage import rebuild


class Command(BaseCommand):
    help = "Rebuild missing sketches. Safe to interrupt: the next run continues where this one stopped."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="also rebuild sketches that exist")

    def handle(self, *_args: Any, **options: Any) -> None:
        total = 0
        for collection_id, pages in rebuild.rebuild_sketches(everything=options["all"]):
            total += pages
            self.stdout.write(f"Collection {collection_id}: {pages} pages.")
        self.stdout.write(f"Rebuilt the sketches of {total} pages.")
