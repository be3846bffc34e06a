"""Generated reference pages are complete and up to date."""

import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
from django.urls import get_resolver

from paliapi import generated_docs
from paliapi.configuration.values import parse_file
from paliapi.env import ROOT, Env, read, settings
from paliapi.errors import catalogue

VARIABLE = re.compile(r"[A-Z0-9_]+=")


@pytest.mark.parametrize("path", generated_docs.pages(), ids=lambda path: path.name)
def test_committed_pages_are_up_to_date(path: Path) -> None:
    _ = get_resolver().url_patterns  # routes import every module, and with it every error
    assert path.read_text() == generated_docs.pages()[path](), "run `make schema`"


def test_env_example_has_every_variable_once_and_in_order() -> None:
    assert list(_example()) == [setting.name for setting in settings()]
    assert generated_docs.env_example().count("\n# SECRET_KEY=") == 1


def test_copied_env_example_changes_nothing() -> None:
    assert parse_file(generated_docs.env_example()) == {}


def test_defaults_in_the_env_example_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # paths are relative to the checkout
    needed = {item.name for item in fields(Env) if item.default is MISSING}
    values = {**_example(), "SECRET_KEY": "s" * 32, "API_KEY_PEPPERS": "1:" + "p" * 32}
    env = read(values)
    for item in fields(Env):
        assert item.name in needed or getattr(env, item.name) == item.default, item.name


def test_every_section_begins_with_a_variable_that_exists() -> None:
    assert set(generated_docs.SECTIONS) <= {setting.name for setting in settings()}


def test_every_error_has_a_unique_code_and_a_sentence_as_title() -> None:
    _ = get_resolver().url_patterns
    every: list[Any] = list(catalogue())
    for error in every:
        for other in error.__subclasses__():
            assert other.code != error.code, other.__name__
        assert error.title.endswith("."), error.__name__
    page = generated_docs.errors()
    assert all(f"| `{error.code}` |" in page for error in every)


def _example() -> dict[str, str]:
    """Return the variables of the example as if they were not commented out."""
    lines = (line.removeprefix("# ") for line in generated_docs.env_example().splitlines())
    return parse_file("\n".join(line for line in lines if VARIABLE.match(line)))
