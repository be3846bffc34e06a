"""The stack under attack, with two tenants: a victim and an attacker."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.harness.sample_pdf import lines
from benchmarks.harness.stack import Stack, running
from benchmarks.harness.uploads import until_ready, upload
from paliapi import env
from paliapi.stack.listen import free_port

VICTIM, ATTACKER = "victim@example.com", "attacker@example.com"


# The limits of a default installation, which benchmarks raise.
_SETTINGS = {
    "ADMIN": "on",
    "RATE_PER_MINUTE": "600",
    "RATE_BURST": "120",
    "MAX_CONCURRENT_UPLOADS": "4",
    "MAX_CONCURRENT_SEARCHES": "8",
}


class Broken(Exception):
    """The attack succeeded; the message says how."""


@dataclass(frozen=True)
class Attack:
    """One attack: what it was able to do before it was defended against, and how it is tried."""

    name: str
    before: str
    run: "Callable[[Scene], str]"


@dataclass(frozen=True)
class Scene:
    """A running stack and the keys of two tenants."""

    stack: Stack
    victim: str
    attacker: str

    @property
    def output(self) -> str:
        """What `manage.py up` wrote to a file instead of a terminal."""
        return (self.stack.home.path.parent / "output").read_text()

    @property
    def admin_url(self) -> str:
        match = re.search(r"Admin +(http\S+?)/admin/", self.output)
        return match[1] if match else self.stack.url

    def client(self, key: str, *, timeout_s: float = 60.0) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.stack.url, headers=headers, timeout=timeout_s, trust_env=False)

    def manage(self, *command: str, **environ: str) -> str:
        """Run a `manage.py` command and return its output."""
        argv = [sys.executable, "manage.py", *command]
        variables = {"PATH": os.defpath, "PALIAPI_HOME": str(self.stack.home.path), **environ}
        done = subprocess.run(argv, cwd=env.ROOT, env=variables, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        return done.stdout

    def answers(self, *, within_s: float) -> None:
        """Check that the server answers others in time: `/livez`, and an authenticated request."""
        for path in ("/livez", "/v1/me/"):
            begun = time.monotonic()
            try:
                with self.client(self.victim, timeout_s=within_s) as victim:
                    status = victim.get(path).status_code
            except httpx.HTTPError as error:
                raise Broken(f"{path}: {type(error).__name__} after {time.monotonic() - begun:.0f} s") from error
            if status != 200:
                raise Broken(f"{path}: {status} after {time.monotonic() - begun:.0f} s")


def refused(response: httpx.Response, *, at_most_bytes: int = 100_000) -> str:
    """Describe a refusal; raise Broken if the request succeeded, or the refusal is large."""
    if response.status_code < 400 or response.status_code == 500:
        raise Broken(f"answered with {response.status_code}")
    if len(response.content) > at_most_bytes:
        raise Broken(f"{response.status_code} with {len(response.content):,} bytes")
    return f"{response.status_code} `{code_of(response)}`"


def code_of(response: httpx.Response) -> str:
    try:
        body: Any = response.json()
    except ValueError:
        return ""
    return str(body.get("code", "")) if isinstance(body, dict) else ""


@contextmanager
def prepared(folder: Path) -> Iterator[Scene]:
    """Start a stack with a document of the victim."""
    with running(folder, **_SETTINGS, ADMIN_PORT=str(free_port())) as stack:
        bare = Scene(stack, "", "")
        scene = Scene(stack, *(_tenant(bare, email) for email in (VICTIM, ATTACKER)))
        for key in (scene.victim, scene.attacker):
            with scene.client(key) as client:
                upload(client, "report.pdf", lines(["How far is a light seen that stands 40 metres high?"]))
                until_ready(client, "report.pdf", within_s=120)
        yield scene


def _tenant(scene: Scene, email: str) -> str:
    match = re.search(r"pali_\w+", scene.manage("create_user", "--print-key", email))
    if match is None:
        raise SystemExit("create_user printed no key.")
    return match[0]
