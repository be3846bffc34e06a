"""The errors of a request, each with its HTTP status and a stable code."""

from typing import ClassVar


class RequestError(Exception):
    """The base class; raise a subclass. `index` is the position of the input that caused the error, if one did."""

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str = "", *, index: int | None = None, retry_after_s: int | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.index = index
        self.retry_after_s = retry_after_s

    def at(self, index: int) -> "RequestError":
        """Return the same error, attributed to one input."""
        return type(self)(f"Input {index}: {self.detail}", index=index, retry_after_s=self.retry_after_s)


class MalformedJson(RequestError):
    status, code, title = 400, "not_json", "The body is not a JSON object."


class NotAuthorised(RequestError):
    status, code, title = 401, "not_authorised", "A valid API key is required."


class RouteNotFound(RequestError):
    status, code, title = 404, "no_such_route", "No such route."


class MethodNotAllowed(RequestError):
    status, code, title = 405, "method_not_allowed", "This route does not allow this method."


class RequestTooLarge(RequestError):
    status, code, title = 413, "too_large", "The request is too large; send fewer inputs at once."


class InvalidField(RequestError):
    status, code, title = 422, "bad_field", "A field of the request is invalid."


class InvalidImage(RequestError):
    status, code, title = 422, "bad_image", "The image cannot be decoded."


class UnsupportedInput(RequestError):
    status, code, title = 422, "unsupported", "The model does not support this input."


class QueueFull(RequestError):
    status, code, title = 429, "queue_full", "The queue is full."


class EmbeddingFailed(RequestError):
    status, code, title = 500, "cannot_embed", "The model failed on this input."


class RerankerMissing(RequestError):
    status, code, title = 501, "reranker_missing", "This service has no reranker; set COLPALI_RERANKER."


class NotReady(RequestError):
    status, code, title = 503, "not_ready", "The model is not ready."


class RequestTimedOut(RequestError):
    status, code, title = 504, "took_too_long", "The request timed out."
