"""Doors from the queue: each calls one verb."""

from collections_app import housekeeping
from paliapi.celery import app


@app.task(name="collections_app.housekeeping")
def keep_house() -> None:
    housekeeping.forget_answers()
    housekeeping.drop_unused_files()


@app.task(name="collections_app.tidy_storage", time_limit=3600, soft_time_limit=3500)
def tidy_storage() -> None:
    housekeeping.drop_orphans()
