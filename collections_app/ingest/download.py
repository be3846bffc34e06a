"""Download a document that was submitted as a URL into storage."""

import tempfile

from django.conf import settings
from django.db.models import F

from accounts.quotas import charge
from collections_app.engine.outbound.addresses import AllowList
from collections_app.engine.outbound.client import OutboundPolicy
from collections_app.engine.outbound.fetch import FetchLimits, fetch
from collections_app.engine.rendering.file_types import sniff
from collections_app.ingest.leases import Lease
from collections_app.models import StoredFile
from collections_app.storage import files
from paliapi.units import MEBIBYTE


def download(lease: Lease, url: str, *, use_proxy: bool) -> StoredFile:
    """Fetch the URL and store the response as the file of the revision."""
    env = settings.ENV
    limits = FetchLimits(max_bytes=env.max_upload_mb * MEBIBYTE, total_s=env.fetch_timeout_s)
    policy = OutboundPolicy(
        allow=AllowList.parse(env.fetch_allow), ports=env.fetch_ports, proxy=env.fetch_proxy if use_proxy else ""
    )
    with tempfile.TemporaryFile() as content:
        fetched = fetch(url, content, limits=limits, policy=policy)
        kind = sniff(content)
        lease.check()
        draft = files.put(
            lease.owner_id, content, sha256=fetched.sha256, size=fetched.size, content_type=kind.content_type
        )
    with files.keep(draft) as (tx, file):
        lease.write(tx, file=file, size=F("size") + file.size)
        charge(tx, bytes=file.size)
    return file
