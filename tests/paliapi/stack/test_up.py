"""`manage.py up`, from an empty folder to the printed commands, and what remains after every kind of end."""

import http.client
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from paliapi import env
from paliapi.configuration.values import parse_file
from paliapi.roles import DATABASE_LOGINS
from paliapi.stack import leftovers, processes
from paliapi.stack.home import Home
from paliapi.stack.listen import free_port, listen
from tests.environment import compiled_here, measured

# Settings of this machine, in the environment or in a file, must not affect these tests.
_NOT_SET = dict.fromkeys((*DATABASE_LOGINS, "REDIS_URL", "EMBEDDINGS_URL", "SECRET_KEY"), "")


@dataclass
class Up:
    """A running `manage.py up`."""

    home: Path
    port: int
    process: subprocess.Popen[bytes]
    output: Path

    def said(self) -> str:
        return self.output.read_text()

    def ready(self) -> bool:
        return "PaliAPI is ready." in self.said() and "Ctrl-C stops everything." in self.said()

    def children(self) -> list[int]:
        return [record.pid for path in Home(self.home).children_lists() for record in leftovers.read(path)]

    def environs(self) -> dict[str, str]:
        """Return the environment of each member and its descendants, by name."""
        records = [record for path in Home(self.home).children_lists() for record in leftovers.read(path)]
        return {record.name: "\n".join(_environs_of(record.pid)) for record in records}

    def get(self, path: str, *, key: str) -> httpx.Response:
        return httpx.get(f"http://localhost:{self.port}{path}", headers={"Authorization": f"Bearer {key}"}, timeout=30)


def _environ(home: Path, port: int) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": str(home.parent),
        **_NOT_SET,
        **measured(),
        **compiled_here(),
        "PALIAPI_MODE": "development",
        "PALIAPI_HOME": str(home),
        "PALIAPI_PORT": str(port),
        "ADMIN_PORT": str(free_port()),
        "WORKER_PROCESSES": "1",
        "PASSWORD_OF_ANOTHER_PROGRAM": "not-for-paliapi",
    }


def _environs_of(pid: int) -> Iterator[str]:
    yield Path(f"/proc/{pid}/environ").read_text().replace("\0", "\n")
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in file.read_text().split():
            yield from _environs_of(int(child))


@contextmanager
def _up(home: Path) -> Iterator[Up]:
    """Start the stack, wait until it is ready, and end it with SIGTERM if the test has not."""
    port = free_port()
    output = home.parent / f"output-{port}"
    with output.open("wb") as words:
        argv = [sys.executable, "manage.py", "up"]
        process = subprocess.Popen(argv, cwd=env.ROOT, env=_environ(home, port), stdout=words, stderr=words)
    up = Up(home, port, process, output)
    try:
        assert processes.wait_until(lambda: up.ready() or process.poll() is not None, within_s=180), up.said()
        assert process.poll() is None, up.said()
        yield up
    finally:
        process.terminate()
        process.wait(timeout=30)


def _paste(lines: str, *, key: str) -> list[httpx.Response]:
    """Run the printed curl commands as a shell would, with the key in a variable."""
    commands = re.findall(r"curl (?:.*\\\n)*.*", lines)
    return [_curl(shlex.split(command.replace("$KEY", key))[1:]) for command in commands]


def _curl(words: list[str]) -> httpx.Response:
    headers: dict[str, str] = {}
    fields: dict[str, str] = {}
    files: dict[str, Path] = {}
    body: str | None = None
    url = ""
    while words:
        word = words.pop(0)
        if word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        elif word == "-F":
            name, _, value = words.pop(0).partition("=")
            if value.startswith("@"):
                files[name] = Path(value[1:])
            else:
                fields[name] = value
        elif word == "-d":
            body = words.pop(0)
        else:
            url = word
    sent: dict[str, Any] = {"content": body} if body else {"data": fields}
    opened = {name: (path.name, path.read_bytes()) for name, path in files.items()}
    return httpx.post(url, headers=headers, files=opened or None, timeout=60, **sent)


@dataclass(frozen=True)
class FirstStart:
    """The output and files of the first start in a folder."""

    home: Path
    said: str
    key: str
    pasted: list[httpx.Response]
    admin: httpx.Response
    children: list[int]
    environs: dict[str, str]
    exit_code: int


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> FirstStart:
    home = tmp_path_factory.mktemp("up") / "a home"
    with _up(home) as up:
        said = up.said()
        assignment = re.search(r"KEY=(\$\(.*\))\n", said)
        assert assignment, said
        echo = ["/bin/sh", "-c", f"echo {assignment[1]}"]
        key = subprocess.run(echo, capture_output=True, text=True, check=True).stdout.strip()
        pasted = _paste(said, key=key)
        admin = httpx.get(f"http://localhost:{up.port}/admin/", follow_redirects=True)
        children, environs = up.children(), up.environs()
    return FirstStart(home, said, key, pasted, admin, children, environs, up.process.returncode)


def test_first_start_prints_the_urls(first_start: FirstStart) -> None:
    for place in ("/v1/", "/v1/docs", "/admin/"):
        assert re.search(rf"http://localhost:\d+{place}\n", first_start.said)


def test_first_start_warns_if_it_runs_as_root(first_start: FirstStart) -> None:
    assert ("Warning: this runs as root." in first_start.said) == (os.geteuid() == 0)


def test_first_credentials_are_in_a_private_file_and_not_in_redirected_output(first_start: FirstStart) -> None:
    file = Home(first_start.home).first_login
    saved = parse_file(file.read_text())
    assert (saved["API_KEY"], saved["ADMIN"]) == (first_start.key, "admin@localhost")
    assert file.stat().st_mode & 0o777 == 0o600
    assert str(file) in first_start.said
    assert saved["API_KEY"] not in first_start.said
    assert saved["PASSWORD"] not in first_start.said


def test_printed_commands_work(first_start: FirstStart) -> None:
    put, asked = first_start.pasted
    assert put.status_code == http.client.CREATED
    assert (put.json()["name"], put.json()["status"], put.json()["num_pages"]) == ("lighthouses", "ready", 3)
    assert [hit["document_name"] for hit in asked.json()["results"]] == ["lighthouses"] * 3


def test_admin_is_a_server_of_its_own_that_the_api_redirects_to(first_start: FirstStart) -> None:
    printed = re.search(r"Admin +(http://\S+/admin/)", first_start.said)
    assert printed
    assert str(first_start.admin.url) == f"{printed[1]}login/?next=/admin/"
    assert first_start.admin.status_code == http.client.OK
    assert "Log in" in first_start.admin.text


def test_key_is_in_no_other_file(first_start: FirstStart) -> None:
    secret = first_start.key.encode()
    files = [path for path in first_start.home.rglob("*") if path.is_file()]
    assert [path for path in files if secret in path.read_bytes()] == [Home(first_start.home).first_login]


def test_files_with_secrets_are_private(first_start: FirstStart) -> None:
    assert first_start.home.stat().st_mode & 0o077 == 0
    for name in ("secrets.env", "stack.env"):
        assert (first_start.home / name).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("secret", "holders"),
    [
        ("SECRET_KEY", {"web", "courier", "admin"}),
        ("API_KEY_PEPPER", {"web", "courier"}),
        ("DATABASE_OWNER_PASSWORD", set()),
        ("DATABASE_APP_PASSWORD", {"web"}),
        ("DATABASE_WORKER_PASSWORD", {"worker", "courier"}),
        ("DATABASE_STAFF_PASSWORD", {"admin"}),
        ("DATABASE_SIGN_IN_PASSWORD", {"web"}),
        ("REDIS_PASSWORD", {"web", "worker", "courier", "beat", "admin"}),
        ("EMBEDDINGS_URL_TOKEN", {"web", "worker", "embeddings"}),
    ],
)
def test_each_process_gets_only_the_secrets_it_needs(first_start: FirstStart, secret: str, holders: set[str]) -> None:
    value = parse_file((first_start.home / "secrets.env").read_text())[secret]
    assert {name for name, environ in first_start.environs.items() if value in environ} == holders


def test_variables_of_other_programs_reach_no_process(first_start: FirstStart) -> None:
    assert len(first_start.environs) == 8
    assert [name for name, environ in first_start.environs.items() if "not-for-paliapi" in environ] == []


def test_sigterm_ends_the_stack_and_its_children(first_start: FirstStart) -> None:
    assert first_start.exit_code == 0
    assert len(first_start.children) == 8
    assert [pid for pid in first_start.children if processes.alive(pid)] == []
    assert "was killed" not in first_start.said


def test_later_starts_work_also_after_a_kill(first_start: FirstStart) -> None:
    document = "/v1/documents/lighthouses/?collection_name=first-steps"
    with _up(first_start.home) as up:
        assert "API key" not in up.said()
        assert "manage.py create_api_key" in up.said()
        assert up.get(document, key=first_start.key).status_code == http.client.OK
        children = up.children()
        up.process.kill()
        up.process.wait()
        assert processes.wait_until(lambda: not any(processes.alive(pid) for pid in children), within_s=30)
    with _up(first_start.home) as up:
        assert up.get(document, key=first_start.key).status_code == http.client.OK
        _other_commands_find_the_stack(up)
        _a_second_one_is_refused(up)


def _other_commands_find_the_stack(up: Up) -> None:
    environ = _environ(up.home, up.port)
    answer = subprocess.run(
        [sys.executable, "manage.py", "create_api_key", "admin@localhost"],
        cwd=env.ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    key = re.search(r"pali_\w+", answer.stdout)
    assert key
    assert up.get("/v1/collections/", key=key[0]).status_code == http.client.OK


def _a_second_one_is_refused(up: Up) -> None:
    answer = _fails(_environ(up.home, free_port()))
    assert f"PaliAPI is already running in {up.home} (process {up.process.pid})." in answer


def _fails(environ: dict[str, str]) -> str:
    """Return the message of a start that fails."""
    answer = subprocess.run(
        [sys.executable, "manage.py", "up"], cwd=env.ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    return answer.stderr


def test_port_in_use_is_reported(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert _fails(_environ(tmp_path / "home", port)) == (
            f"PaliAPI cannot run. Port {port} is taken by another program: "
            "stop that one, or set PALIAPI_PORT to another port.\n"
        )
    assert not (tmp_path / "home" / "postgres").exists()


def test_invalid_settings_are_named(tmp_path: Path) -> None:
    said = _fails({**_environ(tmp_path / "home", free_port()), "PALIAPI_PORT": "many", "REDIS_URL": "http://nowhere"})
    assert "PALIAPI_PORT must be a whole number" in said
    assert "REDIS_URL must be a URL that begins with" in said
    assert "nowhere" not in said


def test_unreachable_external_database_is_reported(tmp_path: Path) -> None:
    url = f"postgresql://someone:hidden@127.0.0.1:{free_port()}/none"
    said = _fails({**_environ(tmp_path / "home", free_port()), "DATABASE_URL": url})
    assert "migrate failed" in said
    assert "hidden" not in said
    assert not (tmp_path / "home" / "postgres").exists()


def test_ctrl_c_during_the_start_leaves_nothing_running(tmp_path: Path) -> None:
    home = tmp_path / "home"
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up"], cwd=env.ROOT, env=_environ(home, free_port()), stdout=subprocess.DEVNULL
    )
    assert processes.wait_until((home / "postgres" / "postmaster.pid").exists, within_s=60)
    children = [record.pid for path in Home(home).children_lists() for record in leftovers.read(path)]
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    assert [pid for pid in children if processes.alive(pid)] == []
    assert not (home / "postgres" / "postmaster.pid").exists()
