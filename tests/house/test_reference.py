"""The pages of reference say what the code does, and the committed ones are the newest."""

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
def test_what_is_committed_is_what_the_code_says(path: Path) -> None:
    _ = get_resolver().url_patterns  # routes bring in every module, and with them every error there is
    assert path.read_text() == generated_docs.pages()[path](), "run `make schema`"


def test_the_example_has_every_variable_once_and_in_order() -> None:
    assert list(_example()) == [setting.name for setting in settings()]
    assert generated_docs.env_example().count("\n# SECRET_KEY=") == 1


def test_a_copied_example_changes_nothing() -> None:
    assert parse_file(generated_docs.env_example()) == {}


def test_the_defaults_in_the_example_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # paths are written as they are seen from the checkout
    needed = {item.name for item in fields(Env) if item.default is MISSING}
    values = {**_example(), "SECRET_KEY": "s" * 32, "API_KEY_PEPPERS": "1:" + "p" * 32}
    env = read(values)
    for item in fields(Env):
        assert item.name in needed or getattr(env, item.name) == item.default, item.name


def test_every_section_begins_with_a_variable_that_exists() -> None:
    assert set(generated_docs.SECTIONS) <= {setting.name for setting in settings()}


def test_every_error_has_a_code_of_its_own_and_a_title_that_is_a_sentence() -> None:
    _ = get_resolver().url_patterns
    every: list[Any] = list(catalogue())
    for error in every:
        for other in error.__subclasses__():
            assert other.code != error.code, other.__name__
        assert error.title.endswith("."), error.__name__
    page = generated_docs.errors()
    assert all(f"| `{error.code}` |" in page for error in every)


def _example() -> dict[str, str]:
    """The variables of the example, as if nobody had commented them out."""
    lines = (line.removeprefix("# ") for line in generated_docs.env_example().splitlines())
    return parse_file("\n".join(line for line in lines if VARIABLE.match(line)))
