"""Sketches again, from the vectors that are kept; no model is asked."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from collections_app.storage import rebuild


class Command(BaseCommand):
    help = "Makes the sketches that are missing. It may be stopped at any time, and goes on where it was."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="make those that are there again too")

    def handle(self, *_args: Any, **options: Any) -> None:
        total = 0
        for collection_id, made in rebuild.rebuild(everything=options["all"]):
            total += made
            self.stdout.write(f"Collection {collection_id}: {made} pages.")
        self.stdout.write(f"Made the sketches of {total} pages.")
