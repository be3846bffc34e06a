"""A Postgres, Redis and embeddings service of a benchmark, in a folder that is deleted afterwards unless it is kept."""

import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx

from paliapi import env, parts
from paliapi.configuration.sources import process_environ
from paliapi.roles import DATABASE_LOGINS
from paliapi.stack import processes
from paliapi.stack.child import Child, Command
from paliapi.stack.home import Home, open_home
from paliapi.stack.listen import free_port
from paliapi.stack.postgres import SUPERUSER, start_postgres
from paliapi.stack.redis import start_redis

Model = Literal["questions", "embedded"]
FOLDER = env.ROOT / ".tools" / "bench"


class ProgramFailed(Exception):
    """A child program failed; its output says why."""


@dataclass(frozen=True, slots=True)
class Household:
    """The running services, and the environment in which our programs find them."""

    home: Home
    environ: Mapping[str, str]
    superuser_url: str = ""

    def start(self, name: str, *argv: str, **changes: str) -> Child:
        """Start Python with these arguments in the background."""
        command = Command(name=name, argv=(sys.executable, *argv), environ={**self.environ, **changes}, cwd=env.ROOT)
        return Child(command, log=self.home.logs / f"{name}.log")

    def run(self, *argv: str, within_s: float = 3600) -> str:
        """Run Python with these arguments and return its output."""
        done = subprocess.run(
            [sys.executable, *argv],
            cwd=env.ROOT,
            env=dict(self.environ),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            timeout=within_s,
        )
        if done.returncode:
            raise ProgramFailed(f"{' '.join(argv)} exited with {done.returncode}.")
        return done.stdout

    @contextmanager
    def talk(self, *argv: str) -> Iterator[Callable[[str], str]]:
        """Run Python with these arguments; yield a function that sends a line and returns the line that follows."""
        with subprocess.Popen(
            [sys.executable, *argv],
            cwd=env.ROOT,
            env=dict(self.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        ) as program:
            to, back = program.stdin, program.stdout
            if to is None or back is None:
                raise AssertionError("Both pipes were requested.")

            def ask(line: str) -> str:
                to.write(f"{line}\n")
                answer = back.readline()
                if not answer:
                    raise ProgramFailed(f"{' '.join(argv)} has exited.")
                return answer

            yield ask


@contextmanager
def household(
    settings: Mapping[str, str] | None = None, *, model: Model = "questions", kept: Path | None = None
) -> Iterator[Household]:
    """Start everything except the web server and workers, with the tables created, in a new folder or a kept one."""
    # Leave nothing running when terminated.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    FOLDER.mkdir(parents=True, exist_ok=True)
    folder = kept or Path(tempfile.mkdtemp(prefix="home-", dir=FOLDER))
    with ExitStack() as ending:
        if not kept:
            ending.callback(shutil.rmtree, folder, ignore_errors=True)
        home = open_home(folder)
        ending.callback(home.remove_short_names)
        postgres = ending.enter_context(start_postgres(home))
        redis, child = start_redis(home, password=secrets.token_urlsafe(16))
        ending.callback(child.stop, within_s=5)
        port = free_port()
        environ = {
            **{name: value for name, value in process_environ().items() if name in ("PATH", "HOME", "LANG")},
            "DJANGO_SETTINGS_MODULE": "paliapi.settings",
            "PALIAPI_HOME": str(folder),
            "LOG_LEVEL": "WARNING",
            "SECRET_KEY": secrets.token_urlsafe(36),
            "API_KEY_PEPPERS": f"1:{secrets.token_urlsafe(36)}",
            **{name: postgres.url_for(role) for name, role in DATABASE_LOGINS.items()},
            "REDIS_URL": redis.url,
            "EMBEDDINGS_URL": f"http://127.0.0.1:{port}",
            **(settings or {}),
        }
        services = Household(home, environ, postgres.postgres.url_for(SUPERUSER))
        service = _embeddings(services, model, port)
        ending.callback(service.stop, within_s=5)
        services.run("manage.py", "migrate", "--noinput", "-v", "0")
        wait_until_it_answers(f"http://127.0.0.1:{port}/ready", service)
        yield services


@dataclass(frozen=True, slots=True)
class Running:
    """A web server with its worker; the processes by name."""

    port: int
    programs: Mapping[str, int]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def served(house: Household) -> Iterator[Running]:
    """Start the web server and a worker, as the stack does."""
    port = free_port()
    gunicorn = ("-m", "gunicorn", "-c", "python:paliapi.gunicorn_settings", "paliapi.wsgi")
    celery = ("-m", "celery", "-A", "paliapi.celery", "worker", "--concurrency", "2", "--loglevel", "WARNING")
    with ExitStack() as ending:
        web = house.start("web", *gunicorn, PALIAPI_PART=parts.WEB, PALIAPI_PORT=str(port))
        ending.callback(web.stop, within_s=10)
        worker = house.start("worker", *celery, "--without-gossip", "--without-mingle", PALIAPI_PART=parts.WORKER)
        ending.callback(worker.stop, within_s=10)
        wait_until_it_answers(f"http://127.0.0.1:{port}/livez", web)
        yield Running(port, {"web": web.pid, "worker": worker.pid})


def _embeddings(house: Household, model: Model, port: int) -> Child:
    """Start the service with the known vectors, or with the built-in model."""
    if model == "questions":
        return house.start("embeddings", "-m", "benchmarks.search.query_service", str(port))
    changes = {"COLPALI_BACKEND": model, "COLPALI_PORT": str(port), "COLPALI_AUTH": "none"}
    return house.start("embeddings", "-m", "embeddings", **changes)


def wait_until_it_answers(url: str, child: Child, *, within_s: float = 120) -> None:
    """Wait until a GET succeeds."""

    def answers() -> bool:
        try:
            return httpx.get(url, timeout=5).is_success
        except httpx.TransportError:
            return False

    if not processes.wait_until(lambda: child.exit_code() is not None or answers(), within_s=within_s):
        raise SystemExit(f"{child.name} did not become ready.")
    if child.exit_code() is not None:
        raise SystemExit(f"{child.name} exited: {child.reason()}")
