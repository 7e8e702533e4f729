"""Makes the score of a caption mean something: what share of its words people would use as well.

    python -m train.calibrate --run runs/fit/base --language en --language uk

For every dev photo: the mean log-probability of its caption, and the share of the caption's content
words that stand in a reference. ``score = sigmoid(slope · mean log-probability + intercept)`` is
fitted to that share by cross-entropy (Platt 1999, with shares for labels). The plot
``calibration.png`` is made from folds: each photo is scored by a fit that has not seen it. The rule
goes into ``run.json``, from where `export` takes it into ``vocabulary.json``: export, calibrate
with ``--models`` and export again where a run has no cached features.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from train import checkpoint
from train.data import load_photos
from train.evaluate import captioner
from train.plots import plot_reliability
from train.search import describe
from train.text import load_language, tokenize

BEAM_SIZE = 3  # what the services answer with unless asked otherwise
FOLDS = 5
BINS = 10


def shared_words(
    caption: str, references: tuple[str, ...], function_words: frozenset[str]
) -> float:
    """Share of the caption's content words that at least one reference has, 0 to 1."""
    content = [word for word in tokenize(caption) if word not in function_words]
    said = {word for reference in references for word in tokenize(reference)}
    return sum(word in said for word in content) / max(1, len(content))


def fit_rule(log_probs: np.ndarray, shares: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of least cross-entropy; both arrays are float [captions]."""

    def cross_entropy(rule: np.ndarray) -> float:
        logits = rule[0] * log_probs + rule[1]
        return float(np.mean(np.logaddexp(0, logits) - shares * logits))

    slope, intercept = minimize(cross_entropy, np.array([1.0, 0.0])).x
    return float(slope), float(intercept)


def cross_scored(log_probs: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The score of every caption by a fit on the other folds."""
    fold = np.random.default_rng(0).permutation(len(shares)) % FOLDS
    scores = np.empty(len(shares))
    for held_out in range(FOLDS):
        chosen = fold == held_out
        slope, intercept = fit_rule(log_probs[~chosen], shares[~chosen])
        scores[chosen] = expit(slope * log_probs[chosen] + intercept)
    return scores


def reliability(scores: np.ndarray, shares: np.ndarray) -> list[tuple[float, float]]:
    """(mean score, mean share) of equally large bins, lowest scores first."""
    order = np.argsort(scores)
    return [
        (float(scores[rows].mean()), float(shares[rows].mean()))
        for rows in np.array_split(order, BINS)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m train.calibrate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--run", type=Path, required=True, help="folder that train.fit wrote")
    parser.add_argument("--models", type=Path, help="what the run was exported to: spares features")
    parser.add_argument("--collection", default="flickr8k")
    parser.add_argument("--language", action="append", help="default: all of the run")
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    arguments = parser.parse_args()
    run, work_dir = arguments.run, arguments.work_dir
    everything = load_photos(work_dir, [arguments.collection])
    notes = checkpoint.read_notes(run)
    rules, curves = notes.setdefault("calibration", {}), {}
    for language in arguments.language or checkpoint.languages(run):
        split = [photo for photo in everything if photo.split == "dev"]
        engine, vocabulary, features = captioner(arguments.models, run, language, split, work_dir)
        known = [row for row, photo in enumerate(split) if photo.captions.get(language)]
        dev = [split[row] for row in known]
        beams = describe(engine, features[known], BEAM_SIZE)
        function_words = load_language(language).no_end
        log_probs = np.array([beam.rank(1.0) for beam in beams])
        shares = np.array(
            [
                shared_words(vocabulary.decode(beam.ids), photo.captions[language], function_words)
                for beam, photo in zip(beams, dev, strict=True)
            ]
        )
        slope, intercept = fit_rule(log_probs, shares)
        rules[language] = {"slope": round(slope, 4), "intercept": round(intercept, 4)}
        scores = cross_scored(log_probs, shares)
        curves[language] = reliability(scores, shares)
        error = np.mean([abs(score - share) for score, share in curves[language]])
        correlation = np.corrcoef(scores, shares)[0, 1]
        print(
            f"{language}: {rules[language]}; mean share {shares.mean():.3f}, "
            f"calibration error {error:.3f}, correlation {correlation:.2f}"
        )
    checkpoint.write_notes(run, notes)
    plot_reliability(run / "calibration.png", curves)


if __name__ == "__main__":
    main()
