"""Whether every page that is shown has all that a search needs; the exit status says so too."""

import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from collections_app.storage import rebuild


class Command(BaseCommand):
    help = "Looks at the vectors, the sketch and the image of every page. Ends with 1 where something is wrong."

    def handle(self, *_args: Any, **_options: Any) -> None:
        verdict = rebuild.verify()
        for name, count in asdict(verdict).items():
            self.stdout.write(f"{name.replace('_', ' ')}: {count}")
        if not verdict.good:
            self.stderr.write("Something is wrong. What lacks a sketch, or has a wrong one: rebuild_sketches --all.")
            sys.exit(1)
