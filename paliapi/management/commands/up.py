"""Starts everything: `manage.py up`. Runs without Django's settings, whose variables it creates."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from paliapi.stack import start


class Command(BaseCommand):
    help = "Starts Postgres, Redis, the embeddings service, the worker and the web server, and keeps them running."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--everything", action="store_true", help="show all output, not only warnings")

    def handle(self, *_args: Any, **options: Any) -> None:
        sys.exit(start.run(everything=options["everything"]))
