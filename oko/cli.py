"""`oko`: the command line."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Annotated

import typer

from oko.batch.command import batch
from oko.commands.caption import caption
from oko.commands.explain import explain
from oko.commands.serve import serve

app = typer.Typer(
    name="oko",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command()(caption)
app.command()(batch)
app.command()(explain)
app.command()(serve)


def _version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        print(f"oko {installed('oko')}")
    except PackageNotFoundError:
        print("oko, from a checkout")
    raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Says what is in a photo, in English or Ukrainian, and where each word came from."""
