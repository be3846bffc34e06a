"""Writes what is written from the code: the OpenAPI document and the pages of reference."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.urls import get_resolver

from paliapi import generated_docs
from paliapi.env import ROOT


class Command(BaseCommand):
    help = (
        "Write docs/openapi.yaml, docs/errors.md, docs/configuration.md, .env.example and the table in docs/formats.md."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        # Routes bring in every module, and with them every error there is.
        _ = get_resolver().url_patterns
        for path, text in generated_docs.pages().items():
            path.write_text(text(), encoding="utf-8")
        call_command("spectacular", validate=True, fail_on_warn=True, file=str(ROOT / "docs" / "openapi.yaml"))
