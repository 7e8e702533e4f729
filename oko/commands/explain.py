"""`oko explain`: a picture of where each word came from."""

from pathlib import Path
from typing import Annotated

import typer

from oko.commands.exits import exit_codes


def explain(
    photo: Annotated[Path, typer.Argument(help="The photo.", show_default=False)],
    figure: Annotated[
        Path,
        typer.Argument(help="Picture to write: .png, .jpg or .webp.", show_default=False),
    ],
    language: Annotated[
        str, typer.Option("--language", "-l", help="Of the caption: en, uk, …")
    ] = "en",
    beam_size: Annotated[
        int, typer.Option(min=1, max=10, help="Captions kept under consideration.")
    ] = 3,
    max_words: Annotated[int, typer.Option(min=1, max=40, help="Longest caption.")] = 20,
    models: Annotated[
        Path | None, typer.Option(help="Models folder, instead of the one that came along.")
    ] = None,
) -> None:
    """Draw the photo once for each word of its caption, light where the model looked.

    Prints the caption too. Exit codes: 0 drawn; 2 not.
    """
    from oko.captioned import read_file
    from oko.captioner import Captioner
    from oko.explanation import check_kind, drawn, save

    with exit_codes():
        check_kind(figure)
        image = read_file(photo)
        with Captioner(models, languages=[language]) as captioner:
            best, *_ = captioner.caption(image, language, beam_size, max_words)
        save(drawn(image, best.words, captioner.manifest.encoder.grid), figure)
        print(best.text)
