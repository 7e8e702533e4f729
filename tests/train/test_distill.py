"""A student learns from a teacher on made-up photos, is probed, and goes on where it stopped."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from train.data import write_collection
from train.inception import in_creation_order

COLOURS = ("red", "green", "blue")
PHOTOS = 12


def make_photos(root: Path) -> None:
    rows = []
    images = root / "data" / "flickr8k" / "images"
    images.mkdir(parents=True)
    for number in range(PHOTOS):
        colour = COLOURS[number % len(COLOURS)]
        Image.new("RGB", (40, 30), colour).save(images / f"{number}.jpg")
        rows.append((f"{number}.jpg", "dev" if number % 4 == 3 else "train", "en", f"{colour} sky"))
    write_collection(root / "data" / "flickr8k", rows)


def make_teacher(path: Path) -> None:
    """Small random convolutions in the shapes of the 2015 network."""
    model = keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(299, 299, 3)
    )
    model = keras.Model(model.input, model.get_layer("mixed8").output)
    generator = np.random.default_rng(0)
    arrays = {}
    for layer in in_creation_order(model, keras.layers.Conv2D):
        shape = layer.kernel.shape
        kernel = generator.normal(0, (2 / np.prod(shape[:3])) ** 0.5, shape)
        arrays[f"{layer.name}/kernel"] = kernel.astype(np.float16)
        arrays[f"{layer.name}/bias"] = np.zeros(shape[-1], np.float32)
    np.savez(path, **arrays)


def run(root: Path, module: str, *options: str) -> None:
    command = [sys.executable, "-m", f"train.{module}", "--work-dir", str(root), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_learns_from_a_teacher_and_resumes(tmp_path: Path) -> None:
    make_photos(tmp_path)
    make_teacher(tmp_path / "teacher.npz")
    start = tmp_path / "start.weights.h5"
    keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(299, 299, 3)
    ).save_weights(start)
    run(tmp_path, "features", "--weights", str(start), "--layer", "mixed4")
    run(tmp_path, "teachers", "--inception", str(tmp_path / "teacher.npz"))
    student = ["--weights", str(start), "--teacher", "inception", "--batch-size", "3"]
    run(tmp_path, "distill", *student, "--epochs", "1")
    run(tmp_path, "distill", *student, "--epochs", "3")

    folder = tmp_path / "distill" / "student"
    rows = [json.loads(line) for line in (folder / "probe.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [0, 3, 9]
    assert rows[2]["losses"]["mixed8"] < rows[1]["losses"]["mixed8"]
    assert rows[2]["losses"]["words"] < rows[1]["losses"]["words"]
    assert (folder / "student.weights.h5").exists()
