"""Reference pages generated from the code, so that they always agree with it."""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields
from functools import partial
from pathlib import Path
from typing import Any, cast

from django.apps import apps
from django.utils.module_loading import import_string

from paliapi.configuration.setting import Setting
from paliapi.env import ROOT, Env
from paliapi.http.problems import codes

# The first variable of each section.
SECTIONS = {
    "PALIAPI_MODE": "General",
    "SECRET_KEY": "Secrets",
    "DATABASE_URL": "Connections",
    "MEDIA_ROOT": "File storage",
    "MAX_UPLOAD_MB": "Limits per request",
    "FETCH_TIMEOUT_S": "Documents by URL",
    "MAX_WEBHOOKS": "Webhooks",
    "RATE_PER_MINUTE": "Limits per key and owner",
    "PALIAPI_FAILPOINT": "For tests only",
}


def env_example() -> str:
    """Return the text of `.env.example`: every variable with its meaning and default, commented out."""
    lines = [
        "# Copy this file to .env and uncomment what you want to change. `make run` needs none of it.",
        "# A secret can also be read from a file: SECRET_KEY_FILE=/run/secrets/secret_key.",
    ]
    for setting, default in _settings():
        if setting.name in SECTIONS:
            lines += ["", f"# --- {SECTIONS[setting.name]}"]
        lines += ["", f"# {setting.about}", f"# {setting.name}={default}"]
    return "\n".join(lines) + "\n"


def configuration() -> str:
    """Return the text of `docs/configuration.md`."""
    lines = [
        "# Configuration",
        "",
        "PaliAPI is configured only by environment variables. `make run` needs none: it generates its own secrets and",
        "starts its own Postgres, Redis and embeddings service. If a variable is set in several places, the first of",
        "these wins: the environment of the process, `.env`, `.env.dev`, and the file written by the embedded stack.",
        "",
        "A secret `NAME` can also be read from a file: set `NAME_FILE` to its path. All problems are reported in one",
        "message, which names the variables and never shows a value. With `PALIAPI_MODE=production`, the variables",
        "marked *needed* must be set.",
        "",
        "The embeddings service has its own variables; see [its page](../embeddings/README.md).",
    ]
    for setting, default in _settings():
        if setting.name in SECTIONS:
            lines += ["", f"## {SECTIONS[setting.name]}", "", "| Variable | Default | Meaning |", "|---|---|---|"]
        marks = [
            mark for mark, applies in (("secret", setting.secret), ("needed", setting.needed_in_production)) if applies
        ]
        about = setting.about + (f" *({', '.join(marks)})*" if marks else "")
        shown = "" if setting.example else default
        lines.append(f"| `{setting.name}` | {f'`{shown}`' if shown else ''} | {about} |")
    return "\n".join(lines) + "\n"


def errors() -> str:
    """Return the text of `docs/errors.md`."""
    lines = [
        "# Error codes",
        "",
        "Every error response is `application/problem+json` with a `code`. A code never changes its meaning; the text",
        "may. A running PaliAPI shows this list at `/v1/docs/errors`.",
        "",
        "Requests that got 429 or 503 may be repeated, after the number of seconds in `Retry-After` if it is present.",
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
    """Yield every variable with its default as written in a file, or with an example if it has no default."""
    for item in fields(Env):
        setting = cast(Setting, item.metadata["setting"])
        yield setting, setting.example or _default_text(item)


def _default_text(item: "Field[Any]") -> str:
    default = item.default
    if default is MISSING or default is None:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, Path):
        return str(default.relative_to(ROOT))
    if isinstance(default, frozenset):
        return ",".join(str(item) for item in sorted(default))
    return ",".join(default) if isinstance(default, tuple) else str(default)
