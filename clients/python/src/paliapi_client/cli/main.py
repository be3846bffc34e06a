"""The entry point of `pali`."""

import sys

_EXTRA = {"typer", "rich", "keyring", "PIL"}


def run() -> None:
    """Run `pali`; explain what to install if the extra `cli` is missing."""
    try:
        from paliapi_client.cli.app import app  # noqa: PLC0415  (may be missing)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        sys.exit('pali needs more packages; install them with: pip install "paliapi-client[cli]"')
    app(prog_name="pali")
