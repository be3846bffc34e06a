"""Check that every searchable page has all that a search needs; exit with status 1 otherwise."""

import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from collections_app.storage import rebuild


class Command(BaseCommand):
    help = "Check the vectors, sketch and image of every page. Exits with status 1 if any of them is damaged."

    def handle(self, *_args: Any, **_options: Any) -> None:
        report = rebuild.verify_index()
        for name, count in asdict(report).items():
            self.stdout.write(f"{name.replace('_', ' ')}: {count}")
        if not report.is_healthy:
            self.stderr.write("The index is damaged. Missing or wrong sketches: run `rebuild_sketches --all`.")
            sys.exit(1)
