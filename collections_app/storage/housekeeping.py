"""What is nobody's any more goes away, after a while."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.core.files.storage import Storage
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.ownership import acting_as_staff
from collections_app.engine.rendering import soffice
from collections_app.models import IdempotentAnswer, Page, Revision, StoredFile
from collections_app.storage import files

_AT_ONCE = 500


def forget_answers() -> int:
    """Answers to idempotent requests that nobody may repeat any more."""
    with acting_as_staff():
        deleted, _ = IdempotentAnswer.objects.filter(
            created_at__lt=timezone.now() - IdempotentAnswer.RETENTION
        ).delete()
    return deleted


def drop_conversions() -> int:
    """What workers of this machine left behind when they were killed while LibreOffice worked for them."""
    return soffice.drop_abandoned()


def drop_unused_files() -> int:
    """Files that no revision and no page refers to, and that nobody has asked to keep for a while. What an Office file
    was converted to is of use only while pages are drawn.

    The row goes first, under a lock that a new reference would need: an object whose row is gone is nobody's, and its
    key is never used again.
    """
    aged = timezone.now() - timedelta(hours=settings.ENV.file_retention_hours)
    dropped = 0
    with acting_as_staff():
        unused = StoredFile.objects.filter(
            ~Exists(Revision.objects.filter(file=OuterRef("pk"))),
            ~Exists(Revision.objects.in_flight().filter(converted=OuterRef("pk"))),
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
            transaction.on_commit(partial(files.erase, key))
            dropped += 1
    return dropped


def drop_orphans() -> int:
    """Objects that have no row: of a crash between storage and database, or of an owner who is gone.

    A young object may be on its way to its row, so only old ones go. This walks through all of storage: not often.
    """
    storage = files.storage()
    aged = timezone.now() - timedelta(hours=settings.ENV.file_retention_hours)
    dropped = 0
    for folder, names in _folders(storage, ""):
        keys = {f"{folder}/{name}" for name in names}
        with acting_as_staff():
            known = set(StoredFile.objects.filter(key__in=keys).values_list("key", flat=True))
        for key in keys:
            if not files.is_known(key, known) and storage.get_modified_time(key) < aged:
                storage.delete(key)
                dropped += 1
    return dropped


def _folders(storage: Storage, folder: str) -> Iterator[tuple[str, list[str]]]:
    """Every folder of owners' files with the names in it; other folders are not ours."""
    try:
        inner, names = storage.listdir(folder)
    except FileNotFoundError:
        return
    if folder:
        yield folder, names
    for name in inner:
        if folder or name.isdecimal():
            yield from _folders(storage, f"{folder}/{name}".lstrip("/"))
