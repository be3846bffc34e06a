"""What is printed when everything is ready."""

import shlex
from dataclasses import dataclass

from paliapi.env import ROOT, Env

SAMPLE = ROOT / "docs" / "sample" / "lighthouses.pdf"
_COLLECTION = "first-steps"
_QUESTION = "How far is a light seen that stands 40 metres high?"


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """Who may come in after the first start; the only time these are shown."""

    email: str
    password: str
    api_key: str


def text(env: Env, admin: FirstAdmin | None) -> str:
    """The URLs; on the first start the key, the password, and lines to paste."""
    base = env.base_url
    lines = [
        "",
        "PaliAPI is ready.",
        "",
        f"  API        {base}/v1/",
        f"  Swagger    {base}/v1/docs",
        f"  Admin      {base}/admin/",
        f"  Data       {env.home}",
        "",
    ]
    return "\n".join(lines + (_first(base, admin) if admin else _again(base))) + "\n"


def _first(base: str, admin: FirstAdmin) -> list[str]:
    return [
        "These are shown only once:",
        "",
        f"  API key    {admin.api_key}",
        f"  Admin      {admin.email}  with the password  {admin.password}",
        "",
        "Put a document in, then ask about it:",
        "",
        *_curl(base, admin.api_key),
        "",
        "Ctrl-C stops everything.",
    ]


def _again(base: str) -> list[str]:
    return [
        "Your data and keys are as you left them. For another key:",
        "",
        "  .venv/bin/python manage.py create_api_key admin@localhost",
        "",
        "With the key in KEY:",
        "",
        *_curl(base, "$KEY"),
        "",
        "Ctrl-C stops everything.",
    ]


def _curl(base: str, key: str) -> list[str]:
    """Lines to paste; the key stands in double quotes, so a variable works too."""
    bearer = f'-H "Authorization: Bearer {key}"'
    question = shlex.quote(f'{{"query": "{_QUESTION}", "collection_name": "{_COLLECTION}", "top_k": 3}}')
    return [
        f"  curl {bearer} \\",
        f"    -F file=@{shlex.quote(str(SAMPLE))} -F name={SAMPLE.stem} \\",
        f"    -F collection_name={_COLLECTION} -F wait=true \\",
        f"    {base}/v1/documents/upsert-document/",
        "",
        f"  curl {bearer} -H 'Content-Type: application/json' \\",
        f"    -d {question} \\",
        f"    {base}/v1/search/",
    ]
