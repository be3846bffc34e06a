"""Starts everything: `manage.py up`. It runs without Django's settings, which it is the first to make possible."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from paliapi.stack import start


class Command(BaseCommand):
    help = "Start Postgres, Redis, the embeddings service, the worker and the web, and keep them running."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--everything", action="store_true", help="show all that the parts say, not only warnings")

    def handle(self, *_args: Any, **options: Any) -> None:
        sys.exit(start.run(everything=options["everything"]))
