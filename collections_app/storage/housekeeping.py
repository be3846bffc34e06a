"""Deletion of stored answers, files and objects that are no longer used."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.core.files.storage import Storage
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.ownership import acting_as_housekeeping, acting_for
from accounts.quotas import charge
from collections_app.engine.rendering import soffice
from collections_app.engine.retrieval.sketch_files import cleaning
from collections_app.models import Collection, IdempotentAnswer, Page, Revision, StoredFile
from collections_app.storage import files

_BATCH_SIZE = 500


def delete_expired_answers() -> int:
    """Delete the stored answers of idempotent requests that are too old to be replayed; return how many."""
    moment = timezone.now() - IdempotentAnswer.RETENTION
    with acting_as_housekeeping():
        expired = IdempotentAnswer.objects.filter(created_at__lt=moment)
        owner_ids = list(expired.order_by().values_list("owner_id", flat=True).distinct())
    count = 0
    for owner_id in owner_ids:
        while deleted := _delete_some_answers(owner_id, before=moment):
            count += deleted
    return count


def _delete_some_answers(owner_id: int, *, before: datetime) -> int:
    """Delete old answers of an owner, and return their share of the quota."""
    with acting_for(owner_id) as tx:
        rows = IdempotentAnswer.objects.filter(owner_id=tx.owner_id)
        old = rows.filter(created_at__lt=before).order_by("pk").select_for_update()
        sizes = dict(old.values_list("pk", "size")[:_BATCH_SIZE])
        rows.filter(pk__in=sizes).delete()
        charge(tx, bytes=-sum(sizes.values()))
    return len(sizes)


def delete_abandoned_conversions() -> int:
    """Delete what workers of this machine left behind when they were killed during a LibreOffice conversion."""
    return soffice.delete_abandoned_runs()


def delete_unused_sketch_files() -> int:
    """Delete the sketch files of collections that no longer exist, and what killed processes left; return how many."""

    def collections_of(owner_id: int) -> list[int]:
        with acting_for(owner_id) as tx:
            return list(Collection.objects.filter(owner_id=tx.owner_id).values_list("pk", flat=True))

    return cleaning.delete_unneeded(settings.ENV.index_files, collections_of)


def delete_unused_files() -> int:
    """Delete files that no revision and no page refers to and that were not requested for a while; return how many.

    The PDF of an Office file counts as used only while its revision is being processed. The row is deleted first,
    under a lock that a new reference would need; its key is never used again, so the object can be deleted later.
    """
    deleted = 0
    with acting_as_housekeeping():
        unused = StoredFile.objects.filter(
            ~Exists(Revision.objects.filter(file=OuterRef("pk"))),
            ~Exists(Revision.objects.in_flight().filter(converted=OuterRef("pk"))),
            ~Exists(Page.objects.filter(image=OuterRef("pk"))),
            wanted_at__lt=_retention_start(),
        )
        for file in unused.only("key").select_for_update(skip_locked=True, of=("self",))[:_BATCH_SIZE]:
            key = file.key
            try:
                with transaction.atomic():
                    file.delete()
            except IntegrityError:
                continue  # a new reference was added meanwhile
            transaction.on_commit(partial(files.erase, key))
            deleted += 1
    return deleted


def delete_orphaned_objects() -> int:
    """Delete objects without a row, left by a crash or by the deletion of an owner; return how many.

    A recent object may be about to get its row, so only old ones are deleted. This lists all of storage: run it rarely.
    """
    storage = files.storage()
    retention_start = _retention_start()
    deleted = 0
    for folder, names in _owner_folders(storage, ""):
        keys = {f"{folder}/{name}" for name in names}
        with acting_as_housekeeping():
            known = set(StoredFile.objects.filter(key__in=keys).values_list("key", flat=True))
        for key in keys:
            if not files.is_known(key, known) and storage.get_modified_time(key) < retention_start:
                storage.delete(key)
                deleted += 1
    return deleted


def _retention_start() -> datetime:
    return timezone.now() - timedelta(hours=settings.ENV.file_retention_hours)


def _owner_folders(storage: Storage, folder: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each folder of an owner's files, with the names in it; skip folders that are not PaliAPI's."""
    try:
        subfolders, names = storage.listdir(folder)
    except FileNotFoundError:
        return
    if folder:
        yield folder, names
    for name in subfolders:
        if folder or name.isdecimal():
            yield from _owner_folders(storage, f"{folder}/{name}".lstrip("/"))
