"""The settings of production, in a separate process."""

import subprocess
import sys

import pytest

from paliapi.env import ROOT
from tests.environment import ENVIRONMENT, measured

PRODUCTION = {
    **ENVIRONMENT,
    "PALIAPI_MODE": "production",
    "PUBLIC_URL": "https://pali.example.com",
    "ALLOWED_HOSTS": "pali.example.com",
    "SECRET_KEY": "a-key-of-production-with-more-than-fifty-characters-0123456789",
    "TRUST_PROXY": "true",
}


def manage(*words: str, **values: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **measured(), **PRODUCTION, **values},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("part", ["", "web", "admin"])
def test_django_deployment_check_passes_in_production(part: str) -> None:
    checked = manage("check", "--deploy", "--fail-level", "WARNING", PALIAPI_PART=part)
    assert checked.returncode == 0, checked.stderr


def test_cookies_are_secure_if_the_public_url_is_https() -> None:
    output = manage(
        "shell",
        "--no-imports",
        "-c",
        "from django.conf import settings as s; print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, "
        "s.SESSION_COOKIE_NAME, s.SECURE_HSTS_SECONDS > 0, s.DEBUG)",
        PALIAPI_PART="admin",
    )
    assert output.stdout.split() == ["True", "True", "__Host-session", "True", "False"], output.stderr


def test_missing_setting_is_reported_without_values() -> None:
    failed = manage("check", SECRET_KEY="too-short", EMBEDDINGS_URL="")
    assert failed.returncode != 0
    assert "SECRET_KEY must have at least 32 characters." in failed.stderr
    assert "EMBEDDINGS_URL is not set" in failed.stderr
    assert "too-short" not in failed.stderr
