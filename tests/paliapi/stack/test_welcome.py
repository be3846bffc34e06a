"""The message printed when everything is ready."""

import runpy
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]

from paliapi import env
from paliapi.stack.welcome import SAMPLE, FirstAdmin, text

_ADMIN = FirstAdmin("admin@localhost", "a password", "pali_key", "https://pali.example.com/sign-in/link/?token=1.x")
_ENV = env.read(
    {
        "SECRET_KEY": "x" * 32,
        "API_KEY_PEPPERS": "1:" + "x" * 32,
        "DATABASE_URL": "postgresql://somewhere/paliapi",
        "REDIS_URL": "redis://somewhere",
        "EMBEDDINGS_URL": "http://somewhere",
        "PUBLIC_URL": "https://pali.example.com/",
    }
)


def test_commands_use_the_public_url() -> None:
    message = text(_ENV, _ADMIN)
    assert '-H "Authorization: Bearer pali_key"' in message
    assert " https://pali.example.com/v1/search/\n" in message
    assert "  Console    https://pali.example.com/\n" in message
    assert "\n  https://pali.example.com/sign-in/link/?token=1.x\n" in message


def test_saved_credentials_are_not_shown(tmp_path: Path) -> None:
    message = text(_ENV, _ADMIN, saved_at=tmp_path / "first login")
    assert "pali_key" not in message
    assert "a password" not in message
    assert "token=" not in message
    assert f"\n  {tmp_path}/first login\n" in message
    assert '"Authorization: Bearer $KEY"' in message


def test_later_start_shows_no_key() -> None:
    message = text(_ENV, None)
    assert "API key " not in message
    assert "manage.py sign_in_link admin@localhost" in message
    assert f"\n  {_ADMIN.sign_in_link}\n" in text(_ENV, None, sign_in_link=_ADMIN.sign_in_link)
    assert '"Authorization: Bearer $KEY"' in message


def test_sample_has_three_pages_and_answers_the_query() -> None:
    with pypdfium2.PdfDocument(SAMPLE) as document:
        pages = [document[number].get_textpage().get_text_range() for number in range(len(document))]
    assert len(pages) == 3
    assert all(len(page) > 500 for page in pages)
    assert "17.4 nautical miles" in pages[2]


def test_sample_is_the_output_of_its_script() -> None:
    script = runpy.run_path(str(SAMPLE.with_name("make_lighthouses.py")))
    assert script["document"]() == SAMPLE.read_bytes()
