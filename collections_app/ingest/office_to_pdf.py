"""Convert the Office file of a revision once, to a PDF in storage from which every slice renders.

Nothing refers to that PDF once the revision is finished, so housekeeping deletes it like any unused file.
"""

import hashlib
import tempfile

from django.db.models.functions import Now

from accounts.ownership import OwnerTransaction
from collections_app.engine.rendering.file_types import OFFICE_CONTENT_TYPES, PDF_CONTENT_TYPE, known_format, sniff
from collections_app.engine.rendering.soffice import convert_to_pdf
from collections_app.ingest import render_limits
from collections_app.ingest.leases import Lease
from collections_app.models import Revision, StoredFile
from collections_app.storage import files


def is_needed(file: StoredFile) -> bool:
    return file.content_type in OFFICE_CONTENT_TYPES


def keep_pdf(tx: OwnerTransaction, revision: Revision) -> StoredFile | None:
    """Return the PDF of an earlier slice, protected from housekeeping. Call before the revision is changed."""
    if revision.converted_id is None:
        return None
    rows = StoredFile.objects.filter(owner_id=tx.owner_id, pk=revision.converted_id)
    return rows.first() if rows.update(wanted_at=Now()) else None


def convert(lease: Lease, file: StoredFile) -> StoredFile:
    """Convert the file with LibreOffice and store the PDF."""
    with files.open_file(file) as source, tempfile.TemporaryFile() as pdf:
        convert_to_pdf(
            source,
            pdf,
            extension=(known_format(file.content_type) or sniff(source)).extension,
            converter=render_limits.office_converter(),
            check_cancelled=lease.check,
        )
        size = pdf.tell()
        pdf.seek(0)
        sha256 = hashlib.file_digest(pdf, "sha256").hexdigest()
        draft = files.put(lease.owner_id, pdf, sha256=sha256, size=size, content_type=PDF_CONTENT_TYPE)
    with files.keep(draft) as (tx, stored):
        lease.write(tx, converted=stored)
    return stored


def forget_pdf(lease: Lease) -> None:
    """Record that the PDF is gone, so that the next slice converts again."""
    with lease.transaction() as tx:
        lease.write(tx, converted=None)
