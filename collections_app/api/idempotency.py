"""`Idempotency-Key`: a repeated request is answered as the first was, and does nothing again."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.ownership import acting_for
from collections_app.api.errors import IdempotencyKeyInvalid, IdempotencyKeyReused
from collections_app.models import IdempotentAnswer
from paliapi.http.uploads import ReceivedFile

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    "header",
    description="Any text of your own, up to 255 characters. The same request with the same key is done once; "
    "its answer is kept for 24 hours.",
)

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class AlreadyAnswered(Exception):
    """This request was done before; here is what it was answered."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a request; without a key it leaves no trace."""

    owner_id: int
    key: str
    request_sha256: str

    def replay(self) -> None:
        """Raise AlreadyAnswered if there is an answer already; for a look before work that costs."""
        if self.key:
            with acting_for(self.owner_id):
                self._raise_earlier()

    def claim(self) -> None:
        """Take the key, first thing in the transaction of the effect; a twin that runs now is waited for."""
        if not self.key:
            return
        self._raise_earlier()  # so that a mere repetition is no error in the database's log
        mine = IdempotentAnswer.objects.filter(owner_id=self.owner_id, key=self.key)
        mine.filter(created_at__lt=timezone.now() - IdempotentAnswer.RETENTION).delete()
        claimed = IdempotentAnswer(
            owner_id=self.owner_id, key=self.key, request_sha256=self.request_sha256, status=0, body={}
        )
        try:
            with transaction.atomic():
                claimed.save(force_insert=True)
        except IntegrityError:
            self._raise_earlier()
            raise

    def keep(self, response: Response) -> Response:
        """Remember the answer, last thing in the same transaction."""
        if self.key:
            IdempotentAnswer.objects.filter(owner_id=self.owner_id, key=self.key).update(
                status=response.status_code,
                body=json.loads(JSONRenderer().render(response.data)),
                headers={name: response[name] for name in ("Location", "Retry-After") if name in response},
            )
        return response

    def _raise_earlier(self) -> None:
        found = IdempotentAnswer.objects.filter(owner_id=self.owner_id, key=self.key).first()
        if found is None or found.created_at < timezone.now() - IdempotentAnswer.RETENTION:
            return
        if found.request_sha256 != self.request_sha256:
            raise IdempotencyKeyReused
        raise AlreadyAnswered(
            Response(found.body, status=found.status, headers={**found.headers, "Idempotent-Replayed": "true"})
        )


def attempt_of(request: Request, owner_id: int) -> Attempt:
    """What the request says of itself; the body is compared by its content, a file in it by its hash."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return Attempt(owner_id, "", "")
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyInvalid
    told = {name: _told(value) for name, value in cast(dict[str, Any], request.data).items()}
    text = json.dumps([request.method, request.path, told], sort_keys=True, default=str)
    return Attempt(owner_id, key, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def _told(value: Any) -> Any:
    return ["sha256", value.sha256] if isinstance(value, ReceivedFile) else value
