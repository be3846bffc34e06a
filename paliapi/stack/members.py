"""The services of a stack: the command and the tier of each."""

import signal
import socket
import sys

from paliapi import env
from paliapi.configuration.sources import process_environ
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


def of_embeddings(home: Home, plan: Plan) -> Service:
    changes = {
        "COLPALI_API_KEY": plan.settings["EMBEDDINGS_URL_TOKEN"],
        "COLPALI_HOST": "127.0.0.1",
        "COLPALI_PORT": str(plan.embeddings_port),
    }
    if "COLPALI_BACKEND" not in plan.settings:
        changes["COLPALI_BACKEND"] = "embedded"
    command = python(home, plan, "embeddings", "-m", "embeddings", changes=changes)
    return Service(name="embeddings", tier=_EMBEDDINGS, stop_within_s=1.5, command=lambda: command)


def of_worker(home: Home, plan: Plan) -> Service:
    """Return the worker that processes documents."""
    return _celery_worker(home, plan, "worker", queue="celery", processes=plan.env.worker_processes)


def of_courier(home: Home, plan: Plan) -> Service:
    """Return the worker that sends webhooks, separate so that slow receivers delay no documents."""
    return _celery_worker(home, plan, "courier", queue="webhooks", processes=1)


def _celery_worker(home: Home, plan: Plan, name: str, *, queue: str, processes: int) -> Service:
    arguments = ("-m", "celery", "-A", "paliapi.celery", "worker", "--queues", queue, "--concurrency", str(processes))
    flags = ("--hostname", f"{name}@paliapi", "--without-gossip", "--without-mingle", "--loglevel", plan.env.log_level)
    command = python(home, plan, name, *arguments, *flags, changes={"PROMETHEUS_MULTIPROC_DIR": str(home.metrics)})
    return Service(name=name, tier=_APPLICATION, stop_within_s=5, command=lambda: command)


def of_beat(home: Home, plan: Plan) -> Service:
    schedule = str(home.run / "beat-schedule")
    arguments = ("-m", "celery", "-A", "paliapi.celery", "beat", "--schedule", schedule, "--pidfile=")
    command = python(home, plan, "beat", *arguments, "--loglevel", plan.env.log_level)
    return Service(name="beat", tier=_APPLICATION, stop_within_s=5, command=lambda: command)


def of_web(home: Home, plan: Plan, listener: socket.socket) -> Service:
    arguments = (
        "-m",
        "gunicorn",
        "--config",
        "python:paliapi.gunicorn_settings",
        "--bind",
        f"fd://{listener.fileno()}",
    )
    changes = {"PROMETHEUS_MULTIPROC_DIR": str(home.metrics)}
    command = python(home, plan, "web", *arguments, "paliapi.wsgi", changes=changes, inherit=listener)
    return Service(name="web", tier=_APPLICATION, stop_within_s=5, command=lambda: command)


def python(
    home: Home,
    plan: Plan,
    name: str,
    *argv: str,
    changes: dict[str, str] | None = None,
    inherit: socket.socket | None = None,
) -> Command:
    """Return a command that runs this Python with these arguments, under the settings of the plan."""
    own = {"PALIAPI_HOME": str(home.path), "PYTHONUNBUFFERED": "1"}
    environ = {**process_environ(), **plan.settings, **own}
    return Command(
        name=name,
        argv=(sys.executable, *argv),
        environ={**environ, **(changes or {})},
        cwd=env.ROOT,
        stop_signal=signal.SIGTERM,
        spawn_options={"pass_fds": (inherit.fileno(),)} if inherit else {},
    )
