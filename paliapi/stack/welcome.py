"""The message printed when everything is ready."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from paliapi import derived_settings
from paliapi.env import ROOT, Env
from paliapi.stack.secret_store import write_private

SAMPLE = ROOT / "docs" / "sample" / "lighthouses.pdf"
_COLLECTION = "first-steps"
_QUERY = "How far is a light seen that stands 40 metres high?"


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """The credentials created by the first start, which are shown only then."""

    email: str
    password: str
    api_key: str
    sign_in_link: str  # to the console; works once and for a few minutes


def text(env: Env, admin: FirstAdmin | None, *, saved_at: Path | None = None, sign_in_link: str = "") -> str:
    """Return the URLs and commands to paste; on the first start, also the key and the password, or where they are.

    `sign_in_link` is that of a later start.
    """
    base = env.base_url
    lines = [
        "",
        "PaliAPI is ready.",
        "",
        f"  Console    {base}/",
        f"  API        {base}/v1/",
        f"  Swagger    {base}/v1/docs",
        *([f"  Admin      {derived_settings.admin_url(env)}/admin/"] if env.admin else []),
        f"  Data       {env.home}",
        "",
    ]
    if admin:
        lines += _first_start_with_a_file(base, saved_at) if saved_at else _first_start(base, admin)
    else:
        lines += _later_start(base, sign_in_link)
    return "\n".join(lines) + "\n"


def save(admin: FirstAdmin, path: Path) -> None:
    """Write the credentials to a file that only this account can read."""
    values = {"API_KEY": admin.api_key, "ADMIN": admin.email, "PASSWORD": admin.password}
    write_private(path, values, about="The first API key and the login of the admin. Delete this file.")


def _first_start(base: str, admin: FirstAdmin) -> list[str]:
    return [
        "These are shown only once:",
        "",
        f"  API key    {admin.api_key}",
        f"  Admin      {admin.email}  with the password  {admin.password}",
        "",
        "Sign in to the console with this link, once and within ten minutes; later, with the key or the password:",
        "",
        f"  {admin.sign_in_link}",
        "",
        "Upload a document, then search it:",
        "",
        *_curl(base, admin.api_key),
        "",
        "Ctrl-C stops everything.",
    ]


def _first_start_with_a_file(base: str, saved_at: Path) -> list[str]:
    return [
        "The first API key and the password of the admin are not printed, because this output is not a terminal.",
        "They are in this file; delete it when you have stored them:",
        "",
        f"  {saved_at}",
        "",
        "Upload a document, then search it:",
        "",
        f"  KEY=$(sed -n 's/^API_KEY=//p' {shlex.quote(str(saved_at))})",
        "",
        *_curl(base, "$KEY"),
        "",
        "Ctrl-C stops everything.",
    ]


def _later_start(base: str, sign_in_link: str) -> list[str]:
    if sign_in_link:
        about_link = "Sign in to the console with this link, once and within ten minutes:"
    else:
        about_link = "To get a link that signs a browser in to the console, once:"
    return [
        about_link,
        "",
        f"  {sign_in_link or '.venv/bin/python manage.py sign_in_link admin@localhost'}",
        "",
        "Your data and keys are unchanged. To create another key:",
        "",
        "  .venv/bin/python manage.py create_api_key admin@localhost",
        "",
        "With the key in the variable KEY:",
        "",
        *_curl(base, "$KEY"),
        "",
        "Ctrl-C stops everything.",
    ]


def _curl(base: str, key: str) -> list[str]:
    """Return commands to paste; the key is in double quotes, so that a variable works too."""
    bearer = f'-H "Authorization: Bearer {key}"'
    query = shlex.quote(f'{{"query": "{_QUERY}", "collection_name": "{_COLLECTION}", "top_k": 3}}')
    return [
        f"  curl {bearer} \\",
        f"    -F file=@{shlex.quote(str(SAMPLE))} -F name={SAMPLE.stem} \\",
        f"    -F collection_name={_COLLECTION} -F wait=true \\",
        f"    {base}/v1/documents/upsert-document/",
        "",
        f"  curl {bearer} -H 'Content-Type: application/json' \\",
        f"    -d {query} \\",
        f"    {base}/v1/search/",
    ]
