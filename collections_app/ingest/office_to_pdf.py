"""Office files of revisions: once from the document to a PDF in storage, from which every turn then draws.

Nobody refers to that PDF when the revision is through, so housekeeping takes it away like any unused file.
"""

import hashlib
import tempfile

from django.db.models.functions import Now

from accounts.ownership import acting_for
from collections_app.engine.rendering.file_types import OFFICE_TYPES, PDF, sniff
from collections_app.engine.rendering.soffice import to_pdf
from collections_app.ingest import render_limits
from collections_app.ingest.leases import Lease
from collections_app.models import Revision, StoredFile
from collections_app.storage import files
from collections_app.storage.errors import StorageUnavailable


def is_needed(file: StoredFile) -> bool:
    return file.content_type in OFFICE_TYPES


def done_before(revision: Revision) -> StoredFile | None:
    """The PDF of an earlier turn, which is asked to stay; inside `acting_for`, before the revision is changed."""
    rows = StoredFile.objects.filter(owner_id=revision.owner_id, pk=revision.converted_id or 0)
    return revision.converted if rows.update(wanted_at=Now()) else None


def convert(lease: Lease, file: StoredFile) -> StoredFile:
    with files.opened(file) as source, tempfile.TemporaryFile() as pdf:
        to_pdf(source, pdf, kind=sniff(source), by=render_limits.conversion(), still_wanted=lease.check)
        size = pdf.tell()
        pdf.seek(0)
        sha256 = hashlib.file_digest(pdf, "sha256").hexdigest()
        draft = files.put(lease.owner_id, pdf, sha256=sha256, size=size, content_type=PDF.content_type)
    with files.discard_on_error([draft]), acting_for(lease.owner_id) as tx:
        kept = files.settle(tx, draft)
        if kept is None:
            raise StorageUnavailable(retry_after_s=1)
        lease.write(converted=kept)
        return kept


def forget(lease: Lease) -> None:
    """The PDF has gone; the next turn makes another."""
    with acting_for(lease.owner_id):
        lease.write(converted=None)
