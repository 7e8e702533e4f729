"""Inputs of `oko batch`: scikit-image's photos under other names and sizes, in every packing."""

import io
import tarfile
from collections.abc import Mapping
from itertools import product
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from tests import photos

BROKEN = b"this is not an image"


def jpegs(count: int, size: int = 320) -> dict[str, bytes]:
    """Files by name. Every one is another picture: cut, turned and scaled differently."""
    originals = [Image.open(path).convert("RGB") for path in photos.ALL]
    variants = product(range(1_000_000), range(len(originals)))
    made: dict[str, bytes] = {}
    for index, (round_, photo) in zip(range(count), variants, strict=False):
        image = originals[photo]
        margin = round_ % 40
        image = image.crop((margin, margin, image.width - margin, image.height - margin))
        if round_ % 2:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        body = io.BytesIO()
        image.resize((size + round_ % 64, size)).save(body, "JPEG", quality=85 + round_ // 64 % 10)
        made[f"{index:06}.jpg"] = body.getvalue()
    return made


def folder(path: Path, files: Mapping[str, bytes]) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def parquet(path: Path, files: Mapping[str, bytes], rows_per_group: int = 1000) -> Path:
    """Columns `name` and `image`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"name": list(files), "image": list(files.values())})
    pq.write_table(table, path, row_group_size=rows_per_group)
    return path


def shard(path: Path, files: Mapping[str, bytes]) -> Path:
    """A tar of WebDataset samples: each image with a text of the same name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            for member, body in ((name, data), (f"{Path(name).stem}.txt", b"words")):
                info = tarfile.TarInfo(member)
                info.size = len(body)
                tar.addfile(info, io.BytesIO(body))
    return path
