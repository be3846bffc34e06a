"""Doors from the queue: each calls one verb."""

from collections_app import housekeeping
from paliapi.celery import app


@app.task(name="collections_app.housekeeping")
def keep_house() -> None:
    housekeeping.forget_answers()
    housekeeping.drop_unused_files()
    housekeeping.drop_files_of_deleted_owners()
