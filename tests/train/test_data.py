"""Importers read what people have on disk into one layout."""

import io
import json
import tarfile
from pathlib import Path

from PIL import Image

from train.data import (
    import_shards,
    load_photos,
    load_pixels,
    read_coco,
    read_csv,
    read_flickr8k,
    read_flickr30k,
    write_collection,
)


def test_flickr8k_tokens_with_standard_splits(tmp_path: Path) -> None:
    (tmp_path / "tokens.txt").write_text(
        "1.jpg#0\tA dog .\n1.jpg#1\tDogs run .\n2.jpg#0\tA cat .\n"
    )
    for split, name in (("train", "1.jpg"), ("dev", ""), ("test", "2.jpg")):
        (tmp_path / f"Flickr_8k.{split}Images.txt").write_text(name)
    rows = list(read_flickr8k(tmp_path / "tokens.txt", tmp_path))
    assert rows[0] == ("1.jpg", "train", "en", "A dog .")
    assert rows[2][1] == "test"


def test_flickr30k_skips_the_line_without_a_caption(tmp_path: Path) -> None:
    lines = [
        "image_name| comment_number| comment",
        "1.jpg| 0| A dog | runs .",
        "2.jpg| 4   A cat .",
    ]
    (tmp_path / "results.csv").write_text("\n".join(lines))
    assert list(read_flickr30k(tmp_path / "results.csv")) == [("1.jpg", "", "en", "A dog | runs .")]


def test_coco_and_csv_and_a_third_language(tmp_path: Path) -> None:
    document = {
        "images": [{"id": 7, "file_name": "7.jpg"}],
        "annotations": [{"image_id": 7, "caption": "A bus"}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(document))
    assert list(read_coco(tmp_path / "coco.json", "dev")) == [("7.jpg", "dev", "en", "A bus")]
    (tmp_path / "own.csv").write_text("image,caption,language\n9.jpg,Ein Hund,de\n")
    assert list(read_csv(tmp_path / "own.csv", "en")) == [("9.jpg", "", "de", "Ein Hund")]


def test_photos_without_a_split_are_divided_the_same_way_every_time(tmp_path: Path) -> None:
    rows = [(f"{i}.jpg", "", "en", "a dog") for i in range(100)]
    for name in ("one", "two"):
        assert write_collection(tmp_path / "data" / name, rows) == 100
    one, two = (load_photos(tmp_path, [name]) for name in ("one", "two"))
    assert [p.split for p in one] == [p.split for p in two]
    assert sum(p.split == "dev" for p in one) == 10
    assert sum(p.split == "train" for p in one) == 80


def test_shards_with_and_without_captions(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    picture = io.BytesIO()
    Image.new("RGB", (500, 100), "red").save(picture, "JPEG")
    with tarfile.open(source / "images-0.tar", "w") as archive:
        entry = tarfile.TarInfo("a.jpg")
        entry.size = len(picture.getvalue())
        archive.addfile(entry, io.BytesIO(picture.getvalue()))
    assert import_shards(source, tmp_path / "data" / "plain") == 1
    (photo,) = load_photos(tmp_path)
    assert (photo.split, photo.captions) == ("train", {})
    assert load_pixels(photo.path).shape == (299, 299, 3)
