"""All commands of `pali`."""

from typing import Annotated

import typer

from paliapi_client import __version__
from paliapi_client.cli.commands import evaluate, imports, keys, listing, login, removal, search, status, up, webhooks

app = typer.Typer(
    help="Upload documents to PaliAPI and search their pages.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _show_version(*, show: bool) -> None:
    if show:
        typer.echo(f"pali {__version__}")
        raise typer.Exit


@app.callback()
def _of_every_command(
    *,
    show_version: Annotated[
        bool, typer.Option("--version", callback=lambda value: _show_version(show=value), is_eager=True)
    ] = False,
) -> None:
    """Upload documents to PaliAPI and search their pages."""


for module in (login, up, search, listing, status, removal, keys, webhooks, evaluate, imports):
    module.add_to(app)
