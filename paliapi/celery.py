"""The Celery application. Messages are only hints: all work to do is stored in Postgres."""

import os

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from kombu import Queue

from paliapi import logs
from paliapi.redis_urls import for_celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paliapi.settings")  # noqa: TID251  (Django wants it there)

app = Celery("paliapi")
app.conf.update(
    broker_url=for_celery(settings.ENV.redis_url),
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": 600,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 10,
        "socket_connect_timeout": 5,
    },
    # Receivers of webhooks may be slow, so webhooks have their own queue, which may have its own workers.
    task_queues=[Queue("celery"), Queue("webhooks")],
    task_routes={"collections_app.send_webhooks": {"queue": "webhooks"}},
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=450,  # below the visibility timeout
    task_soft_time_limit=420,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=200,
    worker_soft_shutdown_timeout=5,
    worker_hijack_root_logger=False,
    beat_schedule={
        # An old message is superseded by the next one.
        "sweep": {"task": "collections_app.sweep", "schedule": 10.0, "options": {"expires": 10}},
        "webhooks": {"task": "collections_app.send_webhooks", "schedule": 10.0, "options": {"expires": 10}},
        "housekeeping": {"task": "collections_app.housekeeping", "schedule": 600.0},
        "tidy-storage": {"task": "collections_app.tidy_storage", "schedule": 86_400.0},
    },
    timezone="UTC",
)
app.autodiscover_tasks(["collections_app"])


@setup_logging.connect
def _configure_logs(**_kwargs: object) -> None:
    logs.configure(level=settings.ENV.log_level, form=settings.ENV.log_format)
