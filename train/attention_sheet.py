"""Where the words of dev captions look, as pictures for the eye and as one number for sharpness.

    python -m train.attention_sheet --run runs/fit/base --count 36

A row shows a photo and, for each content word of its caption, the photo lit where the word looked.
Photos are drawn with a fixed seed. Prints the mean effective number of places, exp(entropy), of
content words: 64 is looking everywhere, 1 is looking at one place. Writes ``attention-<n>.jpg``
into the run's folder.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from train.data import load_photos
from train.evaluate import captioner
from train.search import Beam, describe
from train.text import load_language

BEAM_SIZE = 3
ROWS = 6
COLUMNS = 7  # the photo and its first six content words
CELL = 200  # pixels


def effective_places(attention: np.ndarray) -> np.ndarray:
    """exp(entropy) of float [..., 64], between 1 and 64."""
    return np.exp(-(attention * np.log(attention + 1e-12)).sum(axis=-1))


def lit(photo: np.ndarray, attention: np.ndarray) -> np.ndarray:
    """The photo, dark where attention [64] is low; its highest place has full light."""
    grid = attention.reshape(8, 8).astype(np.float32) / attention.max()
    mask = cv2.resize(grid, (CELL, CELL), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    return (photo * (0.15 + 0.85 * mask[..., None])).astype(np.uint8)


def row_of(path: Path, words: list[str], beam: Beam, function_words: frozenset[str]) -> np.ndarray:
    """uint8 [CELL + 24, COLUMNS · CELL, 3]."""
    photo = cv2.resize(cv2.imread(str(path)), (CELL, CELL), interpolation=cv2.INTER_AREA)
    content = [i for i, word in enumerate(words) if word not in function_words]
    cells = [photo, *(lit(photo, beam.attention[i]) for i in content[: COLUMNS - 1])]
    cells += [np.zeros_like(photo)] * (COLUMNS - len(cells))
    strip = np.zeros((24, COLUMNS * CELL, 3), np.uint8)
    labels = [path.stem[:10], *(words[i] for i in content)]
    for column, label in enumerate(labels[:COLUMNS]):
        place = (column * CELL + 4, 17)
        cv2.putText(strip, label, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1)
    return np.concatenate([strip, np.concatenate(cells, axis=1)])


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m train.attention_sheet",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--run", type=Path, required=True, help="folder that train.fit wrote")
    parser.add_argument("--models", type=Path, help="what the run was exported to: spares features")
    parser.add_argument("--collection", default="flickr8k")
    parser.add_argument("--count", type=int, default=36)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    arguments = parser.parse_args()
    photos = load_photos(arguments.work_dir, [arguments.collection])
    dev = [photo for photo in photos if photo.split == "dev"]
    drawn = np.random.default_rng(arguments.seed).choice(len(dev), arguments.count, replace=False)
    drawn.sort()
    engine, vocabulary, features = captioner(
        arguments.models, arguments.run, "en", dev, arguments.work_dir
    )
    beams = describe(engine, features[drawn], BEAM_SIZE)
    function_words = load_language("en").no_end
    rows, places = [], []
    for photo, beam in zip((dev[i] for i in drawn), beams, strict=True):
        words = vocabulary.decode(beam.ids).split()
        rows.append(row_of(photo.path, words, beam, function_words))
        looked = effective_places(np.array(beam.attention))
        places += [looked[i] for i, word in enumerate(words) if word not in function_words]
    for number, start in enumerate(range(0, len(rows), ROWS), start=1):
        sheet = np.concatenate(rows[start : start + ROWS])
        cv2.imwrite(str(arguments.run / f"attention-{number}.jpg"), sheet)
    print(f"content words look at {np.mean(places):.1f} of 64 places ({len(places)} words)")


if __name__ == "__main__":
    main()
