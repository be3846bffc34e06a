"""Errors as people and programs read them, and their exit codes."""

from dataclasses import dataclass, field
from typing import Any

from paliapi_client import APIError, ConnectionFailed, DeadlineExceeded, UnexpectedAnswer
from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.exit_codes import ExitCode

_BY_STATUS = {
    401: ExitCode.NOT_PERMITTED,
    403: ExitCode.NOT_PERMITTED,
    404: ExitCode.NOT_FOUND,
    429: ExitCode.LIMIT_REACHED,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a command failed."""

    code: str
    detail: str
    exit_code: ExitCode
    status: int | None = None
    request_id: str | None = None
    errors: list[Any] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        places = [f"\n  {one['pointer']}: {one['detail']}" for one in self.errors if one.get("pointer")]
        request = f"\nRequest: {self.request_id}" if self.request_id and (self.status or 0) >= 500 else ""
        return f"{self.detail}{''.join(places)}{request}"

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "detail": self.detail,
            "status": self.status,
            "request_id": self.request_id,
            "errors": self.errors,
        }


def described(error: Exception) -> Failure:
    """Describe an error of the client, of a command or of the operating system."""
    if isinstance(error, Complaint):
        return Failure(error.code, error.detail, error.exit_code)
    if isinstance(error, APIError):
        return _of_response(error)
    if isinstance(error, DeadlineExceeded):
        return Failure("deadline_exceeded", str(error), ExitCode.UNAVAILABLE)
    if isinstance(error, ConnectionFailed):
        return Failure("connection_failed", str(error), ExitCode.UNAVAILABLE)
    if isinstance(error, UnexpectedAnswer):
        return Failure("unexpected_answer", str(error), ExitCode.UNAVAILABLE)
    if isinstance(error, RecursionError):
        return Failure("unexpected_answer", "The answer is nested too deeply.", ExitCode.UNAVAILABLE)
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return Failure("file_error", f"{place}{error.strerror or error}", ExitCode.USAGE)
    return Failure("client_error", str(error), ExitCode.REJECTED)


def _of_response(error: APIError) -> Failure:
    default = ExitCode.UNAVAILABLE if error.status >= 500 else ExitCode.REJECTED
    problems = [{"pointer": one.pointer, "code": one.code, "detail": one.detail} for one in error.errors]
    exit_code = _BY_STATUS.get(error.status, default)
    return Failure(error.code, error.detail, exit_code, error.status, error.request_id, problems)
