"""Doors from the queue: each calls one verb. What they are told can be lost; what is to be done stands in the rows."""

import structlog
from django.conf import settings
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from collections_app.ingest import leases, worker
from collections_app.search import recall, recall_sampling
from collections_app.storage import housekeeping
from collections_app.webhooks import courier, deliveries
from paliapi.celery import app

log = structlog.get_logger(__name__)

_PROCESS = "collections_app.process_next"
_SEND = "collections_app.send_webhooks"
# Somebody waits while we nudge, and the sweeper finds what nobody was nudged for.
_QUICKLY = {"max_retries": 0, "socket_timeout": 1, "socket_connect_timeout": 1}
_NUDGES_ARE_GOOD_FOR_S = 60
_COMPARE = "collections_app.compare_search"
_SAMPLES_ARE_GOOD_FOR_S = 300


def nudge(count: int = 1) -> None:
    """Tell the workers that there is something to do. It names nothing, so that each takes whose turn it is."""
    _send(_PROCESS, count=count)


def nudge_courier() -> None:
    """Tell whoever sends webhooks that there may be something to send."""
    _send(_SEND, count=1)


def _send(name: str, *, count: int) -> None:
    try:
        with app.connection_for_write(transport_options=_QUICKLY) as connection:
            for _ in range(count):
                app.send_task(name, connection=connection, retry=False, expires=_NUDGES_ARE_GOOD_FOR_S)
    except (KombuError, RedisError, OSError) as problem:
        log.warning("nudge_lost", error=type(problem).__name__)


@app.task(name=_PROCESS)
def process_next() -> None:
    more = worker.run()
    if deliveries.are_due():
        nudge_courier()
    if more:
        nudge()


@app.task(name=_SEND)
def send_webhooks() -> None:
    if courier.run():
        nudge_courier()


def compare_later(sample: str) -> None:
    """Have a search made again, exactly, when there is nothing better to do; no harm if that is lost."""
    try:
        with app.connection_for_write(transport_options=_QUICKLY) as connection:
            app.send_task(_COMPARE, [sample], connection=connection, retry=False, expires=_SAMPLES_ARE_GOOD_FOR_S)
    except (KombuError, RedisError, OSError) as problem:
        log.warning("sample_lost", error=type(problem).__name__)


@app.task(name=_COMPARE)
def compare(sample: str) -> None:
    if not leases.count_due(limit=1):  # documents that wait come first
        recall_sampling.compare(sample)


@app.task(name="collections_app.sweep")
def sweep() -> None:
    nudge(worker.sweep(limit=settings.ENV.worker_processes))


@app.task(name="collections_app.housekeeping")
def keep_house() -> None:
    housekeeping.forget_answers()
    deliveries.forget_old()
    recall.forget_old()
    housekeeping.drop_unused_files()
    housekeeping.drop_conversions()


@app.task(name="collections_app.tidy_storage", time_limit=3600, soft_time_limit=3500)
def tidy_storage() -> None:
    housekeeping.drop_orphans()
