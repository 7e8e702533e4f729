"""A small model on made-up features learns to say what it was shown, and resumes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from train import checkpoint
from train.data import write_collection
from train.features import FeatureStore

CAPTIONS = ("a black dog runs in the snow", "two men ride a red bus", "a cat sleeps on a chair")
PHOTOS = 60


def make_workspace(root: Path) -> None:
    """Photos that are one of three pictures; dev photos look like train photos."""
    rows = [
        (f"{i}.jpg", "dev" if i // 3 % 6 == 5 else "train", "en", CAPTIONS[i % len(CAPTIONS)])
        for i in range(PHOTOS)
    ]
    write_collection(root / "data" / "made", rows)
    generator = np.random.default_rng(0)
    looks = generator.random((len(CAPTIONS), 8, 8, 2048), np.float32)
    for name in ("made", "changed"):
        grids = looks[np.arange(PHOTOS) % len(CAPTIONS)]
        grids = grids + 0.05 * generator.random((PHOTOS, 8, 8, 2048), np.float32)
        folder = root / "features" / name / "made"
        store = FeatureStore(folder, {"mixed10": grids.shape[1:]}, len(grids))
        store.append([grids.astype(np.float16)])
    (root / "more.txt").write_text("a black dog rides a bus\ntwo men sleeps in the snow\n" * 9)


def fit(root: Path, epochs: int) -> str:
    command = [sys.executable, "-m", "train.fit", "--work-dir", str(root), "--features", "made"]
    command += ["--encoder", "made", "--collection", "made", "--also", "changed"]
    command += ["--text", f"en={root / 'more.txt'}"]
    command += ["--epochs", str(epochs), "--batch-size", "8", "--learning-rate", "3e-3"]
    command += ["--name", "small", "--min-count", "1"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_learns_resumes_and_keeps_the_best_epoch(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    fit(tmp_path, epochs=2)
    fit(tmp_path, epochs=12)
    run = tmp_path / "fit" / "small"
    history = checkpoint.read_notes(run)["history"]
    assert [row["epoch"] for row in history] == list(range(1, 13))
    assert history[-1]["loss"] < history[0]["loss"] / 3
    assert max(row["cider"]["en"] for row in history) > 300
    assert (run / "curves.png").stat().st_size > 5000

    scores = run / "scores.json"
    command = [sys.executable, "-m", "train.evaluate", "--run", str(run), "--collection", "made"]
    command += ["--work-dir", str(tmp_path), "--beam-size", "1", "3", "--json", str(scores)]
    subprocess.run(command, check=True, capture_output=True)
    greedy, beam = json.loads(scores.read_text())
    assert greedy["BLEU-4"] > 90
    assert beam["cut end"] == 0
