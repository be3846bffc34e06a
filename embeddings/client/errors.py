"""The errors of the embeddings client."""


class ClientError(Exception):
    """The base class. `index` is the position of the input that caused the error, if one did."""

    def __init__(self, detail: str, *, index: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.index = index


class ServiceUnavailable(ClientError):
    """The service does not answer at present; the same call may succeed later."""

    def __init__(self, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class AccessDenied(ClientError):
    """The service does not accept the token."""


class InputRejected(ClientError):
    """The service cannot embed an input; a retry would not help."""


class InputTooLarge(InputRejected):
    """A single input exceeds the service's limit."""


class InvalidResponse(ClientError):
    """The response does not contain valid embeddings."""


class NoReranker(ClientError):
    """The service has no reranker."""


class NotSupported(InvalidResponse):
    """The service does not have this route or function."""


class SpaceMismatch(InvalidResponse):
    """The vectors come from another model than expected."""
