"""Errors of `pali` itself."""

from paliapi_client.cli.exit_codes import ExitCode


class Complaint(Exception):
    """An error with a stable code, an exit code and a sentence."""

    def __init__(self, code: str, detail: str, exit_code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.exit_code = exit_code
