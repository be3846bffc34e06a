"""What can go wrong with a request, each with its status and a stable code."""

from typing import ClassVar


class RequestError(Exception):
    """The base. Raise a subclass that says what happened; `index` names the input it happened to."""

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str = "", *, index: int | None = None, retry_after_s: int | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.index = index
        self.retry_after_s = retry_after_s

    def at(self, index: int) -> "RequestError":
        """The same problem, said of one input."""
        return type(self)(f"Input {index}: {self.detail}", index=index, retry_after_s=self.retry_after_s)


class MalformedJson(RequestError):
    status, code, title = 400, "not_json", "The body is not a JSON object."


class NotAuthorised(RequestError):
    status, code, title = 401, "not_authorised", "A valid key is needed."


class RouteNotFound(RequestError):
    status, code, title = 404, "no_such_route", "There is nothing here."


class MethodNotAllowed(RequestError):
    status, code, title = 405, "method_not_allowed", "This route has other methods."


class RequestTooLarge(RequestError):
    status, code, title = 413, "too_large", "The request is too large; send less at once."


class InvalidField(RequestError):
    status, code, title = 422, "bad_field", "A field of the request is wrong."


class InvalidImage(RequestError):
    status, code, title = 422, "bad_image", "This is not an image that can be read."


class UnsupportedInput(RequestError):
    status, code, title = 422, "unsupported", "This model cannot embed that."


class QueueFull(RequestError):
    status, code, title = 429, "queue_full", "Too much work is waiting."


class EmbeddingFailed(RequestError):
    status, code, title = 500, "cannot_embed", "The model failed on this input."


class NotReady(RequestError):
    status, code, title = 503, "not_ready", "The model is not ready."


class RequestTimedOut(RequestError):
    status, code, title = 504, "took_too_long", "The work was not done in time."
