"""How gunicorn serves the web; `gunicorn -c python:paliapi.gunicorn_settings paliapi.wsgi`."""

from typing import Protocol

from prometheus_client import multiprocess, values

from paliapi import env

_ENV = env.load()

bind = f"[{_ENV.host}]:{_ENV.port}" if ":" in _ENV.host else f"{_ENV.host}:{_ENV.port}"
workers = _ENV.web_workers
worker_class = "paliapi.web_worker.PatientWorker"
# A stream of events has a thread for as long as it lasts; they are counted, and the other requests keep theirs.
threads = _ENV.web_threads + _ENV.web_streams
timeout = 120
# Two names of the longest kind, each byte written as three.
limit_request_line = 8190
graceful_timeout = 5
keepalive = 15
accesslog = None
errorlog = "-"
# A socket for remote control, in the home of whoever starts it, is one door too many.
control_socket_disable = True


class _Worker(Protocol):
    pid: int


def child_exit(server: object, worker: _Worker) -> None:  # noqa: ARG001 - gunicorn's names
    """Forget the gauges of a process that is gone."""
    if values.ValueClass.__name__ == "MmapedValue":
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
