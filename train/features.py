"""Activations of an encoder on every photo, computed once, float16 on disk.

    python -m train.features --weights nsfwjs --layer mixed10
    python -m train.features --weights runs/distill/student/student.weights.h5 --name student \
        --from-cached nsfwjs/mixed4

Writes ``<work-dir>/features/<name>/<collection>/<layer>.npy``, rows in the order of `load_photos`.
Interrupted runs go on where they stopped. ``--from-cached`` spares the lower blocks when the
weights are known to differ only above a layer that is on disk already. ``--augment SEED`` changes
every photo at random before (`train.augment`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import keras
import numpy as np
from tqdm import tqdm

from train.augment import load_augmented
from train.data import IMAGE_SIZE, Photo, load_photos, load_pixels
from train.inception import BFLOAT16, build_inception, input_range
from train.read_ahead import read_ahead

Extract = Callable[[np.ndarray], list[np.ndarray]]  # a batch → one array a layer
Source = Callable[[int], Iterator[np.ndarray]]  # batches from this photo on


class FeatureStore:
    """One ``.npy`` per layer for the photos of a collection, filled in order, resumable."""

    def __init__(self, folder: Path, shapes: dict[str, tuple[int, ...]], count: int) -> None:
        """`shapes` maps a layer to the shape of one photo's activation."""
        folder.mkdir(parents=True, exist_ok=True)
        self._progress = folder / "progress.txt"
        same = self._progress.exists() and all((folder / f"{k}.npy").exists() for k in shapes)
        self.done = int(self._progress.read_text()) if same else 0
        self._arrays = [
            np.lib.format.open_memmap(
                folder / f"{layer}.npy",
                mode="r+" if same else "w+",
                dtype=np.float16,
                shape=(count, *shape),
            )
            for layer, shape in shapes.items()
        ]
        if same and len(self._arrays[0]) != count:
            raise SystemExit(f"{folder} was made for other photos; delete it and run again")

    def append(self, activations: list[np.ndarray]) -> None:
        for array, values in zip(self._arrays, activations, strict=True):
            array[self.done : self.done + len(values)] = values
        self.done += len(activations[0])
        self._progress.write_text(str(self.done))


def load_features(work_dir: Path, name: str, layer: str, collection: str) -> np.ndarray:
    """Activations of a collection, float16 [photos, ...], memory-mapped.

    Of a run that was interrupted: those of the first photos.
    """
    folder = work_dir / "features" / name / collection
    return np.load(folder / f"{layer}.npy", mmap_mode="r")[
        : int((folder / "progress.txt").read_text())
    ]


def project(
    projection: keras.layers.Dense, grids: np.ndarray, rows: list[int], batch_size: int = 64
) -> np.ndarray:
    """float32 [rows, 64, D]: the chosen grids [8, 8, C] through the encoder's last layer."""
    parts = []
    for start in range(0, len(rows), batch_size):
        grid = grids[rows[start : start + batch_size]].astype(np.float32)
        parts.append(projection(grid.reshape(len(grid), -1, grid.shape[-1])).numpy())
    return np.concatenate(parts)


def pixel_batches(
    photos: list[Photo], batch_size: int, load: Callable[[Path], np.ndarray] = load_pixels
) -> Iterator[np.ndarray]:
    """Batches of uint8 [n, 299, 299, 3]; the next one is decoded while this one is used."""

    def decode(start: int) -> np.ndarray:
        return np.stack([load(photo.path) for photo in photos[start : start + batch_size]])

    return read_ahead(decode, range(0, len(photos), batch_size))


def from_photos(photos: list[Photo], augment: int | None = None, batch_size: int = 16) -> Source:
    """Pixels of the photos, changed at random when `augment` is a seed."""

    def load(path: Path) -> np.ndarray:
        # Python's own hash of a name differs from run to run.
        return load_augmented(path, crc32(path.name.encode(), augment or 0))

    return lambda start: pixel_batches(
        photos[start:], batch_size, load_pixels if augment is None else load
    )


def from_array(array: np.ndarray, mirrored: bool = False, batch_size: int = 16) -> Source:
    """Rows of a cached activation [n, h, w, c], or of nearly that of the mirrored photos."""
    columns = slice(None, None, -1 if mirrored else 1)
    return lambda start: (
        array[i : i + batch_size, :, columns] for i in range(start, len(array), batch_size)
    )


def fill(
    folder: Path,
    count: int,
    source: Source,
    extract: Extract,
    shapes: dict[str, tuple[int, ...]],
) -> None:
    """Runs `extract` over the photos that the store in `folder` does not hold yet."""
    store = FeatureStore(folder, shapes, count)
    with tqdm(total=count, initial=store.done, desc=folder.name, unit="photo") as bar:
        for batch in source(store.done):
            store.append(extract(batch))
            bar.update(len(batch))


def layer_extractor(model: keras.Model, layers: list[str], low: float, high: float) -> Extract:
    """An `Extract` from uint8 [n, 299, 299, 3], for a model with inputs in [low, high]."""
    import tensorflow as tf

    head = keras.Model(model.input, [model.get_layer(name).output for name in layers])

    @tf.function(input_signature=[tf.TensorSpec((None, IMAGE_SIZE, IMAGE_SIZE, 3), tf.uint8)])
    def run(pixels: tf.Tensor) -> list[tf.Tensor]:
        scaled = tf.cast(pixels, tf.float32) * ((high - low) / 255.0) + low
        outputs = head(scaled, training=False)
        return [tf.cast(output, tf.float16) for output in keras.tree.flatten(outputs)]

    return lambda pixels: [output.numpy() for output in run(pixels)]


def upper_extractor(model: keras.Model, cut: str, layers: list[str]) -> Extract:
    """An `Extract` from cached activations of the layer `cut`, float16 [n, h, w, c]."""
    import tensorflow as tf

    below = model.get_layer(cut).output
    head = keras.Model(below, [model.get_layer(name).output for name in layers])

    @tf.function(input_signature=[tf.TensorSpec((None, *below.shape[1:]), tf.float16)])
    def run(activation: tf.Tensor) -> list[tf.Tensor]:
        outputs = head(tf.cast(activation, tf.float32), training=False)
        return [tf.cast(output, tf.float16) for output in keras.tree.flatten(outputs)]

    return lambda activation: [output.numpy() for output in run(activation)]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m train.features",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--weights", default="nsfwjs", help="nsfwjs, imagenet or a .weights.h5")
    parser.add_argument("--name", help="folder under features/ (default: the weights' name)")
    parser.add_argument("--layer", action="append", help="default: mixed10; may be repeated")
    parser.add_argument("--from-cached", metavar="NAME/LAYER", help="what to start from, on disk")
    parser.add_argument("--mirrored", action="store_true", help="with --from-cached")
    parser.add_argument("--augment", type=int, metavar="SEED", help="change the photos at random")
    parser.add_argument("--collection", action="append", help="default: all imported")
    parser.add_argument("--bfloat16", action="store_true", help=BFLOAT16)
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    arguments = parser.parse_args()
    if arguments.augment is not None and (arguments.from_cached or not arguments.name):
        parser.error("--augment needs a --name of its own, and photos to start from")
    if arguments.mirrored and not (arguments.from_cached and arguments.name):
        parser.error("--mirrored needs a --name of its own, and --from-cached")
    work_dir, layers = arguments.work_dir, arguments.layer or ["mixed10"]
    name = arguments.name or Path(arguments.weights).name.split(".")[0]
    model = build_inception(arguments.weights, work_dir / "weights", bfloat16=arguments.bfloat16)
    shapes = {layer: tuple(model.get_layer(layer).output.shape[1:]) for layer in layers}
    if arguments.from_cached:
        lower, cut = arguments.from_cached.split("/")
        extract = upper_extractor(model, cut, layers)
    else:
        extract = layer_extractor(model, layers, *input_range(arguments.weights))
    photos = load_photos(work_dir, arguments.collection or ())
    for collection in dict.fromkeys(photo.collection for photo in photos):
        members = [photo for photo in photos if photo.collection == collection]
        if arguments.from_cached:
            cached = load_features(work_dir, lower, cut, collection)
            source = from_array(cached, arguments.mirrored)
        else:
            source = from_photos(members, arguments.augment)
        folder = work_dir / "features" / name / collection
        fill(folder, len(members), source, extract, shapes)


if __name__ == "__main__":
    main()
