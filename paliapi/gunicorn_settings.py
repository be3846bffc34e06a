"""Settings of gunicorn: `gunicorn -c python:paliapi.gunicorn_settings paliapi.wsgi`."""

import os
from typing import Protocol

from prometheus_client import multiprocess, values

from paliapi import derived_settings, env, parts
from paliapi.units import MEBIBYTE
from paliapi.web_server.limits import Limits

_ENV = env.load()

_IS_ADMIN = _ENV.part == parts.ADMIN
_HOST, _PORT = derived_settings.admin_bind(_ENV) if _IS_ADMIN else (_ENV.host, _ENV.port)
bind = f"[{_HOST}]:{_PORT}" if ":" in _HOST else f"{_HOST}:{_PORT}"
_SHARES_METRICS = values.ValueClass.__name__ == "MmapedValue"
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
workers = 1 if _IS_ADMIN else derived_settings.web_processes(_ENV, cores=_CORES, share_metrics=_SHARES_METRICS)
worker_class = "paliapi.web_server.worker.BufferingWorker"
# An event stream occupies a thread while it lasts, so streams have threads in addition to those for other requests.
threads = derived_settings.ADMIN_THREADS if _IS_ADMIN else _ENV.web_threads + _ENV.web_streams
timeout = 120
backlog = 4096
# Fits two names of maximum length, percent-encoded.
limit_request_line = 8190
graceful_timeout = 5
keepalive = 15
# Trust no header of a proxy: SCRIPT_NAME would move the admin to a path that the proxy leaves open, and
# Django reads X-Forwarded-Proto itself if TRUST_PROXY is set.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
header_map = "drop"
accesslog = None
errorlog = "-"
# Do not open a remote-control socket in the home of the user that starts gunicorn.
control_socket_disable = True


class _Worker(Protocol):
    pid: int
    limits: Limits


def post_fork(server: object, worker: _Worker) -> None:  # noqa: ARG001 - gunicorn's names
    """Set what clients of this process may take."""
    worker.limits = Limits(
        connections=_ENV.web_connections,
        peer_connections=None if _ENV.trust_proxy else _ENV.web_client_connections,
        bytes_per_s=_ENV.web_min_kb_s * 1000,
        max_body_bytes=_ENV.max_body_bytes,
        room_bytes=_ENV.web_buffer_mb * MEBIBYTE,
        folder=_ENV.home if _ENV.home.is_dir() else None,
    )


def child_exit(server: object, worker: _Worker) -> None:  # noqa: ARG001 - gunicorn's names
    """Drop the gauges of a process that has ended."""
    if _SHARES_METRICS:
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
