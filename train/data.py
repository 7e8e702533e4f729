"""Photos with captions, from what people have on disk to one layout.

    python -m train.data shards     DIR  --name flickr8k           # captions.jsonl + images-N.tar
    python -m train.data flickr8k   Flickr8k.token.txt --images DIR [--splits DIR]
    python -m train.data flickr30k  results.csv --images DIR
    python -m train.data coco       captions_train2017.json --images DIR --split train
    python -m train.data csv        captions.csv --images DIR [--language uk]

Each import writes ``<work-dir>/data/<name>/captions.jsonl`` (one photo a line: ``image``, ``split``
and a list of captions per language) beside ``images/``. Importing again replaces the set.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

SPLITS = ("train", "dev", "test")
IMAGE_SIZE = 299
TRANSLATED = "captions.translated.jsonl"  # what `train.translate` adds, for train photos only
_NOT_LANGUAGES = {"image", "split"}


@dataclass(frozen=True)
class Photo:
    """One photo: where it is, which split it belongs to, and its captions by language."""

    path: Path
    collection: str
    split: str
    captions: dict[str, tuple[str, ...]]


def load_photos(
    work_dir: Path, collections: Iterable[str] = (), *, translated: bool = False
) -> list[Photo]:
    """All imported photos, in a stable order: by collection, then as in its ``captions.jsonl``.

    With `translated` train photos also have the captions that `train.translate` made.
    """
    wanted = list(collections) or sorted(p.name for p in (work_dir / "data").iterdir())
    photos = []
    for name in wanted:
        root = work_dir / "data" / name
        more = _captions_by_image(root / TRANSLATED) if translated else {}
        for image, row in _rows_by_image(root / "captions.jsonl").items():
            captions = _captions(row)
            for language, texts in more.get(image, {}).items() if row["split"] == "train" else ():
                captions[language] = (*captions.get(language, ()), *texts)
            photos.append(Photo(root / "images" / image, name, row["split"], captions))
    return photos


def places(photos: Iterable[Photo]) -> list[tuple[str, int]]:
    """Collection and row in it of every photo of whole collections: where its arrays stand."""
    rows: dict[str, Iterator[int]] = {}
    return [(p.collection, next(rows.setdefault(p.collection, count()))) for p in photos]


def _rows_by_image(path: Path) -> dict[str, dict[str, Any]]:
    rows = map(json.loads, path.read_text().splitlines())
    return {row["image"]: row for row in rows}


def _captions(row: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(value) for key, value in row.items() if key not in _NOT_LANGUAGES}


def _captions_by_image(path: Path) -> dict[str, dict[str, tuple[str, ...]]]:
    if not path.exists():
        raise SystemExit(f"{path} is missing: run python -m train.translate first")
    return {image: _captions(row) for image, row in _rows_by_image(path).items()}


def caption_languages(photos: Iterable[Photo]) -> list[str]:
    """Languages that the train photos have captions in."""
    return sorted({k for p in photos if p.split == "train" for k, v in p.captions.items() if v})


def load_pixels(path: Path) -> np.ndarray:
    """The photo as the encoder sees it: uint8 [299, 299, 3], squashed, antialiased when reduced."""
    with Image.open(path) as image:
        image.draft("RGB", (2 * IMAGE_SIZE, 2 * IMAGE_SIZE))
        size = (IMAGE_SIZE, IMAGE_SIZE)
        return np.asarray(
            image.convert("RGB").resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
        )


Row = tuple[str, str, str, str]  # image file name, split, language, caption


def read_flickr8k(tokens: Path, splits: Path | None) -> Iterator[Row]:
    """Rows of ``Flickr8k.token.txt``; splits by ``Flickr_8k.{train,dev,test}Images.txt``."""
    split_of: dict[str, str] = {}
    for split in SPLITS if splits else ():
        for name in (splits / f"Flickr_8k.{split}Images.txt").read_text().split():
            split_of[name] = split
    for line in tokens.read_text().splitlines():
        key, _, caption = line.partition("\t")
        name = key.partition("#")[0]
        yield name, split_of.get(name, "train"), "en", caption


def read_flickr30k(results: Path) -> Iterator[Row]:
    """Rows of ``results.csv`` (``image_name| comment_number| comment``); it has a bad line."""
    for line in results.read_text().splitlines()[1:]:
        parts = [part.strip() for part in line.split("|", 2)]
        if len(parts) == 3:
            yield parts[0], "", "en", parts[2]


def read_coco(annotations: Path, split: str) -> Iterator[Row]:
    """Rows of a COCO ``captions_*.json``."""
    document = json.loads(annotations.read_text())
    names = {image["id"]: image["file_name"] for image in document["images"]}
    for annotation in document["annotations"]:
        yield names[annotation["image_id"]], split, "en", annotation["caption"]


def read_csv(path: Path, language: str) -> Iterator[Row]:
    """Rows of a CSV with columns ``image``, ``caption`` and, if wanted, ``split``, ``language``."""
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            yield (
                row["image"],
                row.get("split") or "",
                row.get("language") or language,
                row["caption"],
            )


def write_collection(root: Path, rows: Iterable[Row], seed: int = 0) -> int:
    """Groups rows by photo and writes ``captions.jsonl``.

    Photos whose split is empty are divided 80/10/10, by a shuffle with a fixed seed.

    Returns:
        The number of photos.
    """
    photos: dict[str, dict[str, str | list[str]]] = {}
    for name, split, language, caption in rows:
        photo = photos.setdefault(name, {"image": name, "split": split})
        photo.setdefault(language, []).append(caption)  # type: ignore[union-attr]
    loose = sorted(name for name, photo in photos.items() if not photo["split"])
    random.Random(seed).shuffle(loose)
    for index, name in enumerate(loose):
        share = index / len(loose)
        photos[name]["split"] = "dev" if share < 0.1 else "test" if share < 0.2 else "train"
    root.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(photo, ensure_ascii=False) + "\n" for photo in photos.values())
    (root / "captions.jsonl").write_text("".join(lines))
    return len(photos)


def import_shards(source: Path, root: Path) -> int:
    """Unpacks ``images-N.tar`` and takes over ``captions.jsonl``.

    Without captions the photos are for distillation only: split ``train``, no caption.
    """
    images = root / "images"
    images.mkdir(parents=True, exist_ok=True)
    names = []
    for shard in sorted(source.glob("images-*.tar")):
        with tarfile.open(shard) as archive:
            members = [member for member in archive.getmembers() if member.isfile()]
            for member in tqdm(members, desc=shard.name, unit="photo"):
                archive.extract(member, images, filter="data")
                names.append(member.name)
    captions = source / "captions.jsonl"
    if captions.exists():
        (root / "captions.jsonl").write_text(captions.read_text())
    else:
        lines = (json.dumps({"image": name, "split": "train"}) + "\n" for name in names)
        (root / "captions.jsonl").write_text("".join(lines))
    return len(names)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m train.data",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("format", choices=("shards", "flickr8k", "flickr30k", "coco", "csv"))
    parser.add_argument("path", type=Path, help="the captions file, or the folder of shards")
    parser.add_argument("--images", type=Path, help="the folder of photos")
    parser.add_argument("--name", help="name of the set (default: the format)")
    parser.add_argument("--split", default="train", choices=SPLITS, help="split of a COCO file")
    parser.add_argument("--splits", type=Path, help="folder with Flickr_8k.*Images.txt")
    parser.add_argument("--language", default="en", help="language of a CSV without that column")
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    arguments = parser.parse_args()
    if arguments.format == "shards" and not arguments.name:
        arguments.name = arguments.path.resolve().name
    if arguments.format != "shards" and not (arguments.images and arguments.images.is_dir()):
        parser.error("--images must name the folder of the photos")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    root = arguments.work_dir / "data" / (arguments.name or arguments.format)
    if arguments.format == "shards":
        count = import_shards(arguments.path, root)
    else:
        rows = {
            "flickr8k": lambda: read_flickr8k(arguments.path, arguments.splits),
            "flickr30k": lambda: read_flickr30k(arguments.path),
            "coco": lambda: read_coco(arguments.path, arguments.split),
            "csv": lambda: read_csv(arguments.path, arguments.language),
        }[arguments.format]()
        count = write_collection(root, rows)
        link = root / "images"
        link.unlink(missing_ok=True)
        link.symlink_to(arguments.images.resolve())
    print(f"{root}: {count} photos")


if __name__ == "__main__":
    main()
