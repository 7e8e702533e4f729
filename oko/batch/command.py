"""`oko batch`. Ray and Arrow are an extra of the package, so they are imported when it runs."""

import sys
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer


class Engine(StrEnum):
    RAY = "ray"
    LOCAL = "local"


def batch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="Folder or glob of images, of Parquet files or of WebDataset shards; a path or "
            "an fsspec address such as s3://bucket/photos.",
        ),
    ],
    output: Annotated[
        str, typer.Argument(help="Folder or fsspec address. Goes on with what is there already.")
    ],
    language: Annotated[list[str], typer.Option(help="May be given several times.")] = ["en"],  # noqa: B006 - Typer copies it
    beam_size: Annotated[int, typer.Option(min=1, max=10)] = 3,
    max_words: Annotated[int, typer.Option(min=1, max=40)] = 20,
    kind: Annotated[
        str, typer.Option("--format", help="auto, files, parquet or webdataset.")
    ] = "auto",
    image_column: Annotated[str, typer.Option(help="Parquet: image bytes.")] = "image",
    uri_column: Annotated[str, typer.Option(help="Parquet: addresses of images.")] = "uri",
    key_column: Annotated[
        str | None, typer.Option(help="Parquet: names of the records. Default: FILE#ROW.")
    ] = None,
    records: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=16384,
            help="Photos of an output file, which is what is repeated when a machine dies. Each "
            "takes 64 KiB of memory on the way to the decoder. Default: 512, fewer when there are "
            "few photos.",
        ),
    ] = None,
    models: Annotated[Path | None, typer.Option(help="Default: OKO_MODELS_DIR.")] = None,
    cores: Annotated[int, typer.Option(min=1, help="Of one encoder.")] = 1,
    max_encoders: Annotated[
        int | None,
        typer.Option(
            min=1, help="On a cluster that grows. Default: as many as it has room for now."
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            envvar="RAY_ADDRESS",
            help="Ray cluster; `auto` for the one that this machine is part of. Without it, Ray "
            "is started on this machine alone.",
        ),
    ] = None,
    engine: Annotated[
        Engine, typer.Option(help="`local`: this process, without Ray, with --cores cores.")
    ] = Engine.RAY,
    shard: Annotated[
        str,
        typer.Option(
            metavar="I/N",
            help="With --engine local: does every N-th partition, beginning with the I-th. 0/N "
            "writes the plan, the others wait for it.",
        ),
    ] = "0/1",
) -> None:
    """Caption any number of photos on any number of machines, each photo exactly once.

    Stopped or killed at any point, the same command goes on where it was. Photos that cannot be
    captioned are listed in OUTPUT/dead-letters with the reason and stop nothing. Ends with 0 when
    every photo is in the captions or in the dead letters, with 2 when nothing can work.
    """
    wanted = ["pyarrow", "fsspec", *(["ray"] if engine is Engine.RAY else [])]
    missing = [name for name in wanted if find_spec(name) is None]
    if missing:
        print(f"oko: {', '.join(missing)} is missing: pip install 'oko[batch]'", file=sys.stderr)
        raise typer.Exit(2)

    from oko.batch.parquet import Columns
    from oko.batch.plan import OtherRequest
    from oko.batch.run import Options, caption
    from oko.batch.shard import Shard
    from oko.batch.sources import Kind, UnusableInput
    from services.common.errors import ModelsUnavailable, OkoError

    try:
        options = Options(
            input=source,
            output=output,
            kind=None if kind == "auto" else Kind(kind),
            columns=Columns(image_column, uri_column, key_column),
            records=records,
            languages=tuple(dict.fromkeys(language)),
            beam_size=beam_size,
            max_words=max_words,
            models=models,
            cores=cores,
        )
        if engine is Engine.LOCAL:
            caption(options, Shard.parse(shard))
        else:
            from oko.batch.cluster import connected
            from oko.batch.pipeline import Pools

            with connected(address):
                caption(options, pools=Pools.fitting(cores, max_encoders))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    except (UnusableInput, OtherRequest, ModelsUnavailable, TimeoutError) as error:
        print(f"oko: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    except OkoError as error:
        print(f"oko: {error.detail}", file=sys.stderr)
        raise typer.Exit(2) from error
