"""Errors about the shape of an API request."""

from paliapi.errors import Invalid, Unavailable


class NothingToChange(Invalid):
    code = "nothing_to_change"
    title = "The request contains no changes."


class SourceMissing(Invalid):
    code = "source_missing"
    title = "Send the document as `file`, `base64` or `url`."


class SourceAmbiguous(Invalid):
    code = "source_ambiguous"
    title = "Send the document as only one of `file`, `base64` or `url`."


class IdempotencyKeyInvalid(Invalid):
    code = "idempotency_key_invalid"
    title = "An Idempotency-Key must have 1 to 255 printable ASCII characters."


class IdempotencyKeyReused(Invalid):
    code = "idempotency_key_reused"
    title = "This Idempotency-Key was already used for a different request."


class StreamsBusy(Unavailable):
    code = "streams_busy"
    title = "The server has no free event streams; poll the document instead, or try again."
