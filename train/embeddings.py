"""Word vectors for the decoders: word2vec on all caption text, 300 dimensions.

    python -m train.embeddings --text en=more.en.txt.gz --text uk=pairs.en-uk.tsv.gz
    python -m train.embeddings --language en --pretrained GoogleNews-vectors-negative300.bin

Trains on the captions of split ``train`` and on ``--text`` (plain lines, or a TSV with a header
that has the language as a column). ``--pretrained`` vectors in word2vec format are merged: words
that both have start from the published vector and go on learning (gensim's ``intersect``).
Writes ``<work-dir>/embeddings/<language>.kv``.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import keras
import numpy as np
from gensim.models import KeyedVectors, Word2Vec
from tqdm import tqdm

from train.data import caption_languages, load_photos
from train.text import tokenize

SIZE = 300


def language_and_path(text: str) -> tuple[str, Path]:
    """``uk=pairs.tsv`` → its two sides."""
    language, _, path = text.partition("=")
    if not path:
        raise argparse.ArgumentTypeError(f"{text!r} is not LANGUAGE=PATH")
    return language, Path(path)


def read_lines(path: Path, language: str) -> Iterator[str]:
    """Sentences of a text file or of one column of a TSV; ``.gz`` is unpacked.

    Raises:
        ValueError: a TSV's first line does not name the language.
    """
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as raw:
        file = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        if ".tsv" not in path.name:
            yield from (line.strip() for line in file)
            return
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        header = next(rows)
        if language not in header:
            raise ValueError(f"{path}: no column {language!r} in {header}")
        column = header.index(language)
        yield from (row[column] for row in rows)


def train_vectors(
    sentences: list[list[str]], epochs: int, pretrained: Path | None, workers: int
) -> KeyedVectors:
    """Skip-gram vectors of every word seen twice or more (Mikolov et al. 2013, arXiv 1301.3781)."""
    model = Word2Vec(vector_size=SIZE, window=5, min_count=2, sg=1, negative=8, workers=workers)
    model.build_vocab(sentences)
    if pretrained:
        binary = pretrained.suffix == ".bin"
        model.wv.vectors_lockf = np.ones(1, np.float32)
        model.wv.intersect_word2vec_format(str(pretrained), binary=binary, lockf=1.0)
    # Random order between epochs is not offered; one call per epoch gives a progress bar.
    alphas = np.linspace(0.025, 0.001, epochs + 1)
    for start, end in tqdm(list(pairwise(alphas)), unit="epoch"):
        model.train(
            sentences,
            total_examples=len(sentences),
            epochs=1,
            start_alpha=start,
            end_alpha=end,
        )
    return model.wv


def embedding_matrix(vectors: KeyedVectors, words: Iterable[str], seed: int = 0) -> np.ndarray:
    """float32 [words, 300]: vectors scaled to a standard deviation of 0.1; unknown words random."""
    words = list(words)
    matrix = np.random.default_rng(seed).normal(0, 0.1, (len(words), SIZE)).astype(np.float32)
    scale = 0.1 / vectors.vectors.std()
    for row, word in enumerate(words):
        if word in vectors:
            matrix[row] = vectors[word] * scale
    return matrix


def start_embedding(layer: keras.layers.Embedding, words: Iterable[str], path: Path) -> None:
    """Gives words the vectors in a ``.kv`` file; without one they stay random, which it says."""
    if path.exists():
        layer.set_weights([embedding_matrix(KeyedVectors.load(str(path)), words)])
    else:
        print(f"{path} is missing: {path.stem} starts from random word vectors")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m train.embeddings",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--language", action="append", help="default: those of the captions")
    parser.add_argument(
        "--text", action="append", default=[], type=language_and_path, metavar="LANGUAGE=PATH"
    )
    parser.add_argument("--pretrained", type=Path, help="published vectors, word2vec format")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    arguments = parser.parse_args()
    photos = [photo for photo in load_photos(arguments.work_dir) if photo.split == "train"]
    folder = arguments.work_dir / "embeddings"
    folder.mkdir(exist_ok=True)
    for language in arguments.language or caption_languages(photos):
        texts = [caption for photo in photos for caption in photo.captions.get(language, ())]
        for other, path in arguments.text:
            if other == language:
                texts += read_lines(path, language)
        sentences = [tokenize(text) for text in texts]
        vectors = train_vectors(
            sentences, arguments.epochs, arguments.pretrained, arguments.workers
        )
        vectors.save(str(folder / f"{language}.kv"))
        probe = {"en": "dog", "uk": "собака"}.get(language, vectors.index_to_key[0])
        near = ", ".join(word for word, _ in vectors.most_similar(probe, topn=5))
        print(f"{language}: {len(sentences)} sentences, {len(vectors)} words; near {probe}: {near}")


if __name__ == "__main__":
    main()
