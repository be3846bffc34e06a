"""The pages of reference that are written from the code, so that they cannot be wrong about it."""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields
from functools import partial
from pathlib import Path
from typing import Any, cast

from django.apps import apps
from django.utils.module_loading import import_string

from paliapi.env import ROOT, Env, Setting
from paliapi.http.problems import codes

# The first variable of each part.
SECTIONS = {
    "PALIAPI_MODE": "How it runs",
    "SECRET_KEY": "Secrets",
    "DATABASE_URL": "What it talks to",
    "MEDIA_ROOT": "Where files lie",
    "MAX_UPLOAD_MB": "Limits of one request",
    "FETCH_TIMEOUT_S": "Documents by URL",
    "MAX_WEBHOOKS": "Webhooks",
    "RATE_PER_MINUTE": "Limits of one key and one owner",
    "PALIAPI_FAILPOINT": "Only for tests",
}


def env_example() -> str:
    """`.env.example`: every variable with what it means and its default, all of them commented out."""
    lines = [
        "# Copy this file to .env and take the # away from what you want to change. `make run` needs none of it.",
        "# A secret can also come from a file: SECRET_KEY_FILE=/run/secrets/secret_key.",
    ]
    for setting, default in _settings():
        if setting.name in SECTIONS:
            lines += ["", f"# --- {SECTIONS[setting.name]}"]
        lines += ["", f"# {setting.about}", f"# {setting.name}={default}"]
    return "\n".join(lines) + "\n"


def configuration() -> str:
    """`docs/configuration.md`."""
    lines = [
        "# Configuration",
        "",
        "PaliAPI is configured by environment variables alone. `make run` needs none: it makes its own secrets and",
        "starts its own Postgres, Redis and embeddings service. Where a variable is looked for, the first place wins:",
        "the environment of the process, `.env`, `.env.dev`, and what the embedded stack has written for itself.",
        "",
        "A secret `NAME` can also come from a file: set `NAME_FILE` to its path. Everything that is wrong is told in",
        "one message, which names the variables and never shows a value. With `PALIAPI_MODE=production` the variables",
        "marked *needed* must be set.",
        "",
        "The embeddings service has variables of its own, see [its page](../embeddings/README.md).",
    ]
    for setting, default in _settings():
        if setting.name in SECTIONS:
            lines += ["", f"## {SECTIONS[setting.name]}", "", "| Variable | Default | What it is |", "|---|---|---|"]
        marks = [word for word, on in (("secret", setting.secret), ("needed", setting.needed_in_production)) if on]
        about = setting.about + (f" *({', '.join(marks)})*" if marks else "")
        shown = "" if setting.example else default
        lines.append(f"| `{setting.name}` | {f'`{shown}`' if shown else ''} | {about} |")
    return "\n".join(lines) + "\n"


def errors() -> str:
    """`docs/errors.md`."""
    lines = [
        "# Error codes",
        "",
        "Every failure is `application/problem+json` with a `code`. A code never changes its meaning; the text may.",
        "A running PaliAPI shows this list at `/v1/docs/errors`.",
        "",
        "429 and 503 may be tried again, after the seconds that `Retry-After` says where it is there.",
        "",
        "| Code | Status | Meaning |",
        "|---|---|---|",
    ]
    lines += [f"| `{code}` | {status} | {title} |" for code, status, title in codes()]
    return "\n".join(lines) + "\n"


FILES: dict[Path, Callable[[], str]] = {
    ROOT / ".env.example": env_example,
    ROOT / "docs" / "configuration.md": configuration,
    ROOT / "docs" / "errors.md": errors,
}


def pages() -> dict[Path, Callable[[], str]]:
    """Return every generated page, including those of the applications.

    An application lists its own in `AppConfig.generated_docs`: the path of each page and the dotted name of a function
    that turns its current text into the new one.
    """
    contributed = {
        ROOT / path: partial(_update, ROOT / path, function)
        for application in apps.get_app_configs()
        for path, function in getattr(application, "generated_docs", {}).items()
    }
    return FILES | contributed


def _update(path: Path, function: str) -> str:
    return str(import_string(function)(path.read_text(encoding="utf-8")))


def _settings() -> Iterator[tuple[Setting, str]]:
    """Every variable with its default as one would write it, or an example where there is no default."""
    for item in fields(Env):
        setting = cast(Setting, item.metadata["setting"])
        yield setting, setting.example or _written(item)


def _written(item: "Field[Any]") -> str:
    default = item.default
    if default is MISSING or default is None:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, Path):
        return str(default.relative_to(ROOT))
    if isinstance(default, frozenset):
        return ",".join(str(one) for one in sorted(default))
    return ",".join(default) if isinstance(default, tuple) else str(default)
