"""The services of a stack: the command and the tier of each."""

import signal
import socket
import sys

from paliapi import env, parts
from paliapi.stack import environment
from paliapi.stack.child import Command
from paliapi.stack.home import Home
from paliapi.stack.plan import Plan
from paliapi.stack.postgres import Postgres
from paliapi.stack.redis import Redis
from paliapi.stack.supervisor import Service

_DATA, _EMBEDDINGS, _APPLICATION = 0, 1, 2


def of_postgres(postgres: Postgres) -> Service:
    return Service(name="postgres", tier=_DATA, stop_within_s=2.5, command=postgres.command, prepare=postgres.prepare)


def of_redis(redis: Redis) -> Service:
    return Service(name="redis", tier=_DATA, stop_within_s=2.5, command=redis.command, prepare=redis.prepare)


def of_embeddings(plan: Plan) -> Service:
    environ = {
        "COLPALI_BACKEND": "embedded",
        **environment.of_embeddings(plan.settings),
        "COLPALI_API_KEY": plan.settings["EMBEDDINGS_URL_TOKEN"],
        "COLPALI_HOST": "127.0.0.1",
        "COLPALI_PORT": str(plan.embeddings_port),
        "PYTHONUNBUFFERED": "1",
    }
    argv = (sys.executable, "-m", "embeddings")
    command = Command(name="embeddings", argv=argv, environ=environ, cwd=env.ROOT)
    return Service(name="embeddings", tier=_EMBEDDINGS, stop_within_s=1.5, command=lambda: command)


def of_worker(home: Home, plan: Plan) -> Service:
    """Return the worker that processes documents."""
    return _celery_worker(home, plan, parts.WORKER, queue="celery", processes=plan.env.worker_processes)


def of_courier(home: Home, plan: Plan) -> Service:
    """Return the worker that sends webhooks, separate so that slow receivers delay no documents."""
    return _celery_worker(home, plan, parts.COURIER, queue="webhooks", processes=1)


def _celery_worker(home: Home, plan: Plan, part: str, *, queue: str, processes: int) -> Service:
    arguments = ("-m", "celery", "-A", "paliapi.celery", "worker", "--queues", queue, "--concurrency", str(processes))
    flags = ("--hostname", f"{part}@paliapi", "--without-gossip", "--without-mingle", "--loglevel", plan.env.log_level)
    command = _python(home, plan, part, *arguments, *flags, changes={"PROMETHEUS_MULTIPROC_DIR": str(home.metrics)})
    return Service(name=part, tier=_APPLICATION, stop_within_s=5, command=lambda: command)


def of_beat(home: Home, plan: Plan) -> Service:
    schedule = str(home.run / "beat-schedule")
    arguments = ("-m", "celery", "-A", "paliapi.celery", "beat", "--schedule", schedule, "--pidfile=")
    command = _python(home, plan, parts.BEAT, *arguments, "--loglevel", plan.env.log_level)
    return Service(name=parts.BEAT, tier=_APPLICATION, stop_within_s=5, command=lambda: command)


def of_web(home: Home, plan: Plan, listener: socket.socket) -> Service:
    """Return the web server of the API."""
    return _gunicorn(home, plan, parts.WEB, listener)


def of_admin(home: Home, plan: Plan, listener: socket.socket) -> Service:
    """Return the admin, a web server with a database login of its own."""
    return _gunicorn(home, plan, parts.ADMIN, listener)


def _gunicorn(home: Home, plan: Plan, part: str, listener: socket.socket) -> Service:
    settings = ("--config", "python:paliapi.gunicorn_settings", "--bind", f"fd://{listener.fileno()}")
    changes = {"PROMETHEUS_MULTIPROC_DIR": str(home.metrics)}
    command = _python(home, plan, part, "-m", "gunicorn", *settings, "paliapi.wsgi", changes=changes, inherit=listener)
    return Service(name=part, tier=_APPLICATION, stop_within_s=5, command=lambda: command)


def of_administration(home: Home, plan: Plan, name: str, *arguments: str) -> Command:
    """Return the command of `manage.py` with this name, which gets every setting."""
    return _python(home, plan, "", "manage.py", name, *arguments, name=name)


def _python(
    home: Home,
    plan: Plan,
    part: str,
    *argv: str,
    name: str = "",
    changes: dict[str, str] | None = None,
    inherit: socket.socket | None = None,
) -> Command:
    """Return a command that runs this Python with these arguments, as the part of this name."""
    own = {"PALIAPI_HOME": str(home.path), "PYTHONUNBUFFERED": "1"}
    return Command(
        name=name or part,
        argv=(sys.executable, *argv),
        environ={**environment.of_part(plan.settings, part), **own, **(changes or {})},
        cwd=env.ROOT,
        stop_signal=signal.SIGTERM,
        spawn_options={"pass_fds": (inherit.fileno(),)} if inherit else {},
    )
