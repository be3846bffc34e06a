"""Where variables come from, and the only reader of `os.environ`.

If several sources have a name, the first of these wins: the process environment, `.env`, `.env.dev`, and `stack.env` in
PALIAPI_HOME, which the embedded stack writes so that other commands find it.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from paliapi.configuration.values import parse_file, path


def gather(environ: Mapping[str, str], *, root: Path) -> dict[str, str]:
    """Return the variables of all sources."""
    user = user_variables(environ, root=root)
    # An empty variable overrides what a file says, but does not hide a running stack.
    stack = _read_file(home_path(user, root=root) / "stack.env")
    return {**stack, **{name: value for name, value in user.items() if value}}


def user_variables(environ: Mapping[str, str], *, root: Path) -> dict[str, str]:
    """Return the variables that people have set: those of every source but the embedded stack."""
    return {**_read_file(root / ".env.dev"), **_read_file(root / ".env"), **environ}


def home_path(values: Mapping[str, str], *, root: Path) -> Path:
    """Return PALIAPI_HOME, where the embedded stack writes its variables."""
    return path(values["PALIAPI_HOME"]) if values.get("PALIAPI_HOME") else root / ".paliapi"


def process_environ() -> dict[str, str]:
    """Return a copy of this process's environment."""
    return dict(os.environ)


def _read_file(path: Path) -> dict[str, str]:
    try:
        return parse_file(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return {}
