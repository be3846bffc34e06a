"""`Idempotency-Key`: a repeated request gets the response of the first one and has no further effect."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Caller
from accounts.ownership import OwnerTransaction, acting_for
from accounts.quotas import charge
from collections_app.api.errors import IdempotencyKeyInvalid, IdempotencyKeyReused
from collections_app.catalogue import require_reach
from collections_app.engine.input import jsonb
from collections_app.models import IdempotentAnswer
from paliapi.http.uploads import ReceivedFile

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    "header",
    description="A key of your choice, up to 255 characters. The same request with the same key takes effect once; "
    "its response is stored for 24 hours, and counts towards the quota until then.",
)

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_STORED_HEADERS = ("Location", "Retry-After")


class AlreadyCompleted(Exception):
    """The request was completed before; `response` is the stored one."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request with its idempotency key. Without a key nothing is stored."""

    owner_id: int
    key: str
    request_sha256: str

    def check(self) -> None:
        """Raise AlreadyCompleted if a response is stored: a cheap check before expensive work."""
        if self.key:
            with acting_for(self.owner_id) as tx:
                self._raise_if_completed(tx)

    def claim(self, tx: OwnerTransaction) -> None:
        """Claim the key, or raise AlreadyCompleted. Call first in the transaction of the effect.

        Waits for an identical request that is running at the same time.
        """
        if not self.key:
            return
        self._raise_if_completed(tx)  # so that an ordinary repetition logs no error in the database
        rows = IdempotentAnswer.objects.filter(owner_id=tx.owner_id, key=self.key)
        expired = rows.filter(created_at__lt=timezone.now() - IdempotentAnswer.RETENTION)
        # Reused with its size, because the usage is locked last: `store` charges the difference.
        if expired.update(request_sha256=self.request_sha256, status=0, body={}, headers={}, created_at=Now()):
            return
        row = IdempotentAnswer(
            owner_id=tx.owner_id, key=self.key, request_sha256=self.request_sha256, status=0, body={}
        )
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            self._raise_if_completed(tx)
            raise

    def store(self, tx: OwnerTransaction, response: Response) -> Response:
        """Store the response, charge its size, and return it. Call last in the transaction of the effect."""
        if self.key:
            body = json.loads(JSONRenderer().render(response.data))
            headers = {name: response[name] for name in _STORED_HEADERS if name in response}
            size = jsonb.size(body) + jsonb.size(headers)
            rows = IdempotentAnswer.objects.filter(owner_id=tx.owner_id, key=self.key)
            charged = rows.select_for_update().values_list("size", flat=True).get()
            rows.update(status=response.status_code, body=body, headers=headers, size=size)
            charge(tx, bytes=size - charged)
        return response

    def _raise_if_completed(self, tx: OwnerTransaction) -> None:
        row = IdempotentAnswer.objects.filter(owner_id=tx.owner_id, key=self.key).first()
        if row is None or row.created_at < timezone.now() - IdempotentAnswer.RETENTION:
            return
        if row.request_sha256 != self.request_sha256:
            raise IdempotencyKeyReused
        raise AlreadyCompleted(
            Response(row.body, status=row.status, headers={**row.headers, "Idempotent-Replayed": "true"})
        )


def idempotent_request(request: Request, caller: Caller, *, collection_name: str) -> IdempotentRequest:
    """Return the key of a request with a hash of its method, path and body; a file counts by its own hash.

    Raise CollectionOutOfReach if the caller's key does not reach the collection: the stored response may be that to
    another key.
    """
    require_reach(caller, collection_name)
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return IdempotentRequest(caller.owner_id, "", "")
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyInvalid
    body = {name: _comparable(value) for name, value in cast(dict[str, Any], request.data).items()}
    identity = [request.method, request.path, body]
    if not caller.may("read"):
        identity.append("without read")  # such a key gets less of the document, and not what another key got
    text = json.dumps(identity, sort_keys=True, default=str)
    return IdempotentRequest(caller.owner_id, key, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def _comparable(value: Any) -> Any:
    return ["sha256", value.sha256] if isinstance(value, ReceivedFile) else value
