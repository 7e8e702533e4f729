"""`oko caption`: photos in, captions out."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oko.commands.exits import SOME_FAILED, exit_codes

if TYPE_CHECKING:
    from oko.local import LocalEngine
    from oko.remote import RemoteEngine

AT_ONCE = 8
"""Photos sent to a service at the same time: enough to fill its batches."""


def caption(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="Files, folders with all that is below them, patterns, or - for a list of paths "
            "on standard input.",
            show_default=False,
        ),
    ],
    language: Annotated[
        list[str] | None,
        typer.Option("--language", "-l", help="en (the default), uk, …; again for several."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write a table: .jsonl, .csv or .parquet."),
    ] = None,
    sidecar: Annotated[
        bool, typer.Option("--sidecar", help="Write photo.txt beside each photo.")
    ] = False,
    write_metadata: Annotated[
        bool,
        typer.Option(
            "--write-metadata",
            help="Write the caption into each JPEG, PNG or WebP file, as XMP and IPTC description; "
            "the picture in it stays byte for byte.",
        ),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an output: skip what it has already.")
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace an output, sidecars and descriptions that exist; sidecars and "
            "descriptions are kept otherwise.",
        ),
    ] = False,
    url: Annotated[
        str | None,
        typer.Option("--url", help="Ask this service instead of captioning in this process."),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option("--api-key", envvar="OKO_API_KEY", help="For --url.", show_default=False),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "-w",
            min=1,
            help=f"Cores to use (all), or photos sent at once with --url ({AT_ONCE}).",
        ),
    ] = None,
    beam_size: Annotated[
        int, typer.Option(min=1, max=10, help="Captions kept under consideration.")
    ] = 3,
    max_words: Annotated[int, typer.Option(min=1, max=40, help="Longest caption.")] = 20,
    models: Annotated[
        Path | None, typer.Option(help="Models folder, instead of the one that came along.")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show failures only: no progress, no summary.")
    ] = False,
) -> None:
    """Caption photos: one, or as many as there are.

    Without --output, --sidecar or --write-metadata the captions are printed. A photo that cannot
    be captioned is reported, listed in OUTPUT.errors.jsonl, and never ends the run; --resume tries
    it again.

    Exit codes: 0 all captioned; 1 some photos failed; 2 nothing could be done, or no more;
    130 and 143 interrupted, with what was done until then kept.
    """
    if resume and overwrite:
        raise typer.BadParameter("--resume and --overwrite exclude each other.")
    if resume and output is None:
        raise typer.BadParameter("--resume needs --output, which says what is done already.")
    from oko.inputs import photos
    from oko.outputs.choice import Choice
    from oko.report import Report
    from oko.results import in_order
    from oko.run import run

    languages = list(dict.fromkeys(language or ["en"]))
    choice = Choice(output, sidecar, write_metadata, resume, overwrite)
    with exit_codes(), ExitStack() as stack:
        found = list(photos(paths))
        engine: LocalEngine | RemoteEngine = (
            _local(languages, beam_size, max_words, workers, models)
            if url is None
            else _remote(languages, beam_size, max_words, workers, url, api_key)
        )
        stack.enter_context(engine)
        outputs = choice.opened(languages, len(found))
        for each in outputs:
            stack.callback(each.close)
        failures = choice.failures()
        report = Report(len(found), quiet=quiet, summary=not choice.printed)
        try:
            with report:
                arranged = in_order if choice.printed else iter
                run(found, engine, outputs, report, failures, arranged)
        finally:
            report.end(str(failures.path) if failures else None)
    if report.failed:
        raise typer.Exit(SOME_FAILED)


def _local(
    languages: list[str],
    beam_size: int,
    max_words: int,
    workers: int | None,
    models: Path | None,
) -> "LocalEngine":
    from oko.captioner import Captioner
    from oko.local import LocalEngine

    captioner = Captioner(models, workers=workers, languages=languages)
    return LocalEngine(captioner, languages, beam_size=beam_size, max_words=max_words)


def _remote(
    languages: list[str],
    beam_size: int,
    max_words: int,
    workers: int | None,
    url: str,
    api_key: str | None,
) -> "RemoteEngine":
    from oko.client import Client
    from oko.remote import PATIENCE_S, RemoteEngine

    client = Client(url, api_key=api_key, deadline_s=PATIENCE_S)
    return RemoteEngine(
        client,
        languages,
        beam_size=beam_size,
        max_words=max_words,
        workers=workers or AT_ONCE,
    )
