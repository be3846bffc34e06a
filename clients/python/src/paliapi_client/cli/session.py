"""What every command has: its output, the server, and `--json`, `--quiet` and `--url`."""

import functools
import inspect
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from paliapi_client import Client, PaliAPIError
from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.credentials import LoginStore
from paliapi_client.cli.exit_codes import ExitCode
from paliapi_client.cli.failures import Failure, described
from paliapi_client.cli.output import Output

_Command = TypeVar("_Command", bound=Callable[..., None])

_JSON = Annotated[bool, typer.Option("--json", help="Write one JSON document, for programs.")]
_QUIET = Annotated[bool, typer.Option("--quiet", "-q", help="Write no messages and no progress.")]
_URL = Annotated[str | None, typer.Option("--url", metavar="URL", help="The server; default: that of the last login.")]
# Someone is waiting: report soon that there is no server.
_RETRIES = 2


class Session:
    """One run of a command."""

    def __init__(self, output: Output, url: str | None) -> None:
        self.output = output
        self.logins = LoginStore()
        self.explicit_url = url

    @property
    def url(self) -> str:
        return self.logins.url(self.explicit_url)

    def client(self, *, max_retries: int = _RETRIES) -> Client:
        """Return a client with the key of the server."""
        credentials = self.logins.credentials(self.explicit_url)
        return Client(base_url=credentials.url, api_key=credentials.key, max_retries=max_retries)

    def fail(self, exit_code: ExitCode = ExitCode.PART_FAILED) -> NoReturn:
        """End the command with an exit code, after it has written its output."""
        raise typer.Exit(exit_code)


def command(app: typer.Typer, name: str, **settings: Any) -> Callable[[_Command], _Command]:
    """Register a function whose first parameter is a Session as a command with the options of all commands."""

    def register(function: _Command) -> _Command:
        @functools.wraps(function)
        def run(*, json: bool, quiet: bool, url: str | None, **arguments: Any) -> None:
            output = Output(json=json, quiet=quiet)
            _guarded(lambda: function(Session(output, url), **arguments), output)

        parameters = [*inspect.signature(function, eval_str=True).parameters.values()][1:]
        parameters += [
            inspect.Parameter("json", inspect.Parameter.KEYWORD_ONLY, annotation=_JSON, default=False),
            inspect.Parameter("quiet", inspect.Parameter.KEYWORD_ONLY, annotation=_QUIET, default=False),
            inspect.Parameter("url", inspect.Parameter.KEYWORD_ONLY, annotation=_URL, default=None),
        ]
        by_keyword = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
        run.__signature__ = inspect.Signature(by_keyword)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in by_keyword}
        app.command(name, **settings)(run)
        return function

    return register


def _guarded(run: Callable[[], None], output: Output) -> None:
    """Run a command; write its error and end with its exit code if it fails."""
    try:
        run()
    except KeyboardInterrupt:
        if output.json:
            output.document({"error": Failure("interrupted", "Interrupted.", ExitCode.INTERRUPTED).as_json()})
        output.message("Interrupted.")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except BrokenPipeError:
        # The reader, such as `head`, has enough. Python would complain when it flushes stdout at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(ExitCode.DONE) from None
    except (PaliAPIError, Complaint, OSError, RecursionError) as error:
        failure = described(error)
        if output.json:
            output.document({"error": failure.as_json()})
        output.error(failure.sentence)
        raise typer.Exit(failure.exit_code) from None
