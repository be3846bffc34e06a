"""Writes what is generated: the OpenAPI document, for people and as it is served, and the reference pages."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.urls import get_resolver

from paliapi import generated_docs
from paliapi.env import ROOT
from paliapi.http.docs import OPENAPI_JSON


class Command(BaseCommand):
    help = "Writes the OpenAPI document, docs/errors.md, docs/configuration.md, .env.example and the table of formats."

    def handle(self, *_args: Any, **_options: Any) -> None:
        # Loading the routes imports every module, and so defines every error.
        _ = get_resolver().url_patterns
        for path, text in generated_docs.pages().items():
            path.write_text(text(), encoding="utf-8")
        call_command("spectacular", validate=True, fail_on_warn=True, file=str(ROOT / "docs" / "openapi.yaml"))
        call_command("spectacular", format="openapi-json", file=str(OPENAPI_JSON))
