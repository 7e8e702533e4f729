"""`oko serve`: all services, on this machine."""

import typer


def serve() -> None:
    """Serve the page and the API on http://127.0.0.1:8000, until Ctrl-C.

    Settings come from the environment (OKO_*), see docs/operations.md.
    """
    from oko.serve import main

    raise typer.Exit(main())
