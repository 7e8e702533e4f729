"""More captions in another language: a translator trained on pairs, and what it makes of ours.

    python -m train.translate --pairs pairs.en-uk.tsv.gz --language uk
    python -m train.fit --translated …

Trains `train.translator.Translator` on pairs of captions (a TSV with a header that names both
languages), then translates the captions of split ``train`` and keeps those that it was surest of
and in which every word of the source was looked at. Photos of dev and test get none. Writes
``captions.translated.jsonl`` beside each collection's ``captions.jsonl``, and the model, its
progress and a sample into ``<work-dir>/translator/<language>/``. Resumable after every epoch.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import sacrebleu
import tensorflow as tf
from tqdm import tqdm

from train.data import TRANSLATED, Photo, load_photos
from train.embeddings import read_lines, start_embedding
from train.fit import build_optimizer
from train.text import UNKNOWN, Vocabulary, repeats_bigram, tokenize
from train.translator import Pair, Translation, Translator, pair_batches

HELD_OUT = 1000  # pairs to judge by
LONGEST = 16  # words of a sentence; longer pairs are left out
LEAST_COVERAGE = 0.15
SAMPLE = 40


def load_pairs(paths: list[Path], languages: tuple[str, str]) -> list[tuple[str, str]]:
    """Sentences in both languages, each pair once."""
    pairs = (zip(*(read_lines(path, one) for one in languages), strict=True) for path in paths)
    return [
        pair
        for pair in dict.fromkeys(pair for each in pairs for pair in each)
        if all(0 < len(tokenize(text)) <= LONGEST for text in pair)
    ]


def is_kept(translation: Translation, least_log_prob: float) -> bool:
    """Sure enough, longer than two words, nothing of the source left out, no bigram repeated."""
    words = translation.text.split()
    return (
        translation.log_prob >= least_log_prob
        and translation.coverage >= LEAST_COVERAGE
        and len(words) > 2
        and not repeats_bigram(words)
    )


class Training:
    """A translator under training, with what a resumed run needs."""

    def __init__(self, model: Translator, folder: Path, learning_rate: float, steps: int) -> None:
        self.model = model
        self.optimizer = build_optimizer(learning_rate, steps)
        self.optimizer.build(model.trainable_variables)
        self.epochs = tf.Variable(0, trainable=False)
        state = tf.train.Checkpoint(model=model, optimizer=self.optimizer, epochs=self.epochs)
        self._manager = tf.train.CheckpointManager(state, str(folder / "state"), max_to_keep=1)
        if self._manager.latest_checkpoint:
            state.restore(self._manager.latest_checkpoint).assert_existing_objects_matched()

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.int32)] * 3)
    def _step(self, source: tf.Tensor, tokens: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss, cross_entropy = self.model.losses_of(source, tokens, targets, training=True)
        variables = self.model.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return cross_entropy

    def run_epoch(self, pairs: list[Pair], batch_size: int) -> float:
        """Trains on all pairs once, saves, and returns the mean cross-entropy per word."""
        losses: list[float] = []
        batches = pair_batches(pairs, batch_size, seed=int(self.epochs))
        with tqdm(batches, desc=f"epoch {int(self.epochs) + 1}", unit="step") as bar:
            for batch in bar:
                losses.append(float(self._step(*map(tf.constant, batch))))
                bar.set_postfix_str(f"{np.mean(losses[-100:]):.3f}", refresh=False)
        self.epochs.assign_add(1)
        self._manager.save(checkpoint_number=int(self.epochs))
        return float(np.mean(losses))


def judged(
    model: Translator, pairs: list[tuple[str, str]], languages: tuple[str, str], beam_size: int
) -> dict[str, float]:
    """BLEU and chrF of the held-out pairs."""
    sources = [model.source.encode(source)[:-1] for source, _ in pairs]
    found = dict(model.translate(sources, languages, beam_size))
    ours = [found[place].text for place in range(len(pairs))]
    theirs = [[" ".join(tokenize(target)) for _, target in pairs]]
    return {
        "BLEU": round(sacrebleu.corpus_bleu(ours, theirs).score, 1),
        "chrF": round(sacrebleu.corpus_chrf(ours, theirs).score, 1),
    }


def translate_captions(
    model: Translator, photos: list[Photo], languages: tuple[str, str], share: float, beam_size: int
) -> tuple[dict[int, list[str]], list[tuple[str, Translation]]]:
    """What is kept by row of the photo, and everything with its source, the surest first."""
    origins, sources = [], []
    for row, photo in enumerate(photos):
        for caption in photo.captions.get(languages[0], ()) if photo.split == "train" else ():
            ids = model.source.encode(caption)[:-1]
            if ids and UNKNOWN not in ids and len(ids) <= LONGEST:
                origins.append((row, caption))
                sources.append(ids)
    with tqdm(total=len(sources), desc="translate", unit="caption") as bar:
        found: list[tuple[int, Translation]] = []
        for answer in model.translate(sources, languages, beam_size):
            found.append(answer)
            bar.update()
    found.sort(key=lambda answer: -answer[1].log_prob)
    least = found[int(share * len(found)) - 1][1].log_prob
    kept: dict[int, list[str]] = {}
    for place, translation in found:
        row, _ = origins[place]
        known = {*photos[row].captions.get(languages[1], ()), *kept.get(row, ())}
        if is_kept(translation, least) and translation.text not in known:
            kept.setdefault(row, []).append(translation.text)
    return kept, [(origins[place][1], translation) for place, translation in found]


def write_captions(
    work_dir: Path, photos: list[Photo], kept: dict[int, list[str]], language: str
) -> None:
    """One file a collection, a line for every photo that has translations."""
    for collection in dict.fromkeys(photo.collection for photo in photos):
        path = work_dir / "data" / collection / TRANSLATED
        with path.open("w") as file:
            for row, texts in sorted(kept.items()):
                if photos[row].collection == collection:
                    line = {"image": photos[row].path.name, language: texts}
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m train.translate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--pairs", type=Path, action="append", required=True, help="TSV with header"
    )
    parser.add_argument("--source", default="en", help="language that is translated from")
    parser.add_argument("--language", required=True, help="language that is translated into")
    parser.add_argument("--collection", action="append", help="default: flickr8k and coco")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--minutes", type=float, help="start no epoch after this time")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--min-count", type=int, default=4, help="rarer words are left out")
    parser.add_argument("--beam-size", type=int, default=2)
    parser.add_argument(
        "--share", type=float, default=0.6, help="of the translations, surest first"
    )
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    languages = (arguments.source, arguments.language)
    folder = arguments.work_dir / "translator" / arguments.language
    folder.mkdir(parents=True, exist_ok=True)
    texts = load_pairs(arguments.pairs, languages)
    order = np.random.default_rng(0).permutation(len(texts))
    held_out = [texts[i] for i in order[:HELD_OUT]]
    train = [texts[i] for i in order[HELD_OUT:]]
    source, target = (
        Vocabulary.from_captions(column, arguments.min_count) for column in zip(*train, strict=True)
    )
    print(f"{len(train)} pairs, {len(source)} and {len(target)} words")
    pairs = [(source.encode(ours)[:-1], target.encode(theirs)) for ours, theirs in train]

    model = Translator(source, target)
    vectors = arguments.work_dir / "embeddings"
    start_embedding(model.embedding, source.words, vectors / f"{languages[0]}.kv")
    start_embedding(model.decoder.embedding, target.words, vectors / f"{languages[1]}.kv")
    steps = arguments.epochs * len(pair_batches(pairs, arguments.batch_size, seed=0))
    training = Training(model, folder, arguments.learning_rate, steps)
    deadline = time.monotonic() + 60 * (arguments.minutes or 1e9)
    while int(training.epochs) < arguments.epochs and time.monotonic() < deadline:
        loss = training.run_epoch(pairs, arguments.batch_size)
        scores = judged(model, held_out, languages, arguments.beam_size)
        row = {"epoch": int(training.epochs), "loss": round(loss, 3), **scores}
        print(json.dumps(row))
        with (folder / "scores.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")

    photos = load_photos(arguments.work_dir, arguments.collection or ("flickr8k", "coco"))
    kept, everything = translate_captions(
        model, photos, languages, arguments.share, arguments.beam_size
    )
    write_captions(arguments.work_dir, photos, kept, arguments.language)
    count = sum(map(len, kept.values()))
    print(f"{count} of {len(everything)} translations kept, for {len(kept)} photos")
    places = np.random.default_rng(0).permutation(len(everything))[:SAMPLE]
    lines = [
        f"{translation.log_prob:.2f}\t{translation.coverage:.2f}\t{ours}\t{translation.text}\n"
        for ours, translation in (everything[place] for place in sorted(places))
    ]
    (folder / "sample.tsv").write_text("".join(lines))


if __name__ == "__main__":
    main()
