"""What is nobody's any more goes away, after a while."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files.storage import Storage
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.ownership import acting_as_staff
from collections_app import files
from collections_app.models import IdempotentAnswer, Page, Revision, StoredFile

ANSWERS_ARE_KEPT = timedelta(hours=24)
_AT_ONCE = 500


def forget_answers() -> int:
    """Answers to idempotent requests that nobody may repeat any more."""
    with acting_as_staff():
        deleted, _ = IdempotentAnswer.objects.filter(created_at__lt=timezone.now() - ANSWERS_ARE_KEPT).delete()
    return deleted


def drop_unused_files() -> int:
    """Files that no revision and no page refers to, and that nobody has asked to keep for a while.

    The row goes first, under a lock that a new reference would need: an object whose row is gone is nobody's, and its
    key is never used again.
    """
    aged = timezone.now() - timedelta(hours=settings.ENV.file_retention_hours)
    dropped = 0
    with acting_as_staff():
        unused = StoredFile.objects.filter(
            ~Exists(Revision.objects.filter(file=OuterRef("pk"))),
            ~Exists(Page.objects.filter(image=OuterRef("pk"))),
            wanted_at__lt=aged,
        )
        for file in unused.select_for_update(skip_locked=True, of=("self",))[:_AT_ONCE]:
            key = file.key
            try:
                with transaction.atomic():
                    file.delete()
            except IntegrityError:
                continue  # somebody refers to it since
            transaction.on_commit(partial(files.storage().delete, key))
            dropped += 1
    return dropped


def drop_files_of_deleted_owners() -> int:
    """Whole folders whose owner is gone; the rows went with the owner."""
    storage = files.storage()
    folders = {int(name) for name in storage.listdir("")[0] if name.isdecimal()} if storage.exists("") else set()
    present = set(get_user_model().objects.filter(pk__in=folders).values_list("pk", flat=True))
    dropped = 0
    for owner_id in folders - present:
        for key in list(_keys_under(storage, str(owner_id))):
            storage.delete(key)
            dropped += 1
    return dropped


def _keys_under(storage: Storage, folder: str) -> Iterator[str]:
    inner, names = storage.listdir(folder)
    yield from (f"{folder}/{name}" for name in names)
    for name in inner:
        yield from _keys_under(storage, f"{folder}/{name}")
