"""Celery tasks, and the functions that send them.

Each task calls one operation. A message may be lost without harm: the rows say what is to be done.
"""

import time

import structlog
from celery.signals import worker_ready
from django.conf import settings
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from accounts import key_lifecycle
from accounts.redis_counters import limiter
from collections_app.engine.rendering import confinement
from collections_app.evaluations import worker as evaluations
from collections_app.ingest import leases, outlook, worker
from collections_app.search import compare_with_exact, delete_old_recall
from collections_app.storage import housekeeping
from collections_app.webhooks import courier, deliveries
from paliapi.celery import app

log = structlog.get_logger(__name__)

_PROCESS = "collections_app.process_next"
_SEND = "collections_app.send_webhooks"
_COMPARE = "collections_app.compare_search"
_EVALUATE = "collections_app.run_evaluations"
# A request waits while a message is sent, and the sweeper makes up for messages that were lost.
_FAIL_FAST = {"max_retries": 0, "socket_timeout": 1, "socket_connect_timeout": 1}
_NUDGE_EXPIRES_S = 60
_QUEUE_LENGTH = "return {redis.call('LLEN', KEYS[1])}"
_ENOUGH_MESSAGES = 20
_SAMPLE_EXPIRES_S = 300
_REPORT_EVERY_S = 10.0


@worker_ready.connect
def _report_walls(**_kwargs: object) -> None:
    """Log which walls stand around the processes that open files."""
    walls = confinement.standing_walls()
    write = log.warning if walls.missing() else log.info
    write("sandbox", required=settings.ENV.render_sandbox == "required", **walls.to_dict())


def nudge(count: int = 1) -> None:
    """Wake up to `count` workers. The message names no document: a worker claims whichever is next.

    If many messages wait already, another one would make no difference.
    """
    waiting = limiter().run_script(_QUEUE_LENGTH, keys=["celery"], arguments=[])
    if waiting is None or waiting[0] < _ENOUGH_MESSAGES:
        _send(_PROCESS, count=count, expires_s=_NUDGE_EXPIRES_S)


def nudge_courier() -> None:
    """Wake the courier, because there may be webhooks to send."""
    _send(_SEND, expires_s=_NUDGE_EXPIRES_S)


def nudge_evaluations() -> None:
    """Wake a worker, because there may be an evaluation to run."""
    _send(_EVALUATE, expires_s=_NUDGE_EXPIRES_S)


def schedule_comparison(sample: str) -> None:
    """Have a worker run a search again, exactly, when it is idle."""
    _send(_COMPARE, [sample], expires_s=_SAMPLE_EXPIRES_S)


def _send(name: str, args: list[str] | None = None, *, count: int = 1, expires_s: int) -> None:
    try:
        with app.connection_for_write(transport_options=_FAIL_FAST) as connection:
            for _ in range(count):
                app.send_task(name, args, connection=connection, retry=False, expires=expires_s)
    except (KombuError, RedisError, OSError) as error:
        log.warning("message_lost", task=name, error=type(error).__name__)


@app.task(name=_PROCESS)
def process_next() -> None:
    reported_at = began = time.monotonic()

    def meanwhile() -> None:
        nonlocal reported_at
        _wake_courier_if_needed()
        if time.monotonic() > reported_at + _REPORT_EVERY_S:
            reported_at = time.monotonic()
            _log_progress()

    more = worker.run(meanwhile=meanwhile)
    _wake_courier_if_needed()
    if more:
        nudge()
    elif reported_at > began:
        _log_progress()


def _wake_courier_if_needed() -> None:
    if deliveries.any_due():
        nudge_courier()


def _log_progress() -> None:
    """Log how much is left, which `manage.py up` shows at the terminal."""
    left = outlook.of_everyone()
    log.info(
        "progress",
        documents_left=left.documents,
        pages_left=left.pages,
        pages_per_s=left.pages_per_s and round(left.pages_per_s, 1),
        seconds_left=left.seconds and round(left.seconds),
    )


@app.task(name=_SEND)
def send_webhooks() -> None:
    if courier.run():
        nudge_courier()


@app.task(name=_COMPARE)
def compare_search(sample: str) -> None:
    if not leases.count_due(limit=1):  # waiting documents come first
        compare_with_exact(sample)


@app.task(name=_EVALUATE)
def run_evaluations() -> None:
    if evaluations.run():
        nudge_evaluations()


@app.task(name="collections_app.sweep")
def sweep() -> None:
    nudge(worker.sweep(limit=settings.ENV.worker_processes))
    if evaluations.sweep():
        nudge_evaluations()


@app.task(name="collections_app.housekeeping")
def run_housekeeping() -> None:
    housekeeping.delete_expired_answers()
    key_lifecycle.forget_ended()
    deliveries.delete_old()
    delete_old_recall()
    housekeeping.delete_unused_files()
    housekeeping.delete_abandoned_conversions()
    housekeeping.delete_unused_sketch_files()


@app.task(name="collections_app.tidy_storage", time_limit=3600, soft_time_limit=3500)
def tidy_storage() -> None:
    housekeeping.delete_orphaned_objects()
