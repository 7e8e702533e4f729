"""Linear probe: how much of a photo's caption words can be read from pooled features.

For the most frequent caption words, a ridge classifier on mean-pooled features of train photos is
scored by average precision on dev photos. Cheap, no decoder needed: it chooses between encoders.

    python -m train.probe --name nsfwjs --layer mixed10
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from train.data import Photo, load_photos
from train.features import load_features
from train.text import load_language, tokenize

WORDS = 150
RIDGES = (1e-1, 1.0, 10.0, 100.0, 1e3)
_FUNCTION_WORDS = load_language("en").no_end | {"there", "off", "down", "out", "through"}


def word_labels(photos: list[Photo], words: list[str]) -> np.ndarray:
    """bool [photos, words]: the word stands in one of the photo's English captions."""
    index = {word: i for i, word in enumerate(words)}
    labels = np.zeros((len(photos), len(words)), bool)
    for row, photo in enumerate(photos):
        for caption in photo.captions.get("en", ()):
            for word in tokenize(caption):
                if word in index:
                    labels[row, index[word]] = True
    return labels


def frequent_words(photos: list[Photo], count: int = WORDS) -> list[str]:
    """The words that stand in the captions of the most photos, without function words."""
    seen = Counter(
        word
        for photo in photos
        for word in {w for caption in photo.captions.get("en", ()) for w in tokenize(caption)}
    )
    return [
        word
        for word, _ in seen.most_common(count + len(_FUNCTION_WORDS))
        if word not in _FUNCTION_WORDS
    ][:count]


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """Mean over words of the average precision; words without a positive photo do not count."""
    order = np.argsort(-scores, axis=0)
    hits = np.take_along_axis(labels, order, axis=0)  # [photos, words]
    precision = np.cumsum(hits, axis=0) / np.arange(1, len(hits) + 1)[:, None]
    positives = hits.sum(axis=0)
    present = positives > 0
    return float(((precision * hits).sum(axis=0)[present] / positives[present]).mean())


def probe(
    train: np.ndarray, train_labels: np.ndarray, dev: np.ndarray, dev_labels: np.ndarray
) -> float:
    """Mean average precision on dev of the best ridge.

    Args:
        train: pooled features float32 [photos, C].
        train_labels: bool [photos, words].
        dev, dev_labels: the same for dev photos.
    """
    mean, scale = train.mean(axis=0), train.std(axis=0) + 1e-6
    inputs, tests = (train - mean) / scale, (dev - mean) / scale
    targets = train_labels.astype(np.float64) - train_labels.mean(axis=0)
    # Dual form: the number of photos is below the number of channels.
    gram = inputs @ inputs.T / inputs.shape[1]
    cross = tests @ inputs.T / inputs.shape[1]
    eigenvalues, vectors = np.linalg.eigh(gram.astype(np.float64))
    rotated = vectors.T @ targets
    return max(
        average_precision(
            cross @ (vectors @ (rotated / (eigenvalues + ridge)[:, None])), dev_labels
        )
        for ridge in RIDGES
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m train.probe",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--name", default="nsfwjs", help="folder under features/")
    parser.add_argument("--layer", default="mixed10")
    parser.add_argument("--collection", default="flickr8k")
    parser.add_argument("--train-photos", type=int, default=1300)
    parser.add_argument("--dev-photos", type=int, default=400)
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    arguments = parser.parse_args()
    photos = load_photos(arguments.work_dir, [arguments.collection])
    features = load_features(
        arguments.work_dir, arguments.name, arguments.layer, arguments.collection
    )
    words = frequent_words([photo for photo in photos if photo.split == "train"])

    def pooled(split: str, count: int) -> tuple[np.ndarray, np.ndarray]:
        rows = [i for i, photo in enumerate(photos) if photo.split == split][:count]
        means = np.stack([features[i].astype(np.float32).mean(axis=(0, 1)) for i in rows])
        return means, word_labels([photos[i] for i in rows], words)

    score = probe(*pooled("train", arguments.train_photos), *pooled("dev", arguments.dev_photos))
    print(f"{arguments.name} {arguments.layer}: mAP {score:.3f} of {len(words)} words")


if __name__ == "__main__":
    main()
